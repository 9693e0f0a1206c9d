"""The source's JSON as values. What is missing or strange is left out, never guessed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from core.plain import https_link, plain_line
from tray.state import Connector, Health, Inbound, Run, TestResult, Verdict

if TYPE_CHECKING:
    from tray.source import SourceError

_VERDICTS = {
    "ok": Verdict.OK,
    "attention": Verdict.ATTENTION,
    "not_configured": Verdict.OFF,
    "unchecked": Verdict.UNKNOWN,
}
_OPEN = ("accepted", "sending", "")
_DOUBT = "It may or may not have been sent."


def health(body: dict[str, Any], now: float) -> Health:
    """Read a live health report; raises ValueError where it is none."""
    detail, known = body.get("detail"), body.get("connectors")
    if not isinstance(detail, dict) or not isinstance(known, dict):
        raise ValueError("no health report")  # noqa: TRY004 - what came is wrong, not its type
    return Health(
        at=now,
        connectors=tuple(_connector(name, _dict(detail.get(name))) for name in known),
        inbound=tuple(_inbound(*pair) for pair in _dict(body.get("inbound_detail")).items()),
    )


def runs(body: dict[str, Any]) -> tuple[Run, ...]:
    """Read the journal's latest runs."""
    found = (_run(one) for one in _list(body.get("runs")))
    return tuple(run for run in found if run)


def test_result(action: str, body: dict[str, Any], now: float, gap: float) -> TestResult:
    """Read what came of a test send: a receipt, or the flat body of an error.

    Raises ValueError where it is neither: what no Levqor said is no proof that it was sent.
    """
    run, status, link = (_text(body.get(name)) for name in ("run", "status", "link"))
    link = https_link(link)
    if "error" not in body:
        if not run or not status:
            raise ValueError("no receipt")
        return TestResult(action, "sent", status, run=run, link=link, at=now, wait=gap or None)
    outcome, fix = _text(body.get("outcome")), _text(body.get("fix"))
    wait = _number(body.get("retry_after")) or (gap if outcome else None)
    said = _text(body.get("message")) or "It was not sent."
    if outcome == "unknown":
        said = said if "may" in said else f"{_DOUBT} {said}"
    return TestResult(action, outcome, said, fix=fix, run=run, at=now, wait=wait)


def unanswered(action: str, error: SourceError, now: float) -> TestResult:
    """What is known of a test send whose answer never came."""
    trouble = error.trouble
    outcome, words = "not_sent", trouble.words
    if not error.before_it_left:
        outcome, words = "unknown", f"{_DOUBT} {trouble.words}"
    return TestResult(action, outcome, words, fix=trouble.fix, at=now)


def moment(value: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 time; None of anything else."""
    try:
        return dt.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def _connector(name: str, said: dict[str, Any]) -> Connector:
    verdict = str(said.get("verdict", "unchecked"))
    return Connector(
        name=name,
        title=plain_line(str(said.get("title") or name.capitalize())),
        verdict=_VERDICTS.get(verdict, Verdict.BROKEN),
        actions=tuple(str(one) for one in _list(said.get("actions"))),
        words=_text(said.get("words")),
        fix=_text(said.get("fix")),
        notes=tuple(plain_line(str(one)) for one in _list(said.get("notes"))),
        settings=tuple(plain_line(str(one)) for one in _list(said.get("settings"))),
        latency_ms=_number(said.get("latency_ms")),
        since=moment(said.get("since")),
        last_success=_run(said.get("last_success")),
        last_failure=_run(said.get("last_failure")),
        unreachable=verdict == "unreachable",
    )


def _inbound(surface: str, said: Any) -> Inbound:
    body = _dict(said)
    words = _text(body.get("verdict")) or "no word of it"
    fix, since = _text(body.get("fix")), moment(body.get("since"))
    return Inbound(plain_line(str(surface)), bool(body.get("ok", True)), words, fix, since)


def _run(value: Any) -> Run | None:
    said = _dict(value)
    if "run" not in said:
        return None
    state = str(said.get("outcome") or said.get("state") or "")
    return Run(
        run=str(said["run"]),
        at=moment(said.get("settled_at")) or moment(said.get("at")) or 0.0,
        outcome=None if state in _OPEN else state,
        action=str(said.get("action", "")),
        ms=_number(said.get("ms")),
        words=_text(said.get("message")),
        fix=_text(said.get("fix")),
        test=bool(said.get("test")),
        surface=str(said.get("surface", "")),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return plain_line(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
