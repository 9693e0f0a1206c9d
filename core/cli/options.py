"""The options every command shares."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.cli.session import Session


class Format(StrEnum):
    """How a command answers."""

    TEXT = "text"
    JSON = "json"


def session(ctx: typer.Context) -> Session:
    """The session `main` opened for this command."""
    found: Session = ctx.find_root().obj["session"]
    return found


def reading(ctx: typer.Context) -> Session:
    """The session, for a command that only looks: it makes no home and nothing in one."""
    found = session(ctx)
    found.reads = True
    return found


def _chosen(ctx: typer.Context, value: Format) -> Format:
    if not ctx.resilient_parsing:
        session(ctx).out.as_json = value is Format.JSON
    return value


Output = Annotated[
    Format,
    typer.Option(
        "--output",
        callback=_chosen,
        is_eager=True,
        help="text for people, json for programs: one document, errors too.",
    ),
]


def wants_json(args: Sequence[str]) -> bool:
    """Whether an unparsed command line asks for JSON: for what goes wrong before parsing."""
    before = list(args[: args.index("--")] if "--" in args else args)
    return "--output=json" in before or ("--output", "json") in pairwise(before)
