"""requests, set up so that nothing happens behind our back.

No redirects, no cookies, no .netrc, no retries; proxies and certificates as the
environment says, but never a proxy for this computer itself.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.util import create_urllib3_context, parse_url

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
    return Route(proxy.url if proxy else None, bundle or DEFAULT_CA_BUNDLE_PATH)


class Session(HTTPAdapter):
    """One thread's connections: requests' pools, of connections that can be watched."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[str, int], ssl.SSLContext] = {}
        super().__init__(pool_connections=16, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of one proxy's connections."""
        if proxy.startswith("https:"):
            # It is trusted as the service behind it is.
            kwargs["proxy_ssl_context"] = next(iter(self._contexts.values()), None)
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

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
        """Send one request and read its answer, past requests' own way to its pools."""
        address = parse_url(url)
        secure = address.scheme == "https"
        options = {"ssl_context": self._context(route.bundle)} if secure else {}
        manager = self.proxy_manager_for(route.proxy) if route.proxy else self.poolmanager
        pool = manager.connection_from_host(address.host, address.port, address.scheme, options)
        target, more = address.request_uri, dict(headers)
        if params:
            target += f"{'&' if address.query else '?'}{urlencode(params)}"
        if pool.proxy and not secure:
            target = f"{address.scheme}://{address.netloc}{target}"
            more |= pool.proxy_headers
        if isinstance(data, Mapping):
            more["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(data).encode()
        if data is not None:
            more["Content-Length"] = str(len(data))
        # A folded header is read as two by some servers.
        folded = any("\n" in value or "\r" in value for value in more.values())
        if folded or not address.scheme:
            raise ValueError
        head = {"Host": address.netloc or "", **more}
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
            self.proxy_manager.clear()
        return context


def _context(bundle: str) -> ssl.SSLContext:
    context = create_urllib3_context()
    folder = Path(bundle).is_dir()
    try:
        context.load_verify_locations(*((None, bundle) if folder else (bundle, None)))
    except OSError:  # ssl.SSLError is one
        raise NoRoute("ca_missing", "REQUESTS_CA_BUNDLE") from None
    return context
