"""How the tests of the sandbox reach its services, as their vendors' clients do."""

import json

import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from core.sandbox.google import SCOPE


@pytest.fixture
def notion(sandbox):
    """Notion's address, the headers of a request to it, and a database's id."""
    settings = sandbox.settings()
    headers = {
        "Authorization": f"Bearer {settings['NOTION_API_KEY']}",
        "Notion-Version": "2026-03-11",
    }
    return settings["NOTION_API_URL"] + "/v1", headers, settings["NOTION_DATABASE_ID_DEFAULT"]


@pytest.fixture
def google(sandbox):
    """A session of Google's own library, signed in with the service account."""
    info = json.loads(sandbox.settings()["GOOGLE_SERVICE_ACCOUNT_JSON"])
    made = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    return AuthorizedSession(made)


@pytest.fixture
def bot_api(sandbox):
    """Call a method of Telegram's Bot API."""
    base = f"{sandbox.telegram.url}/bot{sandbox.telegram.token}"

    def call(method, **body):
        return requests.post(f"{base}/{method}", json=body, timeout=20).json()

    return call
