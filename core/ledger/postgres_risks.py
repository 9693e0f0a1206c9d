"""The settings of a PostgreSQL server that a ledger depends on."""

from core.ledger.store import Connection

OLDEST_SERVER = 15


def risks(db: Connection) -> list[tuple[str, str]]:
    """By which of its settings a server may lose what it said was written, each with the fix."""
    *settings, standbys, synchronous, version = db.execute(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'), "
        "current_setting('synchronous_commit'), (SELECT count(*) FROM pg_stat_replication), "
        "current_setting('synchronous_standby_names'), current_setting('server_version_num')"
    ).fetchone()
    found = [
        (
            f"The PostgreSQL server has {name} off: a crash may lose accepted runs.",
            "Set it on in postgresql.conf.",
        )
        for name, value in zip(
            ("fsync", "full_page_writes", "synchronous_commit"), settings, strict=True
        )
        if value == "off"
    ]
    if standbys and not synchronous:
        found.append(
            (
                "The PostgreSQL server waits for no standby: a failover may lose accepted runs.",
                "Name one in synchronous_standby_names (Patroni: synchronous_mode: true).",
            )
        )
    if int(version) < OLDEST_SERVER * 10_000:
        what = f"The PostgreSQL server is of version {int(version) // 10_000}."
        found.append((what, f"Levqor is tested with {OLDEST_SERVER} and later."))
    return found
