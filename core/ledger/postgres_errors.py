"""What an error of PostgreSQL means, in words, with the fix."""

import re

import psycopg

from core.errors import LedgerError
from core.ledger.postgres_connection import NO_PLACE

# By SQLSTATE, or by what the server or libpq says where it gives none: (a pattern of either),
# reason, what is wrong, what to do.
ROWS: tuple[tuple[str, str, str, str], ...] = (
    (
        "pg_hba.conf",
        "refused",
        "does not allow this user to connect from here, or not without TLS",
        "Allow it in the server's pg_hba.conf, or correct LEVQOR_DATABASE_URL.",
    ),
    (
        "28P01|28000|password authentication failed|no password supplied",
        "password",
        "refused the user or the password",
        "Correct them in LEVQOR_DATABASE_URL.",
    ),
    (
        # Not what a connection over TLS says when it is cut.
        "certificate|root.crt|(?:does not|not) support SSL|wrong version number|tlsv1",
        "tls",
        "cannot be trusted: its TLS certificate or its encryption is not right",
        "Give it a certificate for its name; add sslrootcert=/path/ca.crt to LEVQOR_DATABASE_URL.",
    ),
    (
        "3D000|database .* does not exist",
        "missing",
        "does not exist",
        "Make it: createdb, with the user of LEVQOR_DATABASE_URL as its owner.",
    ),
    (
        "role .* does not exist",
        "password",
        "knows no such user",
        "Correct the user in LEVQOR_DATABASE_URL, or make it: createuser.",
    ),
    (
        "53300|too many (clients|connections)|remaining connection slots|no more connections",
        "busy",
        "takes no more connections",
        "Raise max_connections, or put pgbouncer in front of it; each bot uses up to 9.",
    ),
    (
        NO_PLACE,
        "busy",
        "answers more slowly than this bot asks",
        "Look for long transactions in pg_stat_activity, or give its machine more.",
    ),
    ("53100|No space left", "full", "has no disk space left", "Free some space on its machine."),
    (
        "25006|read-only|read-write|in recovery|standby",
        "readonly",
        "is read-only now (a standby, or a primary that was replaced)",
        "Point LEVQOR_DATABASE_URL at the primary: host=one,two tries both. Levqor keeps trying.",
    ),
    (
        "42501|permission denied",
        "rights",
        "does not let this user use its tables",
        "Make the user of LEVQOR_DATABASE_URL the owner of the database.",
    ),
    (
        "42P01|42703|42883",
        "newer",
        "has other tables than this Levqor uses",
        "Install the newest Levqor of those that use this database.",
    ),
    (
        "57P03|starting up|shutting down|not yet accepting",
        "starting",
        "is starting or stopping",
        "Levqor keeps trying; nothing is sent meanwhile.",
    ),
    (
        "55P03|57014|40P01|40001|25P03",
        "locked",
        "is held up by another transaction",
        "Try again in a moment; if it stays so, look for long transactions in pg_stat_activity.",
    ),
    (
        "translate host name|Name or service not known|resolve",
        "unreachable",
        "cannot be found: its host has no address",
        "Correct the host in LEVQOR_DATABASE_URL.",
    ),
)
UNREACHABLE = (
    "unreachable",
    "cannot be reached",
    "Start it, or correct host and port in LEVQOR_DATABASE_URL; nothing is sent meanwhile.",
)
# What another try may find otherwise, beside a connection that was lost or could not be had.
_PASSES = {"busy", "readonly", "starting", "locked", "unreachable"}
_RETRY_SECONDS = 5.0


def _row(error: psycopg.Error) -> tuple[str, str, str]:
    # A host may have any name, and a user: 'ssl', 'standby'.
    said = re.sub(r'"[^"\n]*"', '""', f"{error.sqlstate or ''} {error}")
    for pattern, *row in ROWS:
        if re.search(pattern, said):
            return row[0], row[1], row[2]
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return UNREACHABLE
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return "unusable", f"cannot be used{state}", "Look at the server's own log."


def passes(error: psycopg.Error) -> bool:
    """Whether another try may find it otherwise."""
    return _row(error)[0] in _PASSES


def explain(place: str, error: psycopg.Error) -> LedgerError:
    """Say what an error means; the server's own words may hold an address, and stay here."""
    reason, what, fix = _row(error)
    wait = _RETRY_SECONDS if reason in _PASSES else None
    return LedgerError(f"{place} {what}.", fix=fix, reason=f"ledger_{reason}", retry_after=wait)
