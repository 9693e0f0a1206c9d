"""Unmistakable secrets and payloads, and looking for them where they must never be.

`CANARIES` are what a person might type; `secrets` are what a home is set up with. A surface's
own test sends the first through itself, hands in all it printed and wrote, and is done:

    assert_clean(printed, home, canaries=[*CANARIES.values(), *secrets(sandbox.settings())])
"""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

from core.connectors import CONNECTORS
from core.interfaces import declared
from core.settings.app import AppSettings

_DECLARED = [
    *(one for connector in CONNECTORS for one in connector.config.settings()),
    *(one for interface in declared() for one in interface.settings.settings()),
    *AppSettings.settings(),
]
_SECRET = {one.name for one in _DECLARED if one.secret}

# Each is found whatever stands around it, and none can be mistaken for a word of ours.
CANARIES = {
    "text": "canary-text-Zeisig4711",
    "channel": "canary-channel-4712",
    "chat_id": "@canary_chat_4713",
    "to": "canary.to.4714@example.com",
    "subject": "canary-subject-4715",
    "range": "canary tab 4716",
    "cell": "canary-cell-4717",
    "title": "canary-title-4718",
    "property": "canary-property-4719",
    "database_id": "ca4a51ca4a51ca4a51ca4a514720ca4a",
    "echo": "canary-echo-4722",
}


def secrets(settings):
    """The pieces of a home's settings that must be seen nowhere: whole, and secret parts."""
    found = []
    for name, value in settings.items():
        if name not in _SECRET:
            continue
        found.append(value)
        if "://" in value:
            found += [value.partition("/services/")[2], value.rpartition("/")[2]]
        if name == "GOOGLE_SERVICE_ACCOUNT_JSON":
            account = _account(value)
            found += [account["private_key_id"], *account["private_key"].splitlines()[1:-1]]
    return found


def addresses(settings):
    """What a receipt's link may tell the person who asked, and no file may keep."""
    return [v for k, v in settings.items() if k not in _SECRET and not k.endswith("_API_URL")]


def _account(value):
    text = value if value.lstrip().startswith("{") else base64.b64decode(value + "===").decode()
    return json.loads(text)


def forms(canary):
    """A value as it is, and as an address, JSON or base64 would hold it."""
    yield canary
    yield quote(canary, safe="")
    yield quote_plus(canary)
    yield json.dumps(canary)[1:-1]
    for lead in (b"", b" ", b"  "):
        # Base64 of a text that holds it: three ways, by where its first byte falls.
        coded = base64.b64encode(lead + canary.encode()).decode().rstrip("=")
        yield coded[4 if lead else 0 : len(coded) // 4 * 4 - 4]


def assert_clean(*places, canaries):
    """Fail where a canary is found: in a text, bytes, a file, or any file of a folder.

    A home's `.env` is left out: it is where the secrets live.
    """
    wanted = {form.encode() for canary in canaries for form in forms(canary) if len(form) >= 8}
    for name, held in _contents(places):
        for form in wanted:
            at = held.find(form)
            assert at < 0, f"{form!r} in {name}: …{held[max(0, at - 120) : at + 60]!r}…"


def _contents(places):
    for number, place in enumerate(places, 1):
        if isinstance(place, Path):
            files = [place] if place.is_file() else sorted(place.rglob("*"))
            for file in files:
                if file.is_file() and file.name != ".env":
                    yield str(file), file.read_bytes()
        else:
            yield f"text {number}", place if isinstance(place, bytes) else place.encode()
