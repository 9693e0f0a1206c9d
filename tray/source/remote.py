"""The remote source: another machine's Levqor over HTTP, with a token.

Certificates are always checked and redirects never followed: the token goes to the address
the person named and nowhere else.
"""

import contextlib
import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from core.network import Network, NoRoute, loopback
from tray.source import OWN_RUNS, Pairing, SourceError, reading
from tray.state import Connector, Health, Run, SourceInfo, TestResult

CONNECT_S, HEALTH_S, TEST_S, ASK_S = 5.0, 40.0, 170.0, 20.0
# A health report is a few kilobytes; a page that never ends must not fill the memory.
_MOST = 1024 * 1024


class Remote:
    """A Levqor elsewhere. Raises ValueError where the address would show the token to others."""

    def __init__(self, url: str, token: str | None, network: Network) -> None:
        parts = _address(url)
        if parts.scheme == "http" and not loopback(parts.hostname):
            raise ValueError("--remote must be https: over http anybody could read the token")
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("LEVQOR_REMOTE_TOKEN has characters that no token has: copy it again")
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # Else a .netrc could replace the token, and a proxy read it on its way to this computer.
        self._session.trust_env = False
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._network = network
        self._host, self._hostname = parts.netloc, parts.hostname
        self._console: str | None = None
        self._known: tuple[Connector, ...] = ()
        self.info = SourceInfo(f"Levqor at {parts.netloc}")

    def health(self) -> Health:
        """Ask for a live report; raises SourceError."""
        status, body = self._call("GET", "/actions/health?live=1", HEALTH_S)
        if status in (401, 403):
            fix = (
                "Put a valid token into LEVQOR_REMOTE_TOKEN. To make one, run there: "
                "levqor token new tray --only '*,live,open'"
            )
            if body.get("reason") == "scope":
                fix = str(body.get("fix") or fix)
            raise SourceError(f"{self._host} refuses the token", fix)
        if status >= 500 and body.get("error") == "ledger_error":
            words = str(body.get("message") or "The database there cannot be used")
            raise SourceError(words, str(body.get("fix") or ""))
        try:
            if status != 200:
                raise self._not_levqor()
            health = reading.health(body, time.time())
        except ValueError:
            raise self._not_levqor() from None
        self._known, self._console = health.connectors, self._reached(health.console)
        return replace(health, console=self._console)

    def runs(self) -> tuple[Run, ...]:
        """Each connector's newest runs, as the last health report had them."""
        pairs = ((each.last_success, each.last_failure) for each in self._known)
        return tuple(run for pair in pairs for run in pair if run)

    def own_runs(self) -> tuple[Run, ...]:
        """The latest runs that the token sees; raises SourceError."""
        _, body = self._call("GET", f"/api/runs?last={OWN_RUNS}", ASK_S)
        return reading.runs(body)

    def console_link(self, page: str) -> str:
        """Make an address that opens a page of the console; raises SourceError.

        It signs the token in where its scope says so.
        """
        if self._console is None:
            raise SourceError("No bot shows the web console now", "Click Check now.")
        _, body = self._call("POST", f"/api/sign-in?page={quote(page)}", ASK_S)
        link = reading.web_link(body.get("link"))
        # What signs in is opened where the token went, and nowhere else.
        if link and link.startswith(f"{self._url}/"):
            return link
        return self._console + quote(page)

    def test(self, action: str) -> TestResult:
        """Send an action's sample through the remote engine."""
        try:
            _, body = self._call("POST", f"/actions/{quote(action)}?test=1", TEST_S)
            return reading.test_result(body, time.time(), self.info.test_gap)
        except SourceError as error:
            return reading.unanswered(error, time.time())
        except ValueError:
            # A proxy's page, for instance: what is behind it may have sent it all the same.
            return reading.unanswered(self._not_levqor(), time.time())

    def pair(self) -> Pairing:
        """Refuse: a code is made where the bot runs."""
        words = "A phone is paired on the computer that runs the bot"
        raise SourceError(words, "Run levqor pair there.")

    def settings(self) -> None:
        """Return nothing: they are on the other computer."""

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _reached(self, console: str | None) -> str | None:
        """Where its console is from here: what calls itself this computer is behind a tunnel."""
        if console is None or not loopback(urlsplit(console).hostname):
            return console
        return self._url if loopback(self._hostname) else None

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
        except (requests.RequestException, OSError) as problem:
            raise self._fault(problem) from None

    def _route(self) -> tuple[str | None, str | None]:
        """The proxy and the certificates on the way; raises SourceError."""
        try:
            proxy = self._network.proxy(self._url)
            # Whether they can be read at all: requests blames the other side.
            named = self._url.startswith("https:") and self._network.context() is not None
            certificates = self._network.certificates() if named else None
        except NoRoute as problem:
            raise SourceError(problem.words, problem.fix, before_it_left=True) from None
        return (proxy.url if proxy else None), certificates

    def _body(self, answer: requests.Response, deadline: float) -> dict[str, Any]:
        # requests' own time-out starts anew with every byte: a drip would hold us for ever.
        read = b""
        for piece in answer.iter_content(8192):
            read += piece
            if len(read) > _MOST or time.monotonic() > deadline:
                raise self._not_levqor()
        try:
            body = json.loads(read)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def _not_levqor(self) -> SourceError:
        fix = "Check that the address is Levqor's, and that its version is the same as this tray's."
        return SourceError(f"{self._host} answers, but not as Levqor does", fix)

    def _fault(self, problem: Exception) -> SourceError:
        reason = getattr(problem.args[0] if problem.args else None, "reason", None)
        if isinstance(problem, requests.exceptions.SSLError):
            # Of all TLS errors only a certificate's, Python's and urllib3's own, are ValueErrors.
            if isinstance(next(iter(getattr(reason, "args", ())), None), ValueError):
                words = f"The certificate of {self._host} is not valid"
                fix = (
                    "Have the certificate fixed there. Levqor does not continue without a valid "
                    "one."
                )
                return SourceError(words, fix, before_it_left=True)
            fix = "Check that Levqor answers over https at this address and port."
            return SourceError(f"{self._host} does not use https", fix)
        words = f"{self._host} cannot be reached"
        fix = f"Check that Levqor runs at {self._host} and that this computer can reach it."
        if isinstance(problem, requests.exceptions.ProxyError):
            words += " through the proxy"
            fix = (
                "Check HTTPS_PROXY (or ALL_PROXY), its name and password, or list the host in "
                "NO_PROXY."
            )
        # No connection came up for it: the request surely did not leave.
        early = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
        before = isinstance(problem, early) or isinstance(reason, NewConnectionError)
        return SourceError(words, fix, before_it_left=before)


def _address(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        # Reading the port checks it.
        more = parts.username or parts.query or parts.fragment or parts.port == 0
        if parts.scheme in ("http", "https") and parts.hostname and not more:
            return parts
    raise ValueError("--remote takes an address like https://levqor.example.com")
