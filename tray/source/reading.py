"""The source's JSON as values. What is missing or strange is left out, never guessed."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from core.network import loopback
from core.plain import https_link, plain_line
from core.reports import Verdict
from core.wording import VERDICTS
from tray.source import SourceError
from tray.state import Connector, Health, Inbound, Run, TestResult

_OPEN = ("accepted", "sending", "")
_UNKNOWN = "It may or may not have been sent."


def health(body: dict[str, Any], now: float) -> Health:
    """Read a live health report; raises ValueError where it is none.

    An action that its reader may not do is left out: it is not `offered`.
    """
    detail, known = body.get("detail"), body.get("connectors")
    if not isinstance(detail, dict) or not isinstance(known, dict):
        raise ValueError("no health report")  # noqa: TRY004 - what came is wrong, not its type
    return Health(
        at=now,
        connectors=tuple(
            _connector(name, _dict(detail.get(name)), body.get("offered"))
            for service in known
            for name in (service, *(n for n in detail if n.startswith(f"{service}/")))
        ),
        inbound=tuple(_inbound(*pair) for pair in _dict(body.get("inbound_detail")).items()),
        console=web_link(body.get("console")),
    )


def runs(body: dict[str, Any]) -> tuple[Run, ...]:
    """Read the latest runs."""
    return tuple(run for run in map(_run, _list(body.get("runs"))) if run)


def test_result(body: dict[str, Any], now: float, gap: float) -> TestResult:
    """Read what came of a test send, a receipt or an error; raises ValueError for neither."""
    run, status, link = (_text(body.get(name)) for name in ("run", "status", "link"))
    if "error" not in body:
        if not run or not status:
            # What no Levqor said is no proof that it was sent.
            raise ValueError("no receipt")
        link = https_link(link)
        return TestResult("sent", status, run=run, link=link, at=now, wait=gap or None)
    outcome, fix = _text(body.get("outcome")), _text(body.get("fix"))
    wait = _number(body.get("retry_after")) or (gap if outcome else None)
    words = _text(body.get("message")) or "It was not sent."
    if outcome == "unknown" and "may" not in words:
        words = f"{_UNKNOWN} {words}"
    return TestResult(outcome, words, fix=fix, run=run, at=now, wait=wait)


def unanswered(error: SourceError, now: float) -> TestResult:
    """What is known of a test send whose answer never came."""
    outcome, words = "not_sent", error.fault.words
    if not error.before_it_left:
        outcome, words = "unknown", f"{_UNKNOWN} {words}"
    return TestResult(outcome, words, fix=error.fault.fix, at=now)


def web_link(value: Any) -> str | None:
    """An address that a browser may open: by https, or on this computer; None of anything else."""
    text = _text(value)
    if text is None or not text.startswith("http://"):
        return https_link(text)
    # The same shape, asked as if it were https.
    secure = https_link(f"https{text[4:]}")
    return text if secure and loopback(urlsplit(secure).hostname) else None


def _connector(name: str, detail: dict[str, Any], offered: Any) -> Connector:
    given = detail.get("verdict", Verdict.UNCHECKED)
    verdict = next((verdict for verdict in Verdict if verdict == given), Verdict.FAILING)
    return Connector(
        name=name,
        title=plain_line(str(detail.get("title") or name.capitalize())),
        verdict=verdict,
        actions=tuple(
            str(action)
            for action in _list(detail.get("actions"))
            if not isinstance(offered, list) or action in offered
        ),
        words=_text(detail.get("words")) or VERDICTS[verdict].sentence,
        fix=_text(detail.get("fix")),
        notes=tuple(plain_line(str(note)) for note in _list(detail.get("notes"))),
        settings=tuple(plain_line(str(setting)) for setting in _list(detail.get("settings"))),
        latency_ms=_number(detail.get("latency_ms")),
        since=_moment(detail.get("since")),
        last_success=_run(detail.get("last_success")),
        last_failure=_run(detail.get("last_failure")),
    )


def _inbound(surface: str, value: Any) -> Inbound:
    detail = _dict(value)
    return Inbound(
        plain_line(str(surface)),
        ok=bool(detail.get("ok", True)),
        words=_text(detail.get("verdict")) or "no report yet",
        fix=_text(detail.get("fix")),
        since=_moment(detail.get("since")),
    )


def _run(value: Any) -> Run | None:
    entry = _dict(value)
    if "run" not in entry:
        return None
    state = str(entry.get("outcome") or entry.get("state") or "")
    return Run(
        run=plain_line(str(entry["run"])),
        at=_moment(entry.get("settled_at")) or _moment(entry.get("at")) or 0.0,
        outcome=None if state in _OPEN else state,
        action=plain_line(str(entry.get("action", ""))),
        ms=_number(entry.get("ms")),
        words=_text(entry.get("message")),
        fix=_text(entry.get("fix")),
        test=bool(entry.get("test")),
        surface=str(entry.get("surface", "")),
    )


def _moment(value: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 time; None of anything else."""
    try:
        return dt.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return plain_line(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
