"""Who asks: a token, or an address that is this machine's own.

A request without a token is trusted as local only where nothing hints at a tunnel, a
reverse proxy or a web page in between: the peer and the Host are loopback, the peer is no
proxy of ours, no forwarding header is present, HTTP is 1.1 and any page is one of
ALLOWED_ORIGINS. Where a proxy has to be expected, no request is: a plain TCP forward that
writes `Host: 127.0.0.1` hints at nothing.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request

from bot.web.settings import HttpSettings
from core.callers import ADDRESSED_SURFACE, IP, LABEL, Caller, parse_ip, quota_address
from core.contract import loopback
from core.engine import Access
from core.engine.access import HOW_TO_GET_ONE
from core.errors import Forbidden, LedgerError, Unauthorized
from core.ledger import digest
from core.scopes import Read

# The addresses that show what a token reads only by its scope.
READS = {
    "/ops/uptime": Read.LIVE,
    "/metrics": Read.METRICS,
    "/openapi.json": Read.OPENAPI,
    "/api/sign-in": Read.OPEN,
}

HOW_TO_SEND_ONE = "Send Authorization: Bearer with a token from: levqor token new LABEL"

# What proxies and tunnels add; one of these means the peer is not who really asks.
FORWARDING = frozenset({
    "client-ip", "fastly-client-ip", "fly-client-ip", "front-end-https", "proxy-client-ip",
    "true-client-ip", "via", "wl-proxy-client-ip", "x-client-ip", "x-cluster-client-ip", "x-host",
    "x-nf-client-connection-ip", "x-real-ip", "x-real-port", "x-remote-addr", "x-remote-ip",
    "x-scheme", "x-varnish", "x-vercel-forwarded-for",
})  # fmt: skip
# The same, by how their names begin: RFC 7239 and its elders, then vendors' own.
FORWARDING_FAMILIES = (
    "forwarded", "x-forwarded", "x-original-", "cdn-", "cf-", "do-connecting-", "ngrok-",
    "tailscale-", "x-amz", "x-appengine-", "x-arr-", "x-azure-", "x-cloud-trace-", "x-envoy-",
)  # fmt: skip
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+?)\.?)(?::[0-9]*)?")


@dataclass(frozen=True)
class Principal:
    """Who asks over HTTP, and what they may do."""

    access: Access
    address: str  # for the log
    starts: bool = True  # a web page may look but start nothing

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.access.caller

    @classmethod
    def of(cls, request: Request) -> Self:
        """Who asks, as the middleware found out."""
        principal: Self = request.scope["principal"]
        return principal


class Authenticator:
    """Finds out who a request comes from, or rejects it."""

    def __init__(
        self,
        settings: Callable[[], HttpSettings],
        access: Callable[[Caller], Awaitable[Access]],
        exposed: str | None = None,
    ) -> None:
        """`exposed` says why a proxy has to be expected; settings may be edited meanwhile."""
        self._settings = settings
        self._access = access
        self._exposed = exposed

    def refuse_page(self, method: str, headers: Mapping[str, str]) -> None:
        """Raise Forbidden for a web page that is not one of ALLOWED_ORIGINS.

        Pictures, scripts and forms of a page come without an Origin, or may; browsers say
        in Sec-Fetch-Site where they come from (w3.org/TR/fetch-metadata). A link that
        somebody follows shows what is there.
        """
        origin = headers.get("origin")
        if origin is not None:
            foreign = not self.allows(origin)
        else:
            foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
            followed = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
            foreign = foreign and not (method == "GET" and followed == ("navigate", "document"))
        if foreign:
            raise Forbidden(
                "Web pages from that origin may not call Levqor.",
                reason="foreign_origin",
                fix="Whoever runs Levqor can add it to ALLOWED_ORIGINS.",
            )

    def starts(self, headers: Mapping[str, str]) -> bool:
        """Whether a request may start something by a GET: a person or a program asks.

        No page of ours does, so that a page of our own origin is one whose name was bound
        to this address; and a browser may fetch ahead what nobody has asked for yet.
        """
        if self.allows(headers.get("origin", "")):
            return True
        by_itself = "sec-purpose" in headers or "purpose" in headers
        return headers.get("sec-fetch-site", "none") == "none" and not by_itself

    def allows(self, origin: str) -> bool:
        """Whether a page's origin is one of ALLOWED_ORIGINS."""
        return origin.lower() in self._settings().allowed_origins

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        """Tell whom a connection speaks for; X-Forwarded-For is believed of trusted proxies.

        Its entries are read from the right: each proxy appends whom it saw, and whatever stands
        left of the first address we do not trust was written by the caller.
        """
        ip = parse_ip(peer)
        if ip is None:
            return peer
        entries = headers.get("x-forwarded-for", "").split(",")
        while self._trusts(ip) and entries:
            further = parse_ip(_without_port(entries.pop().strip()))
            if further is None:
                break
            ip = further
        return str(ip)

    def _trusts(self, ip: IP) -> bool:
        return any(ip in network for network in self._settings().trusted_proxies)

    def is_proxy(self, peer: str) -> bool:
        """Whether a connection's other end may say how a request came to it."""
        ip = parse_ip(peer)
        return ip is not None and (ip.is_loopback or self._trusts(ip))

    def is_local(self, peer: str, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from this machine, and not through a proxy on it."""
        return self._obstacle(peer, headers, "1.1") in (None, self._exposed)

    async def authenticate(
        self, peer: str, headers: Mapping[str, str], version: str = "1.1"
    ) -> Principal:
        """Tell who asks; headers are by lower-case name. Raises Unauthorized."""
        address = self.address(peer, headers)
        if "authorization" in headers:
            caller = bearer(headers["authorization"])
        else:
            obstacle = self._obstacle(peer, headers, version)
            if obstacle is not None and not self._settings().anonymous:
                raise Unauthorized(
                    f"Levqor needs a token here: {obstacle}.",
                    reason="token_needed",
                    fix=HOW_TO_SEND_ONE,
                )
            caller = Caller(ADDRESSED_SURFACE, quota_address(address), known=False)
        try:
            return Principal(await self._access(caller), address, self.starts(headers))
        except LedgerError as error:
            if self._obstacle(peer, headers, version) is None:
                raise
            # Who it is cannot be told now.
            raise to_a_stranger(error) from None

    def _obstacle(self, peer: str, headers: Mapping[str, str], version: str) -> str | None:
        """Say why a request without a token is not trusted as local; None where it is."""
        ip = parse_ip(peer)
        if ip is None or not ip.is_loopback:
            return "the request comes from another machine"
        # nginx, told nothing but where to pass requests on, says so in no header and writes
        # its own Host. Before 1.29.7 it spoke HTTP/1.0; since then only
        # LEVQOR_TRUSTED_PROXIES tells it from a caller on this machine.
        if self._trusts(ip) or any(map(_forwarding, headers)):
            return "the request comes through a proxy"
        if version != "1.1":
            return f"the request is HTTP/{version}, as proxies send it, and not HTTP/1.1"
        host = _HOST.fullmatch(headers.get("host", "").lower())
        # An IPv6 address comes without its brackets, either without its port.
        if host is None or not loopback(host[1] or host[2]):
            return "the request names another host than this machine"
        return self._exposed


def to_a_stranger(error: LedgerError) -> LedgerError:
    """The same without our folders, which a stranger need not know of."""
    return LedgerError(
        fix="Try again later, or tell whoever runs Levqor.",
        reason=error.reason,
        retry_after=error.retry_after,
    )


def bearer(authorization: str) -> Caller:
    """Read who a token says it is; whether it is one, the ledger knows."""
    scheme, _, secret = authorization.partition(" ")
    token = secret.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(
            "The Authorization header holds no Bearer token.",
            reason="token_needed",
            fix=HOW_TO_SEND_ONE,
        )
    parts = token.split("_", 2)
    label = parts[1] if len(parts) == 3 else ""
    if not LABEL.fullmatch(label):
        raise Unauthorized(reason="token_refused", fix=HOW_TO_GET_ONE)
    return Caller(ADDRESSED_SURFACE, label, credential=digest(token))


def _forwarding(header: str) -> bool:
    """Whether a header, its name in lower case, is one that proxies and tunnels add."""
    name = header.replace("_", "-")
    return name in FORWARDING or name.startswith(FORWARDING_FAMILIES)


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
