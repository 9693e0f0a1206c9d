"""The reference of every action and every error as Markdown, made from the contracts."""

import json
from collections.abc import Iterable, Sequence
from shlex import quote

from bot.web import schemas
from core.contract import Action, Connector, FieldSpec
from core.grammar import usage

# What to do about each error where it brings no fix of its own.
WHAT_TO_DO = {
    "unauthorized": "Send a valid token: `levqor token new LABEL` makes one.",
    "forbidden": "Ask whoever runs Levqor; `LEVQOR_ALLOW` says who may do what.",
    "not_found": "Write the name as the list of actions has it; the message names the nearest.",
    "method_not_allowed": "Use the method that the header `Allow` names.",
    "validation_error": "Correct what `details` lists, and send it again.",
    "in_progress": "Ask again after `retry_after` seconds.",
    "idempotency_mismatch": "Use a new key for a new message.",
    "not_configured": "Set the settings that are named, as `levqor doctor` shows.",
    "rate_limited": "Wait until `resets_at`, or have an admin lift it: `levqor plan set`.",
    "throttled": "Send it again after `retry_after` seconds.",
    "upstream_error": "Do what `fix` says; the `outcome` says whether you may send it again.",
    "busy": "Send it again after `retry_after` seconds.",
    "ledger_error": "Do what `fix` says; `levqor doctor` looks at the database.",
    "internal_error": "Report it, with the run's ID.",
}


def actions(connectors: Sequence[Connector]) -> str:
    """Describe every action: its fields and how it is written on each interface."""
    return "\n\n".join(_action(each, action) for each in connectors for action in each.actions)


def errors(connectors: Sequence[Connector]) -> str:
    """List every error, then what each service may answer, each with its fix."""
    action_id = connectors[0].action_id(connectors[0].actions[0])
    rows: list[tuple[str, ...]] = []
    for error in schemas.action_errors(connectors[0].name, action_id):
        row = (f"`{error.code}`", str(error.http), str(error.exit))
        if not any(other[:3] == row for other in rows):
            rows.append((*row, error.message, WHAT_TO_DO[error.code]))
    head = ("`error`", "HTTP", "exit status", "what it means", "what to do")
    return "\n\n".join([f"## Errors\n\n{table(head, rows)}", *map(_answers, connectors)])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _action(connector: Connector, action: Action) -> str:
    action_id = connector.action_id(action)
    needed = ", ".join(f"`{each.name}`" for each in connector.config.settings() if each.required)
    fields = action.input.fields()
    body = {spec.name: spec.example for spec in fields if spec.required}
    shown = json.dumps(body, ensure_ascii=False)
    return f"""\
## `{action_id}`

{action.title}. Set up: {needed}.

{table(("field", "what it is", "bounds", "example"), map(_field, fields))}

```text
{usage(f"levqor run {action_id}", action.input)}
```

```sh
curl http://127.0.0.1:8787/actions/{action_id} \\
  -H "Authorization: Bearer $LEVQOR_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d {quote(shown)}
```"""


def _answers(connector: Connector) -> str:
    rows = [(f"`{r.reason}`", r.outcome, r.message, r.fix) for r in connector.answers.rows]
    head = ("reason", "outcome", "what it means", "what to do")
    return f"## What {connector.title} may answer\n\n{table(head, rows)}"


def _field(spec: FieldSpec) -> tuple[str, str, str, str]:
    bounds = ["required" if spec.required else "optional"]
    if spec.setting:
        bounds.append(f"default from `{spec.setting}`")
    if spec.max_length:
        least = f"{spec.min_length} to" if spec.min_length else "at most"
        bounds.append(f"{least} {spec.max_length:,} {spec.unit}")
    example = json.dumps(spec.example, ensure_ascii=False)
    return f"`{spec.name}`", f"{spec.title}. {spec.help}", "; ".join(bounds), f"`{example}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
