"""A connector's action sent straight through the way out, with no engine around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import LevqorError
from core.outbound import Outbound

if TYPE_CHECKING:
    from core.contract import Connector, Probe, Receipt
    from core.settings import Settings


class Direct:
    """Sends a connector's first action; `attempts` tells how many the last one took."""

    def __init__(
        self, connector: Connector, settings: Settings, *, attempt_seconds: float = 10.0
    ) -> None:
        self._connector = connector
        self._config = settings.config(connector)
        self._outbound = Outbound(attempt_seconds=attempt_seconds)
        self.attempts = 0

    def send(self, **values: Any) -> Receipt:
        action = self._connector.actions[0]
        request = action.input.model_validate(values)
        receipt, self.attempts = self._outbound.deliver(
            self._connector.name,
            b"credential",
            "run-1",
            lambda out: action.send(request, self._config, out),
        )
        return receipt

    def failing(self, **values: Any) -> LevqorError:
        """Send, and give back the error it must end with."""
        try:
            receipt = self.send(**values)
        except LevqorError as error:
            return error
        raise AssertionError(f"sent: {receipt}")

    def probe(self) -> Probe:
        return self._outbound.probe(
            self._connector.name,
            b"credential",
            lambda out: self._connector.probe(self._config, out),
        )

    def failing_probe(self) -> LevqorError:
        """Probe, and give back the error it must end with."""
        try:
            found = self.probe()
        except LevqorError as error:
            return error
        raise AssertionError(f"probed: {found}")

    def close(self) -> None:
        self._outbound.close()
