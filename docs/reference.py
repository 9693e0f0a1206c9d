"""The API reference as Markdown, made from the contracts: docs/CONNECTORS.md holds it."""

import json
from collections.abc import Iterable, Sequence
from shlex import quote

from bot.web import schemas
from core.contract import Action, Connector, FieldSpec


def reference(connectors: Sequence[Connector]) -> str:
    """Describe every action and every error."""
    parts = [_errors(connectors[0])]
    for connector in connectors:
        parts += [_action(connector, action) for action in connector.actions]
    return "\n\n".join(parts)


def _action(connector: Connector, action: Action) -> str:
    action_id = connector.action_id(action)
    needed = ", ".join(f"`{each.name}`" for each in connector.config.settings() if each.required)
    fields = action.input.fields()
    body = {spec.name: spec.example for spec in fields if spec.required}
    shown = json.dumps(body, ensure_ascii=False)
    rows = _table(
        ("reason", "outcome", "what it means", "what to do"),
        ((f"`{r.reason}`", r.outcome, r.message, r.fix) for r in connector.answers.rows),
    )
    return f"""\
## `POST /actions/{action_id}`

{action.title}. Set up: {needed}.

{_table(("field", "what it is", "bounds", "example"), map(_field, fields))}

```sh
curl http://127.0.0.1:8787/actions/{action_id} \\
  -H "Authorization: Bearer $LEVQOR_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d {quote(shown)}
```

<details><summary>What {connector.title} may refuse</summary>

{rows}

</details>"""


def _field(spec: FieldSpec) -> tuple[str, str, str, str]:
    bounds = ["required" if spec.required else "optional"]
    if spec.setting:
        bounds.append(f"default from `{spec.setting}`")
    if spec.max_length:
        least = f"{spec.min_length} to" if spec.min_length else "at most"
        bounds.append(f"{least} {spec.max_length:,} {spec.unit}")
    example = json.dumps(spec.example, ensure_ascii=False)
    return f"`{spec.name}`", f"{spec.title}. {spec.help}", "; ".join(bounds), f"`{example}`"


def _errors(connector: Connector) -> str:
    action_id = connector.action_id(connector.actions[0])
    rows: list[tuple[str, ...]] = []
    for error in schemas.action_errors(connector.name, action_id):
        row = (f"`{error.code}`", str(error.http), str(error.exit))
        if not any(other[:2] == row[:2] for other in rows):
            rows.append((*row, error.message))
    table = _table(("`error`", "HTTP", "exit status of `levqor`", "what it means"), rows)
    return f"## Errors\n\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
