"""The sandbox over HTTP: what was received, scripts and the front page, for other processes.

GET  /                             the front page
GET  /_received?upstream=&call=    {"received": [...]}, oldest first
GET  /_settings?chat=socket|http   the settings that lead here
POST /_script                      {"upstream", "answers": [...], "on"?, "always"?}
POST /_clear                       {"upstream"?}
POST /_drive                       {"upstream", "do", "args": {...}}: what people do in a chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from core.sandbox import answers, page
from core.sandbox.driven import Driven, jsonable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from core.sandbox.server import Sandbox
    from core.sandbox.standin import StandIn

    Control = Callable[[web.Request], Awaitable[web.Response]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add(app: web.Application, sandbox: Sandbox) -> None:
    """Add the control's addresses to the application."""

    async def front(request: web.Request) -> web.Response:
        names = [stand_in.name for stand_in in sandbox.stand_ins]
        text = page.render(sandbox.url, names, sandbox.received)
        return web.Response(text=text, content_type="text/html", headers=page.HEADERS)

    async def received(request: web.Request) -> web.Response:
        call = request.query.get("call")
        found = _stand_in(sandbox, request.query)
        requests = found.received if found else sandbox.received
        chosen = [one.wire() for one in requests if call in (None, one.call)]
        return web.json_response({"received": chosen})

    async def settings(request: web.Request) -> web.Response:
        chat = request.query.get("chat")
        if chat == "socket":
            return web.json_response(sandbox.settings("socket"))
        return web.json_response(sandbox.settings("http" if chat == "http" else None))

    async def script(request: web.Request) -> web.Response:
        order = await _order(request)
        found = _stand_in(sandbox, order)
        if found is None:
            raise _bad('say which "upstream" it is for')
        _script(found, order)
        return web.json_response({"ok": True})

    async def clear(request: web.Request) -> web.Response:
        found = _stand_in(sandbox, await _order(request))
        (found or sandbox).clear()
        return web.json_response({"ok": True})

    async def drive(request: web.Request) -> web.Response:
        order = await _order(request)
        return web.json_response({"result": await _drive(_stand_in(sandbox, order), order)})

    app.router.add_get("/", _guarded(front))
    app.router.add_get("/_received", _guarded(received))
    app.router.add_get("/_settings", _guarded(settings))
    app.router.add_post("/_script", _guarded(script))
    app.router.add_post("/_clear", _guarded(clear))
    app.router.add_post("/_drive", _guarded(drive))


def _guarded(control: Control) -> Control:
    # A web page elsewhere can reach a loopback port; it cannot choose the Host header, nor
    # send application/json to another origin without asking first.
    async def handle(request: web.Request) -> web.Response:
        try:
            host = urlsplit(f"//{request.host}").hostname
        except ValueError:
            host = None
        if host not in LOOPBACK or request.headers.get("Origin"):
            raise web.HTTPForbidden(text="The sandbox answers on loopback only.\n")
        return await control(request)

    return handle


def _bad(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=text + "\n")


async def _order(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.\n")
    try:
        order = await request.json()
    except ValueError:
        raise _bad("that is not JSON") from None
    if not isinstance(order, dict):
        raise _bad("send a JSON object")
    return order


def _stand_in(sandbox: Sandbox, order: Mapping[str, Any]) -> StandIn | None:
    name = order.get("upstream")
    if not name:
        return None
    try:
        return sandbox.stand_in(name)
    except KeyError:
        known = ", ".join(stand_in.name for stand_in in sandbox.stand_ins)
        raise _bad(f"no such upstream; there are {known}") from None


def _script(stand_in: StandIn, order: Mapping[str, Any]) -> None:
    on = order.get("on")
    try:
        chosen = [answers.read(wire) for wire in order.get("answers", [])]
    except (ValueError, TypeError) as error:
        raise _bad(str(error)) from None
    if not order.get("always"):
        stand_in.next(*chosen, on=on)
    else:
        stand_in.always(chosen[0] if chosen else None, on=on)


async def _drive(stand_in: StandIn | None, order: Mapping[str, Any]) -> Any:
    drive = getattr(type(stand_in), str(order.get("do")), None)
    if stand_in is None or not isinstance(drive, Driven):
        raise _bad("no such thing to do")
    try:
        return jsonable(await drive.drive(stand_in, **order.get("args", {})))
    except (TypeError, ValueError) as error:
        raise _bad(str(error)) from None
