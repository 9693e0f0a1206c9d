"""The services' own clocks, read from the answers to their probes."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.contract import Answer, HttpClient, Probe


def clocked(
    probe: Callable[[Any, HttpClient], Probe], skews: list[float]
) -> Callable[[Any, HttpClient], Probe]:
    """Make a probe also note how many seconds our clock is ahead of who answers."""
    return lambda config, http: probe(config, _Clocked(http, skews))


class _Clocked:
    def __init__(self, http: HttpClient, skews: list[float]) -> None:
        self._http = http
        self._skews = skews
        self.run = http.run

    def get(self, url: str, **more: Any) -> Answer:
        return self._noted(self._http.get(url, **more))

    def post(self, url: str, **more: Any) -> Answer:
        return self._noted(self._http.post(url, **more))

    def service_account_token(
        self, *args: Any, explain: Callable[[Answer], Exception], **more: Any
    ) -> str:
        def noted(answer: Answer) -> Exception:
            return explain(self._noted(answer))

        return self._http.service_account_token(*args, explain=noted, **more)

    def remember(self, *args: Any, **more: Any) -> Any:
        return self._http.remember(*args, **more)

    def _noted(self, answer: Answer) -> Answer:
        try:
            told = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return answer
        self._skews.append(time.time() - told.timestamp())
        return answer
