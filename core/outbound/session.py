"""requests, set up so that nothing happens behind our back.

No redirects, no cookies, no .netrc, no retries; proxies and certificates as the
environment says, but never a proxy for this computer itself.
"""

import ssl
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.util import create_urllib3_context

from core.network import NoRoute
from core.outbound.cache import SingleFlightCache
from core.outbound.connection import POOLS
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
    """One thread's connections: requests' transport over those that can be watched."""

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

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Name the pool of a request, with the certificates it trusts."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context(verify)} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the pool's context holds the certificates."""

    def exchange(
        self, request: requests.Request, *, route: Route, seconds: float
    ) -> requests.Response:
        """Send one request, wait for the head of its answer and leave its body unread."""
        prepared = requests.PreparedRequest()  # not request.prepare(): cookies take the longest
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url, request.params or None)
        prepared.prepare_headers(request.headers)
        if isinstance(request.data, bytes):
            # Whether it is a stream or a file takes requests longer to find out than all the rest.
            prepared.body = request.data
            prepared.headers["Content-Length"] = str(len(request.data))
        else:
            prepared.prepare_body(request.data, None)
        proxies = {"all": route.proxy} if route.proxy else {}
        return self.send(
            prepared, stream=True, timeout=seconds, verify=route.bundle, proxies=proxies
        )

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
