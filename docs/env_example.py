"""`.env.example`: every setting, what it is and where to get it."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from core.contract import Connector, Interface, Setting
from core.settings.names import sections

_HEAD = """\
# Levqor's settings. Copy this file to .env in Levqor's home folder and fill in what you use;
# levqor doctor shows which folder that is. Environment variables override this file. A secret
# can also be in a file of its own: NAME_FILE=/run/secrets/name. An empty value counts as not set,
# but not where a setting restricts who may do what: leave it out, or say who. A second account
# of a service has its name behind each of its settings: SLACK_WEBHOOK_URL__ACME=…
"""


def example(connectors: Sequence[Connector], interfaces: Sequence[Interface]) -> str:
    """Write the example file, a section at a time."""
    outside: list[Setting] = []
    parts = [_HEAD]
    for title, settings in sections(connectors, interfaces):
        outside += [setting for setting in settings if setting.env_only]
        inside = [setting for setting in settings if not setting.env_only]
        parts.append("\n".join([f"# --- {title} ---", *_lines(inside)]))
    title = "# --- From the environment only; ignored in this file ---"
    parts.append("\n".join([title, *_lines(outside)]))
    return "\n".join(parts)


def _lines(settings: Iterable[Setting]) -> Iterator[str]:
    for setting in settings:
        example, default = setting.example, setting.default
        yield ""
        yield f"# {setting.title}{f', e.g. {example}' if example and example != default else ''}"
        yield from textwrap.wrap(setting.where, 90, initial_indent="#   ", subsequent_indent="#   ")
        commented = default or setting.env_only or setting.restricts
        yield f"{'# ' if commented else ''}{setting.name}={default or ''}"
    yield ""
