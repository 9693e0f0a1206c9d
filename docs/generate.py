"""Write the parts of the documentation that the code knows best: `make docs`.

`python docs/generate.py` writes them; with `--check` it changes nothing and exits 1 where
a page is behind. A new connector shows up here without a word written for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.connectors import CONNECTORS  # noqa: E402
from core.grammar import usage  # noqa: E402
from core.interfaces import declared  # noqa: E402
from core.settings.names import sections  # noqa: E402
from docs import benchmark_page, contract_pages, program_pages  # noqa: E402 - the line above finds them
from docs.env_example import example  # noqa: E402 - and this

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.contract import Setting

BEGIN, END = "<!-- made by `make docs`: begin -->", "<!-- end -->"


def connectors() -> str:
    """The table of every action, what it needs and how it is written."""
    rows = ["| | action | what to set up | how to write it |", "| --- | --- | --- | --- |"]
    for connector in CONNECTORS:
        needed = [f"`{one.name}`" for one in connector.config.settings() if one.required]
        for action in connector.actions:
            action_id = connector.action_id(action)
            line = usage(f"levqor run {action_id}", action.input)
            rows.append(f"| {connector.title} | `{action_id}` | {', '.join(needed)} | `{line}` |")
    return "\n".join(rows)


def settings() -> str:
    """Every setting in a table for each connector and interface, then Levqor's own."""
    listed = sections(CONNECTORS, declared())
    return "\n\n".join(f"## {title}\n\n{_table(new)}" for title, new in listed)


def _table(declared: Iterable[Setting]) -> str:
    rows = ["| setting | what it is | where to get it |", "| --- | --- | --- |"]
    for one in declared:
        notes = [
            "required" if one.required else "",
            "secret" if one.secret else "",
            "environment only" if one.env_only else "",
            f"default `{one.default}`" if one.default else "",
        ]
        told = ", ".join(filter(None, notes))
        cells = (f"`{one.name}`", one.title + (f" ({told})" if told else ""), one.where)
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def between(page: str, made: str) -> str:
    """The page with what stands between the two marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


PAGES: dict[str, Callable[[str], str]] = {
    "docs/index.md": lambda page: between(page, connectors()),
    "docs/reference/actions.md": lambda page: between(page, contract_pages.actions(CONNECTORS)),
    "docs/reference/errors.md": lambda page: between(page, contract_pages.errors(CONNECTORS)),
    "docs/reference/settings.md": lambda page: between(page, settings()),
    "docs/reference/commands.md": lambda page: between(page, program_pages.commands()),
    "docs/running/reach.md": lambda page: between(page, program_pages.database_errors()),
    "docs/reference/http.md": lambda page: between(page, program_pages.addresses()),
    "docs/running/benchmarks.md": lambda page: between(page, benchmark_page.benchmarks()),
    ".env.example": lambda _: example(CONNECTORS, declared()),
}


def main(args: list[str]) -> int:
    """Write every page, or with `--check` say which ones are behind."""
    behind = []
    for name, make in PAGES.items():
        file = ROOT / name
        old = file.read_text("utf-8") if file.exists() else ""
        new = make(old)
        if new != old:
            behind.append(name)
            if "--check" not in args:
                file.write_text(new, "utf-8")
    for name in behind:
        print(f"{name} {'is behind: make docs' if '--check' in args else 'written'}")  # noqa: T201
    return 1 if behind and "--check" in args else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
