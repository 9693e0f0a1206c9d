"""The service account's key file and the spreadsheet's id, in the forms people paste them."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.contract import BYTE_ORDER_MARK, base_url, loopback

# What is pasted along with a value; nobody sees the last two.
_OUTER = f" \t\r\n\x00{BYTE_ORDER_MARK}"
_WRAPPINGS = 4
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@dataclass(frozen=True)
class Account:
    """A service account that can sign: its key file, its address and its project."""

    info: Mapping[str, Any] = field(repr=False)
    email: str
    project: str


def read_account(value: str) -> Account:
    """Read a key file, JSON or base64 of it; raises ValueError that holds nothing of the value."""
    info = _loads(value)
    if info.get("type") != "service_account":
        raise ValueError("is not a service account's JSON key")
    if not isinstance(info.get("client_email"), str) or "@" not in info["client_email"]:
        raise ValueError("has no client_email: copy the key file whole")
    if info.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise ValueError("has a universe_domain other than googleapis.com")
    token_uri = _token_uri(info.get("token_uri", TOKEN_URI))
    info = {**info, "private_key": _private_key(info.get("private_key")), "token_uri": token_uri}
    return Account(info, info["client_email"], str(info.get("project_id", "")))


def _loads(value: str) -> dict[str, Any]:
    """Take off what a key file is wrapped in: quotes, base64, a JSON string, or two of them."""
    text = value.strip(_OUTER)
    for _ in range(_WRAPPINGS):
        content = _json(text) if text.startswith(("{", "[", '"')) else None
        if content is None and text[:1] in ("'", '"'):
            content = text[1:].rstrip(_OUTER + text[0])
        if content is None and text.startswith("{"):
            # A JSON string of JSON whose own quotes were taken off on the way.
            content = _json(f'"{text}"')
        if content is None and text[:1] in ("", "{"):
            raise ValueError("is cut off or damaged JSON: copy the key file whole")
        if isinstance(content, dict):
            return content
        if content is not None and not isinstance(content, str):
            break
        text = (_decoded(text) if content is None else content).strip(_OUTER)
    raise ValueError("is not a service account's JSON key")


def _json(text: str) -> Any:
    try:
        # Not strict: pasted keys often hold real line breaks inside a string.
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _decoded(value: str) -> str:
    if value.startswith("AIza"):
        raise ValueError("is an API key, which may not write: it takes a service account's key")
    if value.endswith(".json"):
        raise ValueError("is a file's name: put that in GOOGLE_SERVICE_ACCOUNT_JSON_FILE")
    packed = re.sub(r"\s+", "", value).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        unpacked = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        # Windows shells pack UTF-16, with or without a byte order mark.
        return unpacked.decode(json.detect_encoding(unpacked))
    except (binascii.Error, ValueError):
        raise ValueError(
            "is neither the key file's JSON nor base64 of it: run base64 on the file and copy"
            " all of it"
        ) from None


def _private_key(value: Any) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # The classic fault of keys that went through an environment file: \n as two characters.
    pem = value.replace("\\n", "\n").strip() + "\n" if isinstance(value, str) else ""
    try:
        # Its arithmetic is not checked: that costs more than a whole run, and Google checks.
        key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(  # noqa: TRY004 - a setting's fault
            "has a damaged private_key: copy the key file whole"
        )
    return pem


def _token_uri(value: Any) -> str:
    # A signed assertion goes wherever this says, so a strange key file must not choose.
    url = base_url(value) if isinstance(value, str) else ""
    if url != TOKEN_URI and not loopback(urlsplit(url).hostname):
        raise ValueError("has a token_uri other than Google's")
    return url


def spreadsheet_id(value: str) -> str:
    """Return the id in a spreadsheet's id or address; raises ValueError where there is none."""
    text = value.strip()
    if "/d/e/" in text:
        raise ValueError("is the address of a published copy; copy the spreadsheet's own")
    match = re.search(r"/spreadsheets/(?:u/\d+/)?d/([\w-]+)", text, re.ASCII)
    ident = match[1] if match else text
    # It becomes part of an address, so nothing else may be in it.
    if not re.fullmatch(r"[\w-]+", ident, re.ASCII):
        raise ValueError("must be the part between /d/ and /edit of the spreadsheet's address")
    return ident
