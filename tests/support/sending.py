"""A connector sent and probed straight through the way out, with no engine around it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Self

from core.errors import UpstreamError
from core.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from core.contract import Config, Connector, HttpClient, Probe, Receipt
    from tests.support.sandbox import Sandbox, Scripted

RUN = "run_0123456789"
# How often a run makes its call, by how it ends; only e-mail repeats what is in doubt.
REQUESTS = {"refused": 1, "not_sent": 3, "unknown": 1}


def configured(connector: Connector, sandbox: Sandbox, **changes: Any) -> Config:
    """The connector's settings as the sandbox gives them; None takes one away."""
    values = {**sandbox.settings(), **changes}
    return connector.config.model_validate({k: v for k, v in values.items() if v is not None})


class Direct:
    """A connector with a way out of its own, which remembers what the connector lets it.

    It sends the first action; `attempts` tells how many the last one took.
    """

    def __init__(
        self,
        connector: Connector,
        sandbox: Sandbox,
        *,
        attempt_seconds: float = 10.0,
        **changes: Any,
    ) -> None:
        self._connector = connector
        self._config = configured(connector, sandbox, **changes)
        self._outbound = Outbound(attempt_seconds=attempt_seconds)
        self.attempts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._outbound.close()

    def send(self, *, test: bool = False, **values: Any) -> Receipt:
        action, config = self._connector.actions[0], self._config
        request = action.input.model_validate(values)
        if action.check:
            action.check(request, config, test)
        delivery = self._outbound.deliver(
            self._connector.name, b"credential", RUN, lambda out: action.send(request, config, out)
        )
        self.attempts = delivery.attempts
        return delivery.get()

    def failing(self, **values: Any) -> UpstreamError:
        """Send, and give back the error it must end with."""
        try:
            receipt = self.send(**values)
        except UpstreamError as error:
            return error
        raise AssertionError(f"sent: {receipt}")

    def probe(self) -> Probe:
        return self.ask(self._connector.probe)

    def ask(self, question: Callable[[Any, HttpClient], Any]) -> Any:
        """Ask the service something that sends nothing."""
        return self._outbound.probe(
            self._connector.name, b"credential", lambda out: question(self._config, out)
        )

    def failing_probe(self) -> UpstreamError:
        """Probe, and give back the error it must end with."""
        try:
            found = self.probe()
        except UpstreamError as error:
            return error
        raise AssertionError(f"probed: {found}")


def send(
    connector: Connector,
    sandbox: Sandbox,
    values: Mapping[str, Any],
    *,
    test: bool = False,
    **changes: Any,
) -> Receipt:
    """Send once; `changes` are settings."""
    with Direct(connector, sandbox, **changes) as direct:
        return direct.send(test=test, **values)


def refusal(connector: Connector, sandbox: Sandbox, values: Mapping[str, Any]) -> UpstreamError:
    """What sending once must end with."""
    with Direct(connector, sandbox) as direct:
        return direct.failing(**values)


def probe(connector: Connector, sandbox: Sandbox, **changes: Any) -> Probe:
    """Probe once; `changes` are settings."""
    with Direct(connector, sandbox, **changes) as direct:
        return direct.probe()


def failing_probe(connector: Connector, sandbox: Sandbox) -> UpstreamError:
    """What probing once must end with."""
    with Direct(connector, sandbox) as direct:
        return direct.failing_probe()


def check_told(
    connector: Connector,
    sandbox: Sandbox,
    values: Mapping[str, Any],
    answer: Scripted,
    told: tuple[str, str, str],
    *,
    on: str | None = None,
    requests: Mapping[str, int] = REQUESTS,
) -> UpstreamError:
    """Check what a send comes to if its call (`on`, or all of them) always gets this answer.

    `told` is the outcome, the reason and the fix or a telling part of it; the outcome says
    how often the call was made.
    """
    outcome, reason, fix = told
    service = sandbox.service(connector.name)
    service.always(answer, on=on)
    error = refusal(connector, sandbox, values)
    assert (error.outcome, error.reason, error.code) == (outcome, reason, "upstream_error")
    row = connector.answers.find(reason)
    assert row is not None
    assert error.message == row.message
    assert fix in (error.fix or "")
    made = service.calls(on) if on else service.received
    assert len(made) == requests[outcome]
    return error


def golden(specs: Path, name: str) -> Any:
    """The one request an official SDK made."""
    return json.loads((specs / "golden" / f"{name}.json").read_text())["requests"][0]


def media_type(value: str) -> str:
    """A content type without its parameters."""
    return re.split(r"\s*;", value)[0]
