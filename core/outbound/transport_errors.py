"""What can go wrong between here and a service, in plain words."""

from core.contract import AnswerRow, not_sent, unknown
from core.errors import Certainty, UpstreamError

_LOOK = "Look whether it arrived before you send it again."

# No row may name a host, an address or what a library said: those can hold tokens.
TRANSPORT: tuple[AnswerRow, ...] = (
    not_sent(
        "unreachable",
        "The service could not be reached.",
        "Check this computer's internet connection, then try again.",
    ),
    not_sent(
        "name_not_found",
        "The service's address could not be found.",
        "Check this computer's internet connection and name server (DNS), then try again.",
    ),
    not_sent(
        "no_files",
        "Levqor may open no more files or connections on this computer.",
        "Start Levqor with a higher limit of open files (ulimit -n), or ask less of it at once.",
    ),
    not_sent(
        "tls_failed",
        "A secure connection to the service could not be made.",
        "Check this computer's date and time. If your network has a certificate of its own, "
        "name its file in REQUESTS_CA_BUNDLE.",
    ),
    not_sent(
        "ca_missing",
        "The file of trusted certificates cannot be read.",
        "Correct REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR), or take "
        "it out of the environment.",
    ),
    not_sent(
        "proxy_unusable",
        "The environment names a proxy that Levqor cannot use.",
        "Write HTTPS_PROXY (or ALL_PROXY) as http://HOST:PORT or socks5h://HOST:PORT, or take "
        "it out of the environment.",
    ),
    not_sent(
        "proxy",
        "The proxy did not let it through.",
        "Check HTTPS_PROXY (or ALL_PROXY), its name and password, or list the service in NO_PROXY.",
    ),
    not_sent(
        "not_sendable",
        "The request could not be put together.",
        "Look for stray characters in this connector's settings.",
    ),
    not_sent(
        "timed_out_before",
        "The service did not answer in time; nothing was sent.",
        "Try again in a moment.",
    ),
    not_sent(
        "dropped_before",
        "The connection broke before anything was sent.",
        "Try again in a moment.",
    ),
    unknown("timed_out", "The service did not answer in time.", _LOOK),
    unknown("too_slow", "The service's answer did not end in time.", _LOOK),
    unknown("dropped", "The connection broke before the answer was complete.", _LOOK),
    unknown("mishandled", "The service answered, but Levqor could not make sense of it.", _LOOK),
)

_ROWS = {row.reason: row for row in TRANSPORT}


def failure(reason: str, *, certainty: Certainty = Certainty.MAYBE_DONE) -> UpstreamError:
    """Make the error of a row of `TRANSPORT`."""
    return _ROWS[reason].error(certainty=certainty)
