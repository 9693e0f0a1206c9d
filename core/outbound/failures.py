"""What can go wrong between here and an upstream, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.contract import AnswerRow

if TYPE_CHECKING:
    from core.errors import UpstreamError

_LOOK = "Look whether it arrived before you send it again."

# No row may name a host, an address or what a library said: those can hold tokens.
TRANSPORT: tuple[AnswerRow, ...] = (
    AnswerRow(
        "unreachable",
        "not_sent",
        "The service could not be reached.",
        "Check this computer's internet connection, then try again.",
    ),
    AnswerRow(
        "name_not_found",
        "not_sent",
        "The service's address could not be found.",
        "Check this computer's internet connection and name server (DNS), then try again.",
    ),
    AnswerRow(
        "no_files",
        "not_sent",
        "Levqor may open no more files or connections on this computer.",
        "Start Levqor with a higher limit of open files (ulimit -n), or ask less of it at once.",
    ),
    AnswerRow(
        "tls_failed",
        "not_sent",
        "A secure connection to the service could not be made.",
        "Check this computer's date and time. If your network has a certificate of its own, "
        "name its file in REQUESTS_CA_BUNDLE.",
    ),
    AnswerRow(
        "ca_missing",
        "not_sent",
        "The file of trusted certificates cannot be read.",
        "Correct REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR), or take "
        "it out of the environment.",
    ),
    AnswerRow(
        "proxy_unusable",
        "not_sent",
        "The environment names a proxy that Levqor cannot use.",
        "Write HTTPS_PROXY (or ALL_PROXY) as http://HOST:PORT or socks5h://HOST:PORT, or take "
        "it out of the environment.",
    ),
    AnswerRow(
        "proxy",
        "not_sent",
        "The proxy did not let it through.",
        "Check HTTPS_PROXY, its name and password, or list the service in NO_PROXY.",
    ),
    AnswerRow(
        "not_sendable",
        "not_sent",
        "The request could not be put together.",
        "Look for stray characters in this connector's settings.",
    ),
    AnswerRow(
        "timed_out_before",
        "not_sent",
        "The service did not answer in time; nothing was sent.",
        "Try again in a moment.",
    ),
    AnswerRow(
        "dropped_before",
        "not_sent",
        "The connection broke before anything was sent.",
        "Try again in a moment.",
    ),
    AnswerRow("timed_out", "unknown", "The service did not answer in time.", _LOOK),
    AnswerRow("too_slow", "unknown", "The service's answer did not end in time.", _LOOK),
    AnswerRow("dropped", "unknown", "The connection broke before the answer was complete.", _LOOK),
    AnswerRow(
        "mishandled",
        "unknown",
        "The service answered, but Levqor could not make sense of it.",
        _LOOK,
    ),
)

_ROWS = {row.reason: row for row in TRANSPORT}


def failure(
    reason: str, *, repeatable: bool = False, retry_after: float | None = None
) -> UpstreamError:
    """Make the error of a row of `TRANSPORT`."""
    return _ROWS[reason].error(repeatable=repeatable, retry_after=retry_after)
