"""What may be shown of an id, an address or a text that could hold a secret."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus, urlsplit

HIDDEN = "****"

# Shorter values are no secrets: hiding every "a" would hide the text and not the value.
_SHORTEST_SECRET = 6

_TOKENS = (
    r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)",
    r"\bre_\w{8,}",
    r"\b(?:ntn|secret)_\w{8,}",
    r"\blvq_[\w-]{10,}",
    r"(?i:\bbearer\s+)[\w.~+/=-]{8,}",
    r"(?i:\bbasic\s+)[\w+/=-]{16,}",
    r"\beyJ[\w-]{8,1000}+\.[\w-]+\.[\w-]*",
    r"\bya29\.[\w.-]+",
)

_INNER_SECRETS = ("private_key", "private_key_id", "client_secret", "refresh_token")


def mask(text: str) -> str:
    """Show the first four and the last two characters; nothing of six or fewer."""
    return HIDDEN if len(text) <= 6 else f"{text[:4]}{HIDDEN}{text[-2:]}"


def address_tag(key: bytes, address: str) -> str:
    """Name an address by four hex digits of a keyed hash, e.g. `9f2c****`."""
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:4] + HIDDEN


class Redactor:
    """Replaces known secrets, however they are written, and whatever looks like a token.

    `shapes` are regular expressions of tokens beside those that many services have.
    """

    def __init__(self, secrets: Iterable[str] = (), shapes: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # Longest first, so that a secret inside another leaves no piece of it behind.
        known = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
        self._expression = "|".join([*known, *shapes, *_TOKENS])

    def clean(self, text: str) -> str:
        """Return the text with each secret replaced by `****`."""
        return self._pattern.sub(HIDDEN, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Most commands clean nothing, and it takes longer than reading the settings.
        return re.compile(self._expression, re.DOTALL)


def _forms(secret: str) -> Iterator[str]:
    for part in (secret, *_parts(secret)):
        if len(part) < _SHORTEST_SECRET:
            continue
        coded = base64.b64encode(part.encode())
        yield from (part, quote(part), quote(part, safe=""), quote_plus(part))
        yield from (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])
        yield coded.rstrip(b"=").decode()
        yield coded.rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_")).decode()


def _parts(secret: str) -> Iterator[str]:
    """Find what is secret by itself inside a webhook's URL or a service account's JSON."""
    if "://" in secret:
        # An exception names the host in one place and the path in another.
        path = urlsplit(secret).path
        yield path.strip("/")
        yield path.strip("/").rpartition("/")[2]
    for key, value in _document(secret).items():
        if key in _INNER_SECRETS and isinstance(value, str):
            yield value
            yield from (line for line in value.replace("\\n", "\n").split("\n") if len(line) > 32)


def _document(secret: str) -> dict[str, object]:
    text = secret
    try:
        if not secret.lstrip().startswith("{"):
            plain = "".join(secret.split()).replace("-", "+").replace("_", "/").rstrip("=")
            text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
        document = json.loads(text)
    except (ValueError, binascii.Error):
        return {}
    return document if isinstance(document, dict) else {}
