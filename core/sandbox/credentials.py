"""Made-up credentials of the right shape, the same on every start.

They are built here rather than written down: a scanner would take them for real ones.
"""

import hashlib
import json
from functools import cache

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MIXED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def letters(name: str, length: int, alphabet: str = _MIXED) -> str:
    """Letters and digits that depend on nothing but `name`."""
    digest = hashlib.shake_256(f"levqor sandbox {name}".encode()).digest(length)
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)


def upper(name: str, length: int) -> str:
    """Capital letters and digits, as Slack's ids are."""
    return letters(name, length, _UPPER)


def uuid(name: str) -> str:
    """A UUID in its dashed form."""
    text = hashlib.sha256(f"levqor sandbox {name}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


@cache
def rsa_key() -> str:
    """A new RSA key as PEM (PKCS 8), made once in a process: it takes about 0.1 s."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def service_account(token_uri: str) -> str:
    """A Google service account's key file, as one line of JSON."""
    account = {
        "type": "service_account",
        "project_id": "levqor-sandbox",
        "private_key_id": letters("key id", 40, "0123456789abcdef"),
        "private_key": rsa_key(),
        "client_email": SERVICE_ACCOUNT,
        "client_id": "7" + letters("client id", 20, "0123456789"),
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }
    return json.dumps(account)


SERVICE_ACCOUNT = "levqor@levqor-sandbox.iam.gserviceaccount.com"
