"""The steps to schema 7: people, targets, sessions, and what is counted of old runs."""

from sqlite_utils import Database

from core.migrations.to_5 import MIGRATIONS


@MIGRATIONS()
def m006_people(db: Database) -> None:
    """People with roles, targets, tokens that can do little, and who changed what."""
    db.executescript(
        """
        ALTER TABLE runs ADD COLUMN account TEXT NOT NULL DEFAULT '';  -- '': the service's first
        DROP INDEX runs_done;
        CREATE INDEX runs_done ON runs (connector, state, account, settled_at)
            WHERE settled_at IS NOT NULL;
        ALTER TABLE callers ADD COLUMN person TEXT;  -- NULL: a person of its own
        ALTER TABLE callers ADD COLUMN role TEXT;    -- NULL: the default
        CREATE INDEX callers_person ON callers (person) WHERE person IS NOT NULL;
        ALTER TABLE tokens ADD COLUMN scope TEXT;    -- NULL: from before scopes, everything
        ALTER TABLE tokens ADD COLUMN per_hour INTEGER;
        ALTER TABLE tokens ADD COLUMN expires_at REAL;
        ALTER TABLE tokens ADD COLUMN used_at REAL;
        ALTER TABLE tokens ADD COLUMN old_hash BLOB; -- what it was before it was rotated
        ALTER TABLE tokens ADD COLUMN old_until REAL;

        CREATE TABLE people (
            name TEXT PRIMARY KEY,
            title TEXT,                    -- how lists show them
            role TEXT,                     -- NULL: sender, or as LEVQOR_ADMINS says
            plan TEXT,                     -- NULL: the default
            created_at REAL NOT NULL,
            seen_at REAL
        );
        CREATE TABLE quota_shares (        -- another's run that uses this quota as well
            owner TEXT NOT NULL,
            action TEXT NOT NULL,
            day TEXT NOT NULL,
            run TEXT NOT NULL,
            PRIMARY KEY (owner, action, day, run)
        );
        CREATE TABLE link_codes (
            hash BLOB PRIMARY KEY,
            maker TEXT NOT NULL,
            expires_at REAL NOT NULL,
            redeemer TEXT                  -- who gave the code, until its maker says yes
        );
        CREATE TABLE targets (
            name TEXT PRIMARY KEY,
            action TEXT NOT NULL,
            account TEXT,
            fields TEXT NOT NULL,          -- what it fills in, as JSON
            changed_at REAL NOT NULL
        );
        CREATE TABLE audit (
            change TEXT PRIMARY KEY,       -- random: made once, it is there
            at REAL NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            subject TEXT NOT NULL,
            before TEXT,                   -- as JSON, addresses masked
            after TEXT
        );
        CREATE INDEX audit_at ON audit (at);

        CREATE TABLE sign_ins (
            caller TEXT PRIMARY KEY,       -- one link each: a newer one voids it
            hash BLOB NOT NULL UNIQUE,
            expires_at REAL NOT NULL
        );
        CREATE TABLE sessions (
            session TEXT PRIMARY KEY,
            hash BLOB NOT NULL UNIQUE,
            caller TEXT NOT NULL,
            created_at REAL NOT NULL,
            expires_at REAL NOT NULL
        );
        """
    )


@MIGRATIONS()
def m007_history(db: Database) -> None:
    """What is counted of runs and checks, and stays when they are deleted."""
    db.executescript(
        """
        CREATE TABLE history (             -- a closed hour, or a day: `seconds` from `start`
            seconds INTEGER NOT NULL, start INTEGER NOT NULL,
            connector TEXT NOT NULL, action TEXT NOT NULL,
            sent INTEGER NOT NULL, refused INTEGER NOT NULL,
            not_sent INTEGER NOT NULL, unknown INTEGER NOT NULL,
            times TEXT NOT NULL,           -- as JSON: about how many ms, and how often
            PRIMARY KEY (seconds, start, connector, action)
        );
        CREATE TABLE history_people (      -- a day of a person, by `runs.quota_owner`
            start INTEGER NOT NULL, action TEXT NOT NULL, person TEXT NOT NULL,
            sent INTEGER NOT NULL, refused INTEGER NOT NULL,
            not_sent INTEGER NOT NULL, unknown INTEGER NOT NULL,
            PRIMARY KEY (start, action, person)
        );
        CREATE TABLE history_marks (name TEXT PRIMARY KEY, value REAL NOT NULL);
        CREATE TABLE checks (              -- for how many seconds of a day which verdict held
            connector TEXT NOT NULL, start INTEGER NOT NULL, verdict TEXT NOT NULL,
            seconds REAL NOT NULL, PRIMARY KEY (connector, start, verdict)
        );
        """
    )
