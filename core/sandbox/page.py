"""The sandbox's front page: what was received, newest first.

One self-contained document without a script; everything shown is escaped, and neither
headers nor addresses with a credential in them are shown at all.
"""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.sandbox.standin import Received

SHOWN = 200  # rows; the rest is counted
MAX_TEXT = 400  # characters of what a request did
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8889; --card: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; }
h1 { font-size: 1.35rem; margin: 0; }
p { margin: .25rem 0 1.25rem; opacity: .75; }
ul { list-style: none; margin: 0 0 1.5rem; padding: 0; display: flex; flex-wrap: wrap; gap: .6rem; }
ul li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .45rem .8rem; }
ul b { font-variant-numeric: tabular-nums; margin-left: .35rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { font-size: .75rem; font-weight: 600; letter-spacing: .04em; opacity: .65; text-align: left; text-transform: uppercase; }
th, td { border-bottom: 1px solid var(--line); padding: .5rem .6rem; vertical-align: top; }
td { overflow-wrap: anywhere; }
.when { width: 5.2rem; } .what { width: 12.5rem; } .answer { width: 6.5rem; }
td.when, td.answer { font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { display: block; opacity: .65; }
td pre { font: inherit; margin: 0; white-space: pre-wrap; }
.code { border-radius: .4rem; padding: .05rem .45rem; }
.good { background: #2a94; } .bad { background: #d444; } .none { background: var(--card); }
.seen { font-weight: 600; } .unseen { opacity: .65; }
.empty { border: 1px dashed var(--soft); border-radius: .6rem; padding: 2rem; text-align: center; }
"""  # noqa: E501 - a style rule a line


_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def answer(request: web.Request, text: str) -> web.Response:
    """Give the page to a browser of this machine; raises HTTPForbidden for a page elsewhere.

    A web page elsewhere can reach a loopback port; it cannot choose the Host header.
    """
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:
        host = None
    if host not in _LOOPBACK or request.headers.get("Origin"):
        raise web.HTTPForbidden(text="The sandbox answers on loopback only.\n")
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


def render(url: str, names: Sequence[str], received: Sequence[Received]) -> str:
    """The page for the stand-ins of these `names`; `received` is oldest first."""
    newest = list(reversed(received[-SHOWN:]))
    body = _table(newest) if newest else _EMPTY
    older = len(received) - len(newest)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="refresh" content="3">'
        f"<title>Levqor sandbox</title><style>{_STYLE}</style></head><body>"
        "<h1>Levqor sandbox</h1>"
        f"<p>Stand-ins on {escape(url)}. Nothing here reaches the real services. "
        "Newest first; this page refreshes itself.</p>"
        f"<ul>{''.join(_count(name, received) for name in names)}</ul>"
        f"{body}{f'<p>… and {older} older.</p>' if older else ''}</body></html>"
    )


_EMPTY = '<p class="empty">Nothing received yet. Fire an action, and it shows up here.</p>'


def _count(name: str, received: Sequence[Received]) -> str:
    count = sum(request.upstream == name for request in received)
    return f"<li>{escape(name)}<b>{count}</b></li>"


def _table(newest: Sequence[Received]) -> str:
    return (
        '<table><thead><tr><th class="when">Time</th><th class="what">Call</th>'
        '<th>What a person sees</th><th class="answer">Answer</th></tr></thead>'
        f"<tbody>{''.join(_row(request) for request in newest)}</tbody></table>"
    )


def _row(request: Received) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(request.at))
    return (
        f'<tr><td class="when">{when}</td>'
        f'<td class="what">{escape(request.call)}<small>{escape(request.upstream)}</small></td>'
        f"<td>{_shown(request)}</td>"
        f'<td class="answer">{_answer(request)}</td></tr>'
    )


def _shown(request: Received) -> str:
    if not request.done:
        return '<span class="unseen">nothing</span>'
    text = request.shown if len(request.shown) <= MAX_TEXT else request.shown[:MAX_TEXT] + "…"
    return f'<pre class="seen">{escape(text) or "(no text)"}</pre>'


def _answer(request: Received) -> str:
    status = request.status
    if status is None:
        return f'<span class="code none">{"no answer" if request.over else "waiting"}</span>'
    return f'<span class="code {"good" if status < 400 else "bad"}">{status}</span>'
