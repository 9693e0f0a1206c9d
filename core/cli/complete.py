"""Shell completion of actions and of their fields' names."""

from __future__ import annotations

import typer  # noqa: TC002 - typer reads the annotations


def actions(incomplete: str) -> list[tuple[str, str]]:
    """Actions that begin so, each with its title."""
    from core.connectors import CONNECTORS

    found = [(c.action_id(a), a.title) for c in CONNECTORS for a in c.actions]
    return [(name, title) for name, title in found if name.startswith(incomplete)]


def items(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """`name=` for each field of the action that has not been given yet."""
    from core.connectors import CONNECTORS

    wanted = ctx.params.get("action")
    given = {item.partition("=")[0] for item in ctx.params.get("items") or ()}
    fields = [
        spec
        for connector in CONNECTORS
        for action in connector.actions
        if connector.action_id(action) == wanted
        for spec in action.input.fields()
    ]
    return [
        (f"{spec.name}=", spec.help)
        for spec in fields
        if spec.name not in given and spec.name.startswith(incomplete)
    ]
