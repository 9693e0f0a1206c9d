"""The sandbox's front page: what was received, newest first.

One self-contained document without a script; everything shown is escaped, and neither
headers nor addresses with a credential in them are shown at all.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from core.network import loopback
from core.sandbox.service import Card, Received

SHOWN = 200  # of each kind; the rest is counted
MAX_TEXT = 2000  # characters of a text
MAX_ROWS = 20  # of a table
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}
_STYLE = Path(__file__).with_name("page.css").read_text("utf-8")


def front_page(
    request: web.Request, titles: Mapping[str, str], received: Sequence[Received]
) -> web.Response:
    """Give a browser of this machine the page; raises HTTPForbidden for a page elsewhere.

    `titles` has each service's by its name; `received` is oldest first. The calls that sent
    nothing are listed with `?checks=1` only.
    """
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:
        host = None
    # A web page elsewhere can reach a loopback port; it cannot choose the Host header.
    if not loopback(host) or request.headers.get("Origin"):
        raise web.HTTPForbidden(text="The sandbox answers on loopback only.\n")
    done = [call for call in received if call.done]
    others = [call for call in received if not call.done]
    body = _list(done, partial(_card, titles)) or _EMPTY
    counts = Counter(call.upstream for call in done)
    each = (f"<li>{escape(title)}<b>{counts[name]}</b></li>" for name, title in titles.items())
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="refresh" content="3">'
        f"<title>Levqor sandbox</title><style>{_STYLE}</style></head><body>"
        "<header><h1>Levqor sandbox</h1>"
        f"<p>What the sandbox services at {escape(f'http://{request.host}')} received, newest "
        "first. Nothing here reaches the real services. This page refreshes itself.</p></header>"
        f"<ul>{''.join(each)}</ul>"
        f"<main>{body}{_checks(titles, others, listed='checks' in request.query)}</main>"
        "</body></html>"
    )
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


_EMPTY = '<p class="empty">Nothing received yet. Send something, and it shows up here.</p>'


def _list(received: Sequence[Received], draw: Callable[[Received], str]) -> str:
    newest = "".join(map(draw, reversed(received[-SHOWN:])))
    older = len(received) - SHOWN
    return newest + (f"<p>… and {older} older.</p>" if older > 0 else "")


def _card(titles: Mapping[str, str], request: Received) -> str:
    card = request.card or Card(request.call, "", request.shown)
    text = card.text if len(card.text) <= MAX_TEXT else card.text[:MAX_TEXT] + "…"
    return (
        f'<article class="{escape(request.upstream)}">{_head(titles, request)}'
        f"<h2>{escape(card.title)}<small>{escape(card.where)}</small></h2>"
        f"{f'<pre>{escape(text)}</pre>' if text else ''}{_table(card.rows)}</article>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows[:MAX_ROWS])
    more = f"<p>… and {len(rows) - MAX_ROWS} more rows.</p>" if len(rows) > MAX_ROWS else ""
    drawn = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<div class="rows"><table>{drawn}</table></div>{more}'


def _checks(titles: Mapping[str, str], received: Sequence[Received], *, listed: bool) -> str:
    if not received:
        return ""
    some = "1 check" if len(received) == 1 else f"{len(received)} checks"
    # A link, for what a page folds away is closed again by its refresh.
    if not listed:
        return f'<nav><a href="/?checks=1">{some} (nothing sent)</a></nav>'
    drawn = _list(received, lambda request: f"<article>{_head(titles, request)}</article>")
    return f'<nav><a href="/">Hide {some} (nothing sent)</a>{drawn}</nav>'


def _head(titles: Mapping[str, str], request: Received) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(request.at))
    return (
        f"<header><span>{escape(titles[request.upstream])}</span><span>{escape(request.call)}</span>"
        f"<time>{when}</time>{_answer(request)}</header>"
    )


def _answer(request: Received) -> str:
    status = request.status
    if status is None:
        return f'<span class="code none">{"no answer" if request.over else "waiting"}</span>'
    return f'<span class="code {"good" if status < 400 else "bad"}">{status}</span>'
