"""A loopback server that says `ok` to every POST, as fast as Python can, in its own process."""

import asyncio
import re
import subprocess
import sys
from contextlib import contextmanager

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class _Ok(asyncio.Protocol):
    def connection_made(self, transport):
        self._transport = transport
        self._held = b""

    def data_received(self, data):
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held[:end])
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._transport.write(_ANSWER)


async def _serve():
    server = await asyncio.get_running_loop().create_server(_Ok, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running():
    """The server's address for as long as the block runs."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.server"], stdout=subprocess.PIPE, text=True
    )
    with child:
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.terminate()


if __name__ == "__main__":
    asyncio.run(_serve())
