"""Notion's API: an integration's calls, with its secret and its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.contract import bearer

if TYPE_CHECKING:
    from pydantic import SecretStr

    from core.contract import Answer, HttpClient

VERSION = "2026-03-11"  # https://developers.notion.com/reference/versioning


@dataclass(frozen=True)
class Api:
    """One integration's calls within one attempt; paths are those after `/v1/`."""

    url: str
    token: SecretStr
    http: HttpClient

    def get(self, path: str) -> Answer:
        """Read."""
        return self.http.get(f"{self.url}/v1/{path}", headers=self._headers())

    def post(self, path: str, body: Any) -> Answer:
        """Write."""
        return self.http.post(f"{self.url}/v1/{path}", json=body, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {**bearer(self.token), "Notion-Version": VERSION}
