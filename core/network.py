"""Which proxy and whose certificates lead to an address, as the environment says.

Every HTTP client of every program asks here and is kept from looking for itself: each library
reads these variables in a way of its own, and some of them fail at what others take.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import urllib.request
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

Reason = Literal["proxy_unusable", "ca_missing"]

# What a proxy may speak, with the port where none is named. Names are always looked up by a
# SOCKS proxy itself, as socks5h says: two of three libraries know no other way.
_PORTS = {"http": 80, "https": 443, "socks5h": 1080}
_SAME = {"socks": "socks5h", "socks5": "socks5h"}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
_SPARED = re.compile(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5}))?")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_WORDS: dict[Reason, tuple[str, str]] = {
    "proxy_unusable": (
        "{name} names a proxy that Levqor cannot use",
        "Write {name} as http://HOST:PORT or socks5h://HOST:PORT, or take it out.",
    ),
    "ca_missing": (
        "{name} names certificates that cannot be read",
        "Correct {name}, or take it out.",
    ),
}


class NoRoute(Exception):
    """The environment leaves no way there: `words` say which variable, `fix` what to do.

    `words` end without a full stop. Neither holds the variable's value, which may be secret.
    """

    def __init__(self, reason: Reason, name: str) -> None:
        self.reason = reason
        self.words, self.fix = (text.format(name=name) for text in _WORDS[reason])
        super().__init__(self.words)


@dataclass(frozen=True)
class Proxy:
    """A proxy, read and checked."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Read a proxy's address, http where it names no scheme; raises ValueError."""
        parts = urlsplit(text if "://" in text else f"http://{text}")
        scheme, host, port = _SAME.get(parts.scheme, parts.scheme), parts.hostname or "", parts.port
        fits = _HOST.fullmatch(host) or _address(host)
        if scheme not in _PORTS or not fits or port == 0 or parts.query or parts.fragment:
            raise ValueError("not a proxy's address")
        if parts.username is None:
            return cls(scheme, host, port or _PORTS[scheme])
        user, password = unquote(parts.username), unquote(parts.password or "")
        # SOCKS writes the length into one byte; a line break would end a header.
        if any(len(each.encode()) > 255 or not each.isprintable() for each in (user, password)):
            raise ValueError("not a name or password")
        return cls(scheme, host, port or _PORTS[scheme], user, password)

    @property
    def socks(self) -> bool:
        """Whether it speaks SOCKS."""
        return self.scheme == "socks5h"

    @property
    def url(self) -> str:
        """The same as every library reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        who = ""
        if self.user is not None:
            who = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}@"
        return f"{self.scheme}://{who}{host}:{self.port}"


class Network:
    """What an environment says of proxies and certificates."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        self._proxies = {name: _either_case(environ, name) for name in names}
        self._of_the_system = not any(text for _, text in self._proxies.values())
        self._ca_name = next((name for name in _CERTIFICATES if environ.get(name)), "")
        self._ca_path = environ.get(self._ca_name)

    @property
    def names(self) -> list[str]:
        """The variables that say something."""
        named = [name for name, text in self._proxies.values() if text]
        return [*named, *([self._ca_name] if self._ca_name else [])]

    def proxy(self, url: str) -> Proxy | None:
        """The proxy on the way to an address; none to this computer. Raises NoRoute."""
        parts = urlsplit(url)
        scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
        host = (parts.hostname or "").rstrip(".").lower()
        if loopback(host) or host.endswith(".localhost"):
            return None
        if self._of_the_system:
            return _of_the_system(scheme, host)
        _, spared = self._proxies["no_proxy"]
        port = parts.port or _PORTS.get(scheme, 0)
        if any(_spares(entry, host, port) for entry in re.split(r"[,\s]+", spared)):
            return None
        for name in (f"{scheme}_proxy", "all_proxy"):
            spelt, text = self._proxies.get(name, (name, ""))
            if text:
                return _read(spelt, text)
        return None

    def certificates(self) -> str | None:
        """The file or folder of trusted certificates, if one is named. Raises NoRoute."""
        if self._ca_path and not os.access(self._ca_path, os.R_OK):
            raise NoRoute("ca_missing", self._ca_name)
        return self._ca_path

    def context(self) -> ssl.SSLContext | None:
        """A context that trusts what is named and nobody else, if it is. Raises NoRoute."""
        path = self.certificates()
        if path is None:
            return None
        try:
            if Path(path).is_dir():
                return ssl.create_default_context(capath=path)
            return ssl.create_default_context(cafile=path)
        except OSError:  # ssl.SSLError is one
            raise NoRoute("ca_missing", self._ca_name) from None


def loopback(host: str | None) -> bool:
    """Whether a host's name or address can only be this computer."""
    address = _address(host or "")
    return host == "localhost" or (address is not None and address.is_loopback)


def drop_key_log(environ: MutableMapping[str, str]) -> str | None:
    """Take SSLKEYLOGFILE out where it cannot be written; a sentence where that was so.

    Every TLS context of this process would fail at it, aiohttp's when it is imported.
    """
    path = environ.get("SSLKEYLOGFILE")
    if not path:
        return None
    try:
        with Path(os.path.expandvars(path)).open("ab"):
            return None
    except OSError:
        del environ["SSLKEYLOGFILE"]
    return "SSLKEYLOGFILE names a file that cannot be written; it is ignored."


def _either_case(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    # As everywhere: the small letters count, also where they say "none".
    spelt = name if name in environ else name.upper()
    return spelt, environ.get(spelt, "").strip()


def _read(name: str, text: str) -> Proxy:
    try:
        return Proxy.parse(text)
    except ValueError:
        raise NoRoute("proxy_unusable", name) from None


def _spares(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY fits: a name with all below it, an address, a network."""
    if entry == "*":
        return True
    match = _SPARED.fullmatch(entry.lower())
    name = match and (match[1] or match[2] or "")
    if match is None:
        name = entry  # an IPv6 address or network without brackets
    elif match[3] and int(match[3]) != port:
        return False
    if not name:
        return False
    address = _address(host)
    try:
        network = ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    return address is not None and address in network


def _of_the_system(scheme: str, host: str) -> Proxy | None:
    # macOS and Windows keep proxies outside of the environment as well.
    for kind in ("macosx_sysconf", "registry"):
        found: dict[str, str] = getattr(urllib.request, f"getproxies_{kind}", dict)()
        if text := found.get(scheme):  # pragma: no cover - no other system has one
            spared = getattr(urllib.request, f"proxy_bypass_{kind}")(host)
            return None if spared else _read("The system's proxy setting", text)
    return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
