"""The page behind *How to fix*: what is wrong, what to do, and which settings it takes."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from core.reports import Verdict
from tray import formatting
from tray.menu import MARKS, why_failed
from tray.state import Connector, Inbound, State
from tray.summary import COLOURS, IconState, summary, worst

# The worst first, as on the page.
_ICONS = {
    Verdict.FAILING: IconState.BROKEN,
    Verdict.UNREACHABLE: IconState.BROKEN,
    Verdict.ATTENTION: IconState.ATTENTION,
    Verdict.NOT_CONFIGURED: IconState.EMPTY,
    Verdict.UNCHECKED: IconState.CHECKING,
    Verdict.OK: IconState.OK,
}
_STYLE = Path(__file__).with_name("fix_page.css").read_text("utf-8")


def leading_to(link: str) -> str:
    """Make a page that goes on to an address."""
    to = escape(link)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Levqor</title>",
        f"<meta http-equiv=refresh content='0; url={to}'>",
        f"<p><a href='{to}'>Open the web console</a></p></html>\n",
    ]
    return "\n".join(parts)


def console_page(state: State, name: str = "") -> str:
    """The console's page that says how to fix something: a service's, where it is one alone.

    Elsewhere it is the overview: a token on another computer may see no service's page.
    """
    if not name:
        _, problems = worst(state)
        name = problems[0].name if len(problems) == 1 and isinstance(problems[0], Connector) else ""
    here, services = state.source.home is not None, state.health.connectors if state.health else ()
    return f"/services/{name}" if here and name in {c.name for c in services} else "/"


def html(state: State, first: str = "") -> str:
    """Make the whole page; the connector or interface called `first` comes first."""
    seen = summary(state)
    below = seen.icon in (IconState.BROKEN, IconState.ATTENTION)
    parts = [
        f"<!doctype html><html lang=en style='--well: {COLOURS[IconState.OK]}'>",
        "<meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>Levqor: how to fix</title><style>{_STYLE}</style>",
        f"<h1>How to fix</h1><p>{escape(seen.headline)}</p>",
        f"<p class=fix>{escape(seen.fix)}</p>" if seen.fix and not below else "",
        *_sections(state, first),
        f"<p class=small>{_settings(state)}</p></html>\n",
    ]
    return "\n".join(filter(None, parts))


def _sections(state: State, first: str) -> Iterator[str]:
    if state.health is None:
        return
    connectors = state.health.connectors
    order = list(_ICONS)
    sections = [
        (c.name != first, order.index(c.verdict), _connector(state, c))
        for c in connectors
        if c.name == first or c.verdict is not Verdict.OK
    ]
    sections += [
        (i.surface != first, order.index(Verdict.FAILING), _section(Verdict.FAILING, i))
        for i in state.health.inbound
        if not i.ok
    ]
    yield from (text for *_, text in sorted(sections, key=lambda section: section[:2]))
    if well := [c.title for c in connectors if c.verdict is Verdict.OK and c.name != first]:
        yield f"<p><span class=well>✓</span> Works: {escape(formatting.listed(well))}.</p>"


def _connector(state: State, connector: Connector) -> str:
    since = ""
    if connector.since:
        span = formatting.span(state.now - connector.since).replace(" ", "&nbsp;")
        since = f" <span class=small>For&nbsp;{span}.</span>"
    parts = []
    if connector.settings:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in connector.settings)
        parts.append(f"<p>Missing settings: {names}</p>")
    parts += [f"<p>{escape(note)}</p>" for note in connector.notes]
    if run := connector.last_failure:
        fix = f" {run.fix}" if run.fix and run.fix != connector.fix else ""
        line = f"Last failed run, {formatting.ago(state.now - run.at)}: "
        line += f"{_sentence(why_failed(run))}{fix} Run {run.run}."
        parts.append(f"<p class=small>{escape(line)}</p>")
    return _section(connector.verdict, connector, since, parts)


def _section(
    verdict: Verdict, item: Connector | Inbound, since: str = "", more: Sequence[str] = ()
) -> str:
    mark = f"<span class=mark>{MARKS[verdict]}</span> {escape(item.title)}"
    parts = [f"<section style='--colour: {COLOURS[_ICONS[verdict]]}'><h2>{mark}</h2>"]
    parts.append(f"<p>{escape(_sentence(item.words))}{since}</p>")
    parts += [f"<p class=fix>{escape(item.fix)}</p>"] if item.fix else []
    return "\n".join([*parts, *more, "</section>"])


def _sentence(words: str) -> str:
    words = formatting.plain(words)
    return f"{words[:1].upper()}{words[1:]}."


def _settings(state: State) -> str:
    file = state.source.settings_file
    if file is None:
        return escape(f"The settings are on the other computer: {state.source.words}.")
    return f"Settings file: <code>{escape(str(file))}</code>, one NAME=value on each line."
