"""Short words for tests of the settings: a connector of their own, and reading a home's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from core.contract import (
    Action,
    AnswerTable,
    Config,
    Connector,
    Contract,
    Probe,
    Receipt,
    field,
    setting,
)
from core.errors import NotConfigured
from core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class FaxConfig(Config):
    key: SecretStr = setting(
        "FAX_KEY", "The fax key", "from the back of the machine", required=True,
        shape=r"fax-\d+",
    )  # fmt: skip
    tray: str = setting("FAX_TRAY", "The paper tray", "look inside", default="A4")
    api_url: str = setting(
        "FAX_API_URL", "Where the fax is", "ask", env_only=True, default="https://fax.example.com"
    )


class Sheet(Contract):
    text: str = field("Text", "what to fax", example="Hi", takes_text=True)


FAX = Connector(
    name="fax",
    title="Fax",
    config=FaxConfig,
    actions=(
        Action(
            name="send",
            title="Send a fax",
            input=Sheet,
            sample={"text": "Hi"},
            send=lambda *_: Receipt("sent"),
        ),
    ),
    probe=lambda *_: Probe(),
    answers=AnswerTable(service="Fax", what="the page", look="Look at the machine"),
)


def load(home: Path, environ: Mapping[str, str] | None = None, **more: Any) -> Settings:
    return Settings(home, environ=environ or {}, connectors=(FAX,), **more)


def write(home: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """Write a home's `.env`."""
    file = home / ".env"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def key(settings: Settings) -> str:
    config = settings.config(FAX)
    assert isinstance(config, FaxConfig)
    return config.key.get_secret_value()


def refusal(home: Path, environ: Mapping[str, str] | None = None, **more: Any) -> NotConfigured:
    """What a home whose settings are broken is refused with."""
    with pytest.raises(NotConfigured) as refused:
        load(home, environ, **more)
    return refused.value
