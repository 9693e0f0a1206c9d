"""Many callers at once and the slow upstream they reach, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS = 64
UPSTREAM_SECONDS = 0.05
_CONTEXT = multiprocessing.get_context("spawn")


class Done(NamedTuple):
    """What one request sent and was answered."""

    text: str
    status: int
    run: str | None


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a head and a body of HTTP/1.1."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


async def _caller(
    address: tuple[str, int], path: str, token: str, until: float, name: str
) -> list[Done]:
    """Send one message after another on one connection."""
    reader, writer = await asyncio.open_connection(*address)
    done = []
    while time.monotonic() < until:
        text = f"{name}-{len(done)}"
        body = json.dumps({"text": text})
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head, answer = await _message(reader)
        done.append(Done(text, int(head.split()[1]), json.loads(answer).get("run")))
    writer.close()
    return done


def _callers(address: tuple[str, int], path: str, token: str, seconds: float, results: Any) -> None:
    async def all_of_them() -> list[Done]:
        until = time.monotonic() + seconds
        work = (_caller(address, path, token, until, f"c{n}") for n in range(CONNECTIONS))
        return [one for done in await asyncio.gather(*work) for one in done]

    results.put(asyncio.run(all_of_them()))


def over_http(
    address: tuple[str, int],
    path: str,
    token: str,
    seconds: float,
    watch: Callable[[], object] = lambda: None,
) -> list[Done]:
    """What sixty-four connections were answered in these seconds; `watch` is called meanwhile."""
    results = _CONTEXT.Queue()
    process = _CONTEXT.Process(target=_callers, args=(address, path, token, seconds, results))
    process.start()
    while process.is_alive() and results.empty():
        watch()
        time.sleep(0.5)
    done: list[Done] = results.get(timeout=120)
    process.join(10)
    return done


def _upstream(ready: Any, results: Any) -> None:
    texts: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _, body = await _message(reader)
                texts.append(json.loads(body)["text"])
                await asyncio.sleep(UPSTREAM_SECONDS)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def life() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(ready.join)
        server.close()
        results.put(texts)

    asyncio.run(life())


@contextmanager
def slow_webhook() -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """A Slack webhook that takes 50 ms: its URL, and what ends it and tells what it was sent."""
    ready, results = _CONTEXT.JoinableQueue(), _CONTEXT.Queue()
    process = _CONTEXT.Process(target=_upstream, args=(ready, results))
    process.start()
    port = ready.get(timeout=120)

    def finish() -> list[str]:
        ready.task_done()
        texts: list[str] = results.get(timeout=120)
        return texts

    try:
        yield f"http://127.0.0.1:{port}/services/T00000000/B00000000/{'x' * 24}", finish
    finally:
        process.terminate()
        process.join(10)
