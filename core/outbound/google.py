"""Google access tokens for service accounts: google-auth signs, our own client sends."""

import time
from collections.abc import Mapping
from typing import Any, cast

from core.contract.http import AnswerModel, Explain, HttpClient

# https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
_AUDIENCE = "https://oauth2.googleapis.com/token"
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS = 3600
# A token is not used in its last minute: a request takes time, and clocks differ.
_MARGIN_SECONDS = 60.0


class _Token(AnswerModel):
    access_token: str
    expires_in: int = 3600


def exchange(
    info: Mapping[str, Any], scope: str, http: HttpClient, explain: Explain
) -> tuple[str, float]:
    """Exchange a signed assertion for an access token and the seconds it may be used.

    Raises what `http` raises, what `explain` makes of an answer that holds no token, and
    ValueError where the private key cannot be read.
    """
    from google.auth import crypt, jwt

    now = int(time.time())
    claims = {"iss": info["client_email"], "scope": scope, "aud": _AUDIENCE}
    claims |= {"iat": now, "exp": now + _ASSERTION_SECONDS}
    encode, signer = cast("Any", jwt.encode), cast("Any", crypt.RSASigner)  # neither is typed
    assertion = encode(signer.from_service_account_info(info), claims).decode()
    form = {"grant_type": _GRANT_TYPE, "assertion": assertion}
    answer = http.post(info["token_uri"], form=form, effect="none")
    token = answer.success(_Token)
    if token is None:
        raise explain(answer)
    return token.access_token, token.expires_in - _MARGIN_SECONDS
