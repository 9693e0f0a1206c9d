"""Socket Mode: a WebSocket to Slack, kept up, renewed, and watched for a second process.

slack_sdk's own way of coming back tries for ever without a word, with an address that may
have expired; here a connection lives once and another is opened in its place.
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError
from slack_sdk.socket_mode import aiohttp as slack_socket
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.runtime import Bot, step
from bot.runtime.verdicts import mistake
from bot.slack.api import NETWORK, Api, SlackApiError, Unreachable
from bot.slack.connection_status import ONE_EACH, ConnectionStatus, refused_token, while_running
from bot.slack.handlers import Handle
from core.backoff import backoffs
from core.errors import LevqorError


@dataclass(frozen=True)
class Timing:
    """How long and how often, in seconds."""

    connect: float = 8.0
    ping: float = 5.0
    look: float = 1.0
    # A new connection finds out one that died in silence, and its greeting tells whether another
    # process holds the same app token.
    renew: float = 300.0
    crowd: float = 6.0  # then a process that has ended is not counted in a greeting any more
    linger: float = 4.0  # what came over an old connection is acknowledged over it
    steady: float = 30.0  # what ends before is not replaced at once
    watch: float = 300.0  # between looks at the bot token


APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105 - the setting's name
CONNECTED = "connected (Socket Mode)"
# The first, and six, twelve and eighteen seconds after one another.
FEW_LOOKS = 3
FULL = "Slack takes ten connections with one app token, and all are in use."
HUNG_UP = "Slack hangs up at once; trying again."

log = logging.getLogger("levqor.bot")


class Connection(slack_socket.SocketModeClient):
    """One WebSocket, from its greeting to its end; `over` is set when it must be replaced."""

    def __init__(self, api: Api, url: str, ping: float) -> None:
        super().__init__(app_token="", web_client=api.client, ping_interval=ping)
        session, self.proxy = api.routes.to_socket(url)
        if session is not None:
            self.aiohttp_client_session.detach()
            self.aiohttp_client_session = session
        self.wss_uri = url
        self.greeted = False
        self.settled = asyncio.Event()  # by a greeting, or the goodbye that may come instead
        self.over = asyncio.Event()
        self.goodbye: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither side has hung up."""
        return self.current_session is not None and not self.current_session.closed

    @property
    def why(self) -> tuple[str, str]:
        """Why Slack ended it, and what to do."""
        return (FULL, ONE_EACH) if self.goodbye == "too_many_websockets" else (HUNG_UP, NETWORK)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Called by slack_sdk when Slack says goodbye or the connection is dead."""
        self.over.set()
        self.settled.set()

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Called by slack_sdk, which keeps a goodbye's reason from listeners."""
        if message.get("type") == "disconnect":
            self.goodbye = str(message.get("reason"))
        await super().run_message_listeners(message, raw_message)


class SocketModeClient:
    """Keeps a connection through which Slack reaches us."""

    def __init__(
        self,
        bot: Bot,
        api: Api,
        token: str,
        handle: Handle,
        status: ConnectionStatus,
        timing: Timing,
    ) -> None:
        self._timing = timing
        self._bot = bot
        self._api = api
        self._token = token
        self._handle = handle
        self._status = status
        self._connections: set[Connection] = set()
        self._closing = False
        self._crowd = 0

    async def start(self) -> None:
        """Connect, however long Slack cannot be reached; raises NotConfigured when refused."""
        self._bot.spawn(self._keep(await self._open(None)), name="slack socket")

    def pause(self) -> None:
        """Open no other connection."""
        self._closing = True

    async def stop(self) -> None:
        """Hang up."""
        self._closing = True
        for connection in tuple(self._connections):
            await self._close(connection)

    async def _keep(self, connection: Connection) -> None:
        pauses = backoffs()
        while not self._closing:
            old, since, ended = connection, time.monotonic(), True
            with step():
                ended = await self._until_over(old)
            if time.monotonic() - since > self._timing.steady:
                pauses = backoffs()
            elif ended:
                # It may hang up on the next one as quickly, and would be asked without end.
                self._down(old, *old.why)
                await asyncio.sleep(next(pauses))
            if self._closing:
                return
            connection = await self._open(old)
            self._bot.spawn(self._close(old, self._timing.linger), name="slack old socket")

    async def _until_over(self, connection: Connection) -> bool:
        """Wait until a connection must be replaced; whether that is because it has ended."""
        since = time.monotonic()
        while not connection.over.is_set() and await connection.is_connected():
            # Asking again and again for the same answer would wear out Slack's patience.
            crowd = self._timing.crowd * min(self._crowd, 20)
            if time.monotonic() - since > (crowd or self._timing.renew):
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.over.wait(), self._timing.look)
        return True

    async def _open(self, old: Connection | None) -> Connection:
        pauses = backoffs()
        while True:
            try:
                connection = await self._connect()
            except SlackApiError as refused:
                error = refused_token(APP_TOKEN, refused.code)
                if old is None:
                    raise error from None
                self._down(old, error.message, while_running(error))
                await asyncio.sleep(next(pauses))
            except Unreachable as down:
                self._down(old, down.why, down.fix)
                await asyncio.sleep(max(next(pauses), down.wait or 0.0))
            except Exception as error:  # noqa: BLE001 - or no connection would ever be opened again
                log.error("Socket Mode stumbled: %s", type(error).__name__)  # noqa: TRY400
                self._down(old, *mistake(error))
                await asyncio.sleep(next(pauses))
            else:
                self._status.up(CONNECTED)
                return connection

    def _down(self, old: Connection | None, why: str, fix: str) -> None:
        # A connection that is only being renewed still serves.
        if old is None or not old.is_open:
            self._status.down(why, fix)

    async def _connect(self) -> Connection:
        connection = Connection(
            self._api, await self._api.open_socket(self._token), self._timing.ping
        )
        connection.message_listeners.append(self._greeted)
        connection.socket_mode_request_listeners.append(self._envelope)
        self._connections.add(connection)
        try:
            async with asyncio.timeout(self._timing.connect):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.settled.wait()
        except BaseException as error:
            # The bot may end before the connection is up: nobody else knows of it yet.
            await self._close(connection)
            if isinstance(error, TimeoutError):
                raise Unreachable from None
            raise
        if not connection.greeted:
            await self._close(connection)
            raise Unreachable(*connection.why)
        return connection

    async def _greeted(
        self, connection: Any, message: dict[str, Any], _raw: str | None = None
    ) -> None:
        if message.get("type") != "hello":
            return
        connection.greeted = True
        connection.settled.set()
        # Our own old connection may still be open while it is replaced.
        ours = sum(connection.is_open for connection in self._connections)
        count = message.get("num_connections")
        others = (count if isinstance(count, int) else 0) - ours
        if others > 0:
            with contextlib.suppress(LevqorError):
                others -= await self._bot.read(self._bot.engine.ledger.sharing, APP_TOKEN)
        self._crowd = self._crowd + 1 if others > 0 else 0
        # Beside the bots on this database it may be a process that has just ended, or our own
        # connection that broke while this machine slept: Slack counts both for a while. What
        # stays is another one.
        self._status.crowded(self._crowd > FEW_LOOKS)

    async def _envelope(self, connection: Any, request: SocketModeRequest) -> None:
        began = time.perf_counter()
        body = await self._handle(request.payload)
        await connection.send_socket_mode_response(SocketModeResponse(request.envelope_id, body))
        self._status.acknowledged(time.perf_counter() - began)

    async def _close(self, connection: Connection, wait: float = 0.0) -> None:
        await asyncio.sleep(wait)
        self._connections.discard(connection)
        # What is dead already cannot be closed.
        with contextlib.suppress(ClientError, OSError):
            await connection.close()  # type: ignore[no-untyped-call]
