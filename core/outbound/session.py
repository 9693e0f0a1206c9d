"""urllib3's pools, set up so that nothing happens behind our back.

No redirects, no cookies, no .netrc, no retries; proxies and certificates as the
environment says, but never a proxy for this computer itself.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import certifi
from urllib3 import PoolManager, ProxyManager
from urllib3.util import create_urllib3_context, make_headers, parse_url

from core.network import NoRoute
from core.outbound.cache import SingleFlightCache
from core.outbound.connection import POOLS, RawAnswer
from core.settings.source import network

# Reading the environment costs more than a request to a neighbour; a changed proxy or
# certificate is noticed after this long.
ROUTE_SECONDS = 5.0


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

    def close(self) -> None:
        """Shut idle connections."""
        for manager in list(self._managers.values()):
            manager.clear()

    def _manager(self, proxy: str | None) -> PoolManager:
        """The pools of the connections that lead through a proxy, or through none."""
        if (manager := self._managers.get(proxy)) is None:
            manager = self._managers[proxy] = self._pools(proxy)
            manager.pool_classes_by_scheme = POOLS
        return manager

    def _pools(self, proxy: str | None) -> PoolManager:
        sizes: Any = {"num_pools": 16, "maxsize": 1}
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
        at = parse_url(url)
        secure = at.scheme == "https"
        options = {"ssl_context": self._context(route.bundle)} if secure else {}
        manager = self._manager(route.proxy)
        pool: Any = manager.connection_from_host(at.host, at.port, at.scheme, options)
        target, more = at.request_uri, dict(headers)
        if params:
            target += f"{'&' if at.query else '?'}{urlencode(params)}"
        if pool.proxy and not secure:
            target = f"{at.scheme}://{at.netloc}{target}"
            more |= pool.proxy_headers
        if isinstance(data, Mapping):
            more["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(data).encode()
        if data is not None:
            more["Content-Length"] = str(len(data))
        # A folded header is read as two by some servers.
        folded = any("\n" in value or "\r" in value for value in more.values())
        if folded or not at.scheme:
            raise ValueError
        head = {"Host": at.netloc or "", **more}
        answer: RawAnswer = pool.exchange(method, target, head, data, seconds)
        return answer

    def _context(self, bundle: str) -> ssl.SSLContext:
        # Loading a bundle takes 20 ms and more; urllib3 would do it for each connection.
        # One context a thread, not one in all: urllib3 writes to it while connecting.
        key = (bundle, Path(bundle).stat().st_mtime_ns)
        context = self._contexts.get(key)
        if context is None:
            context = _context(bundle)
            self._contexts = {key: context}
            self._managers = {None: self._manager(None)}
        return context


def _context(bundle: str) -> ssl.SSLContext:
    context = create_urllib3_context()
    folder = Path(bundle).is_dir()
    try:
        context.load_verify_locations(*((None, bundle) if folder else (bundle, None)))
    except OSError:  # ssl.SSLError is one
        raise NoRoute("ca_missing", "REQUESTS_CA_BUNDLE") from None
    return context
