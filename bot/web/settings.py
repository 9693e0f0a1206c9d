"""The HTTP interface's settings: where it listens, and whom it believes."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict

from core.contract import BaseUrl, Config, setting
from core.settings import Address, items

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# No "*": an allowed origin may also speak as the loopback caller.
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
# Browsers leave it out of what they say of a page.
_OWN_PORT = re.compile(r"(?<=^https:)(//.+):443$|(?<=^http:)(//.+):80$")


# Where a run was asked for that a page sent.
PAGES = "web"
# How the interface says that it serves, before its address.
LISTENING = "listening on "


def flag(text: str) -> bool:
    """Read yes or no."""
    word = text.lower()
    if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError("must be 1 or 0")
    return word in ("1", "true", "yes", "on")


def networks(text: str) -> tuple[Network, ...]:
    """Read a comma-separated list of addresses and networks."""
    try:
        return tuple(ipaddress.ip_network(item, strict=False) for item in items(text))
    except ValueError:
        raise ValueError(
            "must be addresses or networks with commas between, e.g. 10.0.0.1, 192.168.0.0/24"
        ) from None


def origins(text: str) -> tuple[str, ...]:
    """Read a comma-separated list of web origins."""
    listed = tuple(map(_as_browsers_write_it, items(text)))
    if not all(_ORIGIN.fullmatch(item) for item in listed):
        raise ValueError(
            "must be origins with commas between, each in full, e.g. https://team.example.com"
        )
    return listed


def public_address(text: str) -> str:
    """Take the console's address as people see it: an origin alone."""
    if urlsplit(text).path:
        raise ValueError("must have no path: the console needs a host name of its own")
    return _as_browsers_write_it(text)


def _as_browsers_write_it(origin: str) -> str:
    return _OWN_PORT.sub(r"\1\2", origin.rstrip("/").lower())


_Address = Annotated[Address, BeforeValidator(Address.parse)]
_Flag = Annotated[bool, BeforeValidator(flag)]
_Networks = Annotated[tuple[Network, ...], BeforeValidator(networks)]
_Origins = Annotated[tuple[str, ...], BeforeValidator(origins)]
_Public = Annotated[BaseUrl, AfterValidator(public_address)]


class HttpSettings(Config):
    """What the interface reads."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    address: _Address = setting(
        "LEVQOR_HTTP",
        "Where the HTTP interface listens",
        "HOST:PORT; keep 127.0.0.1 unless a proxy is in front of it",
        default="127.0.0.1:8787",
    )
    anonymous: _Flag = setting(
        "LEVQOR_HTTP_ANONYMOUS",
        "Whether HTTP requests from anywhere need no token",
        "1 or 0; leave it 0 where anybody but you can reach the address",
        default="0",
    )
    trusted_proxies: _Networks = setting(
        "LEVQOR_TRUSTED_PROXIES",
        "Proxies whose X-Forwarded-For is believed",
        "their addresses or networks with commas between",
        default="",
        example="10.0.0.1",
    )
    allowed_origins: _Origins = setting(
        "ALLOWED_ORIGINS",
        "Web pages that may call the HTTP interface",
        "their origins with commas between",
        default="",
        example="https://team.example.com",
    )
    public_url: _Public | None = setting(
        "LEVQOR_PUBLIC_URL",
        "Where people reach the web console",
        "the address of the proxy with https before it; unset, the console is for this machine",
        example="https://levqor.example.com",
    )


def console_address(own: HttpSettings, verdict: str) -> str:
    """Where people reach the web console: LEVQOR_PUBLIC_URL, else the address that is served."""
    here = verdict.removeprefix(LISTENING)
    # Every address of this machine is no address to open.
    here = here.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return own.public_url or here
