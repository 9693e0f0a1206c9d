"""Google's token endpoint on loopback: a signed assertion for an access token.

It checks what Google checks: the grant type, the signature, who signed, for whom, since
when and for how long.
"""

import base64
import binascii
import json
import secrets
import time
from typing import Any, cast

from aiohttp import web

from core.sandbox.credentials import SERVICE_ACCOUNT, rsa_key
from core.sandbox.service import Received, Refusal

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Clients sign for Google's own endpoint wherever the key file sends them.
AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
LIFE = 3600  # seconds an access token is good for, and the longest an assertion may be
SKEW = 300  # seconds a caller's clock may be ahead

_TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
    "timeframe. Check your iat and exp values in the JWT claim."
)


def denied(code: str, text: str) -> Refusal:
    """The endpoint's refusal: OAuth's error code and a sentence."""
    return Refusal(web.json_response({"error": code, "error_description": text}, status=400))


class Tokens:
    """The access tokens this sandbox has given out."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.until: dict[str, float] = {}  # each with the moment it ends

    def good(self, token: str) -> bool:
        """Whether a token was given out and has not run out."""
        return self.until.get(token, 0.0) > time.time()

    async def answer(self, request: web.Request, received: Received) -> web.Response:
        """Trade an assertion for a token."""
        self._check(received.form)
        token = "ya29." + secrets.token_urlsafe(24)
        self.until[token] = time.time() + LIFE
        body = {"access_token": token, "expires_in": LIFE - 1, "token_type": "Bearer"}
        return web.json_response(body)

    def _check(self, form: dict[str, str]) -> None:
        if form.get("grant_type") != GRANT:
            given = form.get("grant_type", "")
            raise denied("unsupported_grant_type", f"Invalid grant_type: {given}")
        head, claims, signed, signature = _parts(form.get("assertion", ""))
        if head.get("alg") != "RS256":
            raise denied("invalid_grant", "Invalid JWT: unsupported algorithm.")
        if claims.get("iss") != SERVICE_ACCOUNT:
            raise denied("invalid_grant", "Invalid grant: account not found")
        if not _signed(signed, signature):
            raise denied("invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") not in (AUDIENCE, self.uri):
            raise denied("invalid_grant", "Invalid JWT: Failed audience check.")
        _check_times(claims)
        if SCOPE not in str(claims.get("scope", "")).split():
            raise denied("invalid_scope", "Invalid OAuth scope or ID token audience provided.")


def _check_times(claims: dict[str, Any]) -> None:
    now = time.time()
    match claims:
        case {"iat": int() | float() as issued, "exp": int() | float() as ends}:
            if now < ends <= issued + LIFE and issued <= now + SKEW:
                return
    raise denied("invalid_grant", _TIMEFRAME)


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        head, claims, signature = assertion.split(".")
        return (
            json.loads(_decode(head)),
            json.loads(_decode(claims)),
            f"{head}.{claims}".encode(),
            _decode(signature),
        )
    except (ValueError, binascii.Error):
        raise denied("invalid_grant", "Bad Request") from None


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _signed(signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = cast(
        "rsa.RSAPrivateKey", serialization.load_pem_private_key(rsa_key().encode(), password=None)
    )
    try:
        key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
