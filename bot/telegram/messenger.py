"""Sending messages: floods waited out, moved groups followed, nothing too long."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from telegram import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import MessageLimit
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)

from bot.telegram.api import Api, Flood
from core.backoff import backoffs
from core.plain import utf16_length

T = TypeVar("T")

UNITS = int(MessageLimit.MAX_TEXT_LENGTH)
# As long as the ledger keeps where to answer.
PATIENCE = 1800.0
# One attempt, also against a server that sends a byte now and then.
ATTEMPT_SECONDS = 30.0
LONGEST_PAUSE = 30.0
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

Markup = InlineKeyboardMarkup | ForceReply


@dataclass(frozen=True)
class Place:
    """Where to answer: a chat, the message answered there, and our own message if any."""

    chat: int
    to: int | None = None
    message: int | None = None
    thread: int | None = None  # the topic, in a group that has topics


class Messenger:
    """Sends and edits messages; raises TelegramError where that cannot be done."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._moved: dict[int, int] = {}

    async def show(
        self, place: Place, text: str, markup: Markup | None = None, *, patience: float = PATIENCE
    ) -> Place:
        """Put a text in place of our message, or send it, in several if it is long; where it is."""
        texts = pages(text)
        edited = place.message is not None and await self._edit(place, texts[0], markup)
        for page in texts[1:] if edited else texts[:-1]:
            await self._send(place, page, None, patience)
        return place if edited else await self._send(place, texts[-1], markup, patience)

    async def answer_button(self, query: str, text: str | None = None) -> None:
        """Answer a pressed button, or its little clock would run on; a late one is let go."""
        with contextlib.suppress(TelegramError):
            await self._api.answer_callback_query(query, text)

    async def _edit(self, place: Place, text: str, markup: Markup | None) -> bool:
        """Change our message; False where it is gone, or its chat has moved."""
        if place.chat in self._moved:
            return False
        try:
            done = await self._patiently(
                lambda: self._api.edit_message_text(
                    text,
                    chat_id=place.chat,
                    message_id=place.message,
                    reply_markup=markup if isinstance(markup, InlineKeyboardMarkup) else None,
                    link_preview_options=_NO_PREVIEW,
                ),
                place.chat,
                PATIENCE,
            )
        except BadRequest as error:
            return "not modified" in error.message.lower()
        return done is not None

    async def _send(self, place: Place, text: str, markup: Markup | None, patience: float) -> Place:
        if (new := self._moved.get(place.chat)) is not None:
            # The old group's messages have other numbers there, or none.
            place = Place(new)
        answered = ReplyParameters(place.to, allow_sending_without_reply=True) if place.to else None
        message = await self._patiently(
            lambda: self._api.send_message(
                place.chat,
                text,
                reply_markup=markup,
                reply_parameters=answered,
                message_thread_id=place.thread,
                link_preview_options=_NO_PREVIEW,
            ),
            place.chat,
            patience,
        )
        if message is None:
            return await self._send(place, text, markup, patience)
        return replace(place, chat=message.chat.id, message=message.message_id)

    async def _patiently(
        self, call: Callable[[], Awaitable[T]], chat: int, patience: float
    ) -> T | None:
        """Call until Telegram takes it; None where the chat has moved."""
        until, pauses = time.monotonic() + patience, backoffs(longest=LONGEST_PAUSE)
        while True:
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    return await call()
            except ChatMigrated as moved:
                self._moved[chat] = moved.new_chat_id
                return None
            except (BadRequest, Forbidden, InvalidToken):
                raise
            except Flood as flood:
                wait, problem = flood.seconds, TelegramError("flood control")
            except (NetworkError, TimeoutError):
                wait, problem = next(pauses), NetworkError("no answer")
            if time.monotonic() + wait > until:
                raise problem
            await asyncio.sleep(wait)


def pages(text: str) -> list[str]:
    """Cut a text into messages, between lines where it can be."""
    cut, page = [], ""
    # A character takes two units at the most.
    half = UNITS // 2
    for line in text.splitlines(keepends=True):
        step = len(line) if utf16_length(line) <= UNITS else half
        for piece in (line[at : at + step] for at in range(0, len(line), step)):
            if utf16_length(page + piece) > UNITS:
                cut.append(page.rstrip())
                page = ""
            page += piece
    return [each for each in [*cut, page.rstrip()] if each.strip()] or ["…"]
