"""urllib3's pools, set up so that nothing happens behind our back.

No redirects, no cookies, no .netrc, no retries; proxies and certificates as the
environment says, but never a proxy for this computer itself.
"""

import re
import ssl
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import certifi
from urllib3 import PoolManager, ProxyManager
from urllib3.util import Url, create_urllib3_context, make_headers, parse_url

from core.network import NoRoute
from core.outbound.cache import SingleFlightCache
from core.outbound.connection import POOLS
from core.outbound.response import RawAnswer
from core.settings.source import network

# Reading the environment costs more than a request to a neighbour; a changed proxy or
# certificate is noticed after this long.
ROUTE_SECONDS = 5.0
_POOLS = 16
# An address that is used as it is, and what of it is asked for.
_PLAIN = re.compile(
    r"(https?://[\w.:\[\]-]+)"
    r"(/(?!\.)(?:[\w~!$&'()*+,;=:@-]|/(?!\.)|(?<!/)\.)*(?:\?[\w.~!$&'()*+,;=:@/?-]*)?)",
    re.ASCII,
)


class Route(NamedTuple):
    """How a host is reached: through which proxy, trusting whose certificates."""

    proxy: str | None
    bundle: str


class Routes:
    """What the environment says of each host, remembered for some seconds."""

    def __init__(self, seconds: float = ROUTE_SECONDS) -> None:
        self._seconds = seconds
        self._cache = SingleFlightCache()

    def to(self, url: str) -> Route:
        """Find the route to a URL; raises NoRoute where certificates or proxy are of no use."""
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        return self._cache.get(key, lambda: (_read(url), self._seconds), wait=self._seconds)


def _read(url: str) -> Route:
    environment = network()
    proxy = environment.proxy(url)
    # Over plain http, which leads to this computer alone, nobody is trusted.
    bundle = environment.certificates() if url.startswith("https:") else None
    return Route(proxy.url if proxy else None, bundle or certifi.where())


class Session:
    """One thread's connections: pools of such as can be watched, straight and by each proxy."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[str, int], ssl.SSLContext] = {}
        self._managers: dict[str | None, PoolManager] = {}
        self._pools: dict[Hashable, tuple[Url, Any]] = {}

    def close(self) -> None:
        """Shut idle connections."""
        self._pools = {}
        for manager in list(self._managers.values()):
            manager.clear()

    def _manager(self, proxy: str | None) -> PoolManager:
        """The pools of the connections that lead through a proxy, or through none."""
        if (manager := self._managers.get(proxy)) is None:
            manager = self._managers[proxy] = self._made(proxy)
            manager.pool_classes_by_scheme = POOLS
        return manager

    def _made(self, proxy: str | None) -> PoolManager:
        sizes: Any = {"num_pools": _POOLS, "maxsize": 1}
        if proxy is None:
            return PoolManager(**sizes)
        parts = urlsplit(proxy)
        name, word = (part and unquote(part) for part in (parts.username, parts.password))
        if parts.scheme.startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(proxy, name, word, **sizes)
        headers = make_headers(proxy_basic_auth=f"{name}:{word or ''}") if name else None
        # An https one is trusted as the service behind it is.
        trusted = next(iter(self._contexts.values()), None)
        return ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=trusted, **sizes)

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        route: Route,
        seconds: float,
    ) -> RawAnswer:
        """Send one request and read its answer."""
        origin, target = _parted(url)
        at, pool = self._pool(origin, route)
        more = dict(headers)
        if params:
            target += f"{'&' if '?' in target else '?'}{urlencode(params)}"
        if pool.proxy and at.scheme != "https":
            target = f"{at.scheme}://{at.netloc}{target}"
            more |= pool.proxy_headers
        if isinstance(data, Mapping):
            more["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(data).encode()
        if data is not None:
            more["Content-Length"] = str(len(data))
        # A folded header is read as two by some servers.
        if any("\n" in value or "\r" in value for value in more.values()):
            raise ValueError
        head = {"Host": at.netloc or "", **more}
        answer: RawAnswer = pool.exchange(method, target, head, data, seconds)
        return answer

    def _pool(self, origin: str, route: Route) -> tuple[Url, Any]:
        """A host's address and its connections; urllib3 takes long to look either up."""
        secure = origin.startswith("https:")
        options = {"ssl_context": self._context(route.bundle)} if secure else {}
        key = (origin, route.proxy, *options.values())
        known = self._pools.get(key)
        if known is None:
            at, manager = parse_url(origin), self._manager(route.proxy)
            pool = manager.connection_from_host(at.host, at.port, at.scheme, options)
            # What nobody holds any more closes its connections: here and in the manager.
            if len(self._pools) == _POOLS:
                del self._pools[next(iter(self._pools))]
            known = self._pools[key] = at, pool
        return known

    def _context(self, bundle: str) -> ssl.SSLContext:
        # Loading a bundle takes 20 ms and more; urllib3 would do it for each connection.
        # One context a thread, not one in all: urllib3 writes to it while connecting.
        key = (bundle, Path(bundle).stat().st_mtime_ns)
        context = self._contexts.get(key)
        if context is None:
            context = _context(bundle)
            self._contexts = {key: context}
            self._managers, self._pools = {None: self._manager(None)}, {}
        return context


def _parted(url: str) -> tuple[str, str]:
    """Where a URL leads, and what is asked for there; raises ValueError."""
    if plain := _PLAIN.fullmatch(url):
        return plain[1], plain[2]
    at = parse_url(url)
    if not at.scheme or not at.host:
        raise ValueError
    return f"{at.scheme}://{at.netloc}", at.request_uri


def _context(bundle: str) -> ssl.SSLContext:
    context = create_urllib3_context()
    folder = Path(bundle).is_dir()
    try:
        context.load_verify_locations(*((None, bundle) if folder else (bundle, None)))
    except OSError:  # ssl.SSLError is one
        raise NoRoute("ca_missing", "REQUESTS_CA_BUNDLE") from None
    return context
