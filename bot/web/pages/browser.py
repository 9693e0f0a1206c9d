"""What a browser must bring before a page is shown: a safe way here, a session, an Origin."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import cookie_parser

from bot.web.authentication import Authenticator
from bot.web.settings import HttpSettings
from core.errors import Forbidden

# Cookies are not told apart by port: whatever else listens on this machine may be sent ours.
LOCAL_SECONDS, SECONDS = 3600.0, 12 * 3600.0
# By what each browser says of itself; most also say that they are those further down.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrom", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Windows", "Windows"),
    ("Mac OS X", "a Mac"), ("Linux", "Linux"),
)  # fmt: skip
_PORT = re.compile(r":[0-9]*\Z")


@dataclass(frozen=True)
class Site:
    """Where a browser sees the console: its origin, `https://levqor.example.com`."""

    origin: str

    @property
    def secure(self) -> bool:
        """Whether it is reached by https."""
        return self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return "__Host-levqor" if self.secure else "levqor"

    @property
    def seconds(self) -> float:
        """How long a session lasts."""
        return SECONDS if self.secure else LOCAL_SECONDS

    def secret(self, headers: Mapping[str, str]) -> str | None:
        """The session's secret that a browser sent."""
        # Python's own reader stops at a cookie of another program that it does not like.
        return cookie_parser(headers.get("cookie", "")).get(self.cookie)

    def set_cookie(self, secret: str) -> str:
        """The header that keeps a session's secret, or with an empty one forgets it."""
        seconds = round(self.seconds) if secret else 0
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Raise Forbidden for a form that was not on one of our pages."""
        if headers.get("origin", "").lower() != self.origin:
            raise Forbidden(
                "This form was not sent from Levqor's own page; nothing was done.",
                reason="foreign_origin",
                fix="Open the page anew and send it again.",
            )


def described(headers: Mapping[str, str]) -> str:
    """Say which browser sent a request: no word of its own, for those are anybody's to choose."""
    agent = headers.get("user-agent", "")
    name = next((name for mark, name in _BROWSERS if mark in agent), "an unknown browser")
    system = next((f" on {name}" for mark, name in _SYSTEMS if mark in agent), "")
    return f"{name}{system}"


def site(
    settings: HttpSettings, authenticator: Authenticator, peer: str, headers: Mapping[str, str]
) -> Site:
    """Say where a browser sees the console; raises Forbidden where its way here is not safe.

    On this machine plain http is; from elsewhere it is https alone, through a proxy that says so,
    under the name in LEVQOR_PUBLIC_URL: any other name may be a stranger's for this address.
    """
    host = headers.get("host", "").lower()
    if authenticator.is_local(peer, headers):
        return Site(f"http://{host}")
    if settings.public_url is None:
        raise Forbidden(
            "The web console is shown on this machine, and elsewhere by https alone.",
            fix="Whoever runs Levqor: put a proxy with https before it, and set LEVQOR_PUBLIC_URL.",
            reason="console_not_public",
        )
    public = urlsplit(settings.public_url)
    # A port that nobody wrote, or that a proxy left out: a page's own Origin has it right.
    if _PORT.sub("", host) != _PORT.sub("", public.netloc):
        raise Forbidden(
            "The web console has another address.",
            fix=f"Open {settings.public_url}",
            reason="console_elsewhere",
        )
    if not (authenticator.is_proxy(peer) and headers.get("x-forwarded-proto") == public.scheme):
        raise Forbidden(
            "The web console is shown by https alone.",
            fix=f"Open {settings.public_url}. Whoever runs Levqor: the proxy must be in "
            "LEVQOR_TRUSTED_PROXIES or on this machine, and send X-Forwarded-Proto.",
            reason="console_not_secure",
        )
    return Site(settings.public_url)
