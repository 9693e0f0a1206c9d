"""Contracts of every shape, for tests of how they are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.contract import Contract, field
from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.errors import Fault


class Mail(Contract):
    to: str = field("To", "one address", example="a@b.c", address=True)
    subject: str = field("Subject", "one line", example="Hi")
    text: str = field("Text", "the body", example="Hello", long=True, takes_text=True)


class Note(Contract):
    text: str = field("Text", "what to say", example="Hi", long=True, takes_text=True)
    channel: str | None = field("Channel", "where", example="C1", default=None)


class Page(Contract):
    database_id: str = field("Database", "where", example="0" * 32, setting="DATABASE")
    props: dict[str, Any] = field("Properties", "what", example={"Name": "x"}, takes_text="title")


class Table(Contract):
    range: str = field("Range", "where", example="A1", setting="RANGE")
    values: list[list[str]] = field("Rows", "what", example=[["a"]], takes_text=True)


class Bare(Contract):
    name: str = field("Name", "a name", example="x")


def faults(parse: Callable[..., Any], *given: Any) -> list[Fault]:
    """What a parser refuses in what it is given."""
    with pytest.raises(InvalidInput) as refused:
        parse(*given)
    return list(refused.value.faults)
