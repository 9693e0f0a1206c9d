"""The remote source: another machine's Levqor over HTTP, with a token.

Certificates are always checked and redirects never followed: the token goes to the address
the person named and nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from core.network import NoRoute, loopback
from tray.source import Pairing, SourceError, reading
from tray.state import Missing, SourceFault, SourceInfo, TestResult

if TYPE_CHECKING:
    from pathlib import Path

    from core.network import Network
    from tray.state import Connector, Health, Run

CONNECT_S, HEALTH_S, TEST_S = 5.0, 40.0, 170.0
# A health report is a few kilobytes; a page that never ends must not fill the memory.
_MOST = 1024 * 1024


class Remote:
    """A Levqor elsewhere. Raises ValueError where the address would show the token to others."""

    settings_file: Path | None = None
    log_folder: Path | None = None

    def __init__(self, url: str, token: str | None, network: Network) -> None:
        parts = _address(url)
        if parts.scheme == "http" and not loopback(parts.hostname):
            raise ValueError("--remote must be https: over http anybody could read the token")
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("LEVQOR_REMOTE_TOKEN holds what is in no token: copy it again")
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # Else a .netrc could replace the token, and a proxy read it on its way to this computer.
        self._session.trust_env = False
        self._session.auth = _Bearer(token)
        self._network = network
        self._host = parts.netloc
        self._known: tuple[Connector, ...] = ()
        self.about = SourceInfo(f"Levqor at {parts.netloc}", remote=True, pairs=False)

    def health(self) -> Health:
        """Ask for a live report; raises SourceError."""
        body = self._ask("GET", "/actions/health?live=1", HEALTH_S)
        try:
            found = reading.health(body, time.time())
        except ValueError:
            raise SourceError(self._strange()) from None
        self._known = found.connectors
        return found

    def runs(self) -> tuple[Run, ...]:
        """Each connector's newest runs, as the last health report told them."""
        known = ((one.last_success, one.last_failure) for one in self._known)
        return tuple(run for pair in known for run in pair if run)

    def test(self, action: str) -> TestResult:
        """Send an action's sample through the remote engine."""
        try:
            _, body = self._call("POST", f"/actions/{quote(action)}?test=1", TEST_S)
            return reading.test_result(action, body, time.time(), self.about.test_gap)
        except SourceError as error:
            return reading.unanswered(action, error, time.time())
        except ValueError:
            # A proxy's page, for instance: what stands behind it may have sent it all the same.
            return reading.unanswered(action, SourceError(self._strange()), time.time())

    def pair(self) -> Pairing:
        """Refuse: a code is made where the bot runs."""
        raise SourceError(
            SourceFault(
                Missing.STRANGE,
                "A phone is paired on the machine that runs the bot",
                "Run levqor pair there.",
            )
        )

    def stamp(self) -> object:
        """Nothing: the settings are the remote's own."""
        return None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, path: str, seconds: float) -> dict[str, Any]:
        status, body = self._call(method, path, seconds)
        if status in (401, 403):
            fix = "Put a valid token into LEVQOR_REMOTE_TOKEN; make one there: levqor token new"
            raise SourceError(SourceFault(Missing.TOKEN, f"{self._host} refuses the token", fix))
        if status >= 500 and body.get("error") == "ledger_error":
            said = str(body.get("message") or "The ledger there cannot be used")
            raise SourceError(SourceFault(Missing.LEDGER, said, str(body.get("fix") or "")))
        if status != 200:
            raise SourceError(self._strange())
        return body

    def _call(self, method: str, path: str, seconds: float) -> tuple[int, dict[str, Any]]:
        deadline = time.monotonic() + seconds
        proxy, certificates = self._route()
        try:
            with self._session.request(
                method,
                self._url + path,
                timeout=(CONNECT_S, seconds),
                proxies={"all": proxy} if proxy else None,
                verify=certificates or True,
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code, self._body(answer, deadline)
        except requests.exceptions.SSLError as problem:
            raise self._insecure(problem) from None
        except (requests.RequestException, OSError) as problem:
            fix = f"See that Levqor runs at {self._host} and that this computer reaches it."
            words = f"{self._host} cannot be reached"
            if isinstance(problem, requests.exceptions.ProxyError):
                fix = (
                    "Check HTTPS_PROXY (or ALL_PROXY), its name and password, or list the host in "
                    "NO_PROXY."
                )
                words += " through the proxy"
            trouble = SourceFault(Missing.UNREACHABLE, words, fix)
            raise SourceError(trouble, before_it_left=_never_connected(problem)) from None

    def _route(self) -> tuple[str | None, str | None]:
        """The proxy and the certificates on the way; raises SourceError."""
        try:
            proxy = self._network.proxy(self._url)
            # Whether they can be read at all: requests blames the other side.
            named = self._url.startswith("https:") and self._network.context() is not None
            certificates = self._network.certificates() if named else None
        except NoRoute as problem:
            trouble = SourceFault(Missing.UNREACHABLE, problem.words, problem.fix)
            raise SourceError(trouble, before_it_left=True) from None
        return (proxy.url if proxy else None), certificates

    def _insecure(self, problem: requests.exceptions.SSLError) -> SourceError:
        if _is_certificate(problem):
            fix = "Have its certificate put right; Levqor never goes on without."
            words = f"The certificate of {self._host} is not valid"
            return SourceError(SourceFault(Missing.CERTIFICATE, words, fix), before_it_left=True)
        fix = "See that the address and its port are those where Levqor answers over https."
        words = f"{self._host} does not speak https"
        return SourceError(SourceFault(Missing.STRANGE, words, fix))

    def _body(self, answer: requests.Response, deadline: float) -> dict[str, Any]:
        # requests' own time-out starts anew with every byte: a drip would hold us for ever.
        read = b""
        for piece in answer.iter_content(8192):
            read += piece
            if len(read) > _MOST or time.monotonic() > deadline:
                raise SourceError(self._strange())
        try:
            body = json.loads(read)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def _strange(self) -> SourceFault:
        fix = "See that the address is Levqor's own, of the same version as this tray."
        words = f"{self._host} answers, but not as Levqor does"
        return SourceFault(Missing.STRANGE, words, fix)


def _address(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        # Reading the port checks it.
        more = parts.username or parts.query or parts.fragment or parts.port == 0
        if parts.scheme in ("http", "https") and parts.hostname and not more:
            return parts
    raise ValueError("--remote takes an address like https://levqor.example.com")


def _is_certificate(problem: requests.exceptions.SSLError) -> bool:
    """Whether the certificate was refused; other TLS errors come after that too."""
    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    cause = reason.args[0] if reason is not None and reason.args else None
    # Of all TLS errors only a certificate's, Python's and urllib3's own, are ValueErrors.
    return isinstance(cause, ValueError)


def _never_connected(problem: Exception) -> bool:
    """Whether the request surely did not leave: no connection came up for it."""
    early = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
    if isinstance(problem, early):
        return True
    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
