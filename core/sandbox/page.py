"""The sandbox's front page: what was received, newest first.

One self-contained document without a script; everything shown is escaped, and neither
headers nor addresses with a credential in them are shown at all.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
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

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --card: #fff; --back: #f4f4f2; }
@media (prefers-color-scheme: dark) { :root { --card: #232426; --back: #18191a; --soft: #999; } }
* { box-sizing: border-box; }
body { background: var(--back); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem;
  padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.35rem; margin: 0; }
header p { color: var(--soft); margin: .25rem 0 1rem; overflow-wrap: anywhere; }
ul { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: 0 0 1.5rem; padding: 0; }
ul li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .3rem .7rem; }
ul b { font-variant-numeric: tabular-nums; margin-left: .35rem; }
article { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--of, var(--line));
  border-radius: .6rem; margin: 0 0 .8rem; padding: .6rem .9rem .7rem; }
article > header { color: var(--soft); display: flex; flex-wrap: wrap; font-size: .8rem; gap: .1rem .6rem;
  margin-bottom: .35rem; }
article > header :last-child { margin-left: auto; }
article h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
article h2 small { color: var(--soft); font-weight: 400; margin-left: .35rem; }
article pre { font: inherit; margin: .15rem 0 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.slack { --of: #611f69; } .notion { --of: #6b6a67; } .sheets { --of: #188038; } .telegram { --of: #2481cc; }
.resend { --of: #c2410c; }
.slack h2::before, .telegram h2::before { background: var(--of); border-radius: .3rem; color: #fff; content: "L";
  display: inline-block; font-size: .8rem; height: 1.5rem; line-height: 1.5rem; margin-right: .5rem; text-align: center; width: 1.5rem; }
.slack pre, .telegram pre { margin-left: 2rem; }
.telegram h2::before { border-radius: 50%; }
.telegram pre { background: #2481cc1f; border-radius: .2rem .9rem .9rem .9rem; display: inline-block; padding: .35rem .7rem; }
.notion h2 { font-size: 1.2rem; } .notion h2 small, .resend h2 small { display: block; font-size: .85rem; margin: 0; }
.resend pre { border-top: 1px solid var(--line); margin-top: .4rem; padding-top: .4rem; }
.rows { overflow-x: auto; }
table { border-collapse: collapse; margin-top: .3rem; }
td { border: 1px solid var(--line); max-width: 18rem; overflow-wrap: break-word; padding: .2rem .55rem; vertical-align: top; }
.notion td { border: 0; max-width: none; overflow-wrap: anywhere; padding-left: 0; } .notion td:first-child { color: var(--soft); min-width: 7rem; }
.sheets tr:first-child td, .sheets td:first-child { background: var(--back); color: var(--soft); text-align: center; }
nav { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: .8rem; }
nav a { color: var(--soft); }
nav article { border-left-width: 1px; margin: .6rem 0 0; padding: .35rem .7rem; }
nav article > header { margin: 0; }
.code { border-radius: .4rem; padding: 0 .4rem; }
.good { background: #2a93; } .bad { background: #d443; } .none { background: #8883; }
.empty { border: 1px dashed var(--soft); border-radius: .6rem; padding: 2rem; text-align: center; }
"""  # noqa: E501 - a style rule a line


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
