"""The steps to schema 5: runs, callers, tokens, and several bots on one database."""

from sqlite_utils import Database, Migrations

MIGRATIONS = Migrations("levqor")


@MIGRATIONS()
def m001_runs(db: Database) -> None:
    """The journal, who asked, and what was noticed."""
    db.executescript(
        """
        CREATE TABLE runs (
            run TEXT PRIMARY KEY,
            at REAL NOT NULL,              -- accepted; seconds since 1970
            day TEXT NOT NULL,             -- UTC, YYYY-MM-DD
            action TEXT NOT NULL,
            connector TEXT NOT NULL,
            caller TEXT NOT NULL,
            surface TEXT NOT NULL,
            test INTEGER NOT NULL,
            state TEXT NOT NULL,           -- accepted, sending, or the outcome
            charged INTEGER NOT NULL,      -- 1: reserved, kept or held; 0: free or given back
            key TEXT,                      -- the request's own key
            rebind INTEGER NOT NULL,       -- 1: what was not sent frees the key
            fingerprint BLOB NOT NULL,     -- HMAC of the input
            reply_to TEXT,                 -- where to answer, until told
            owner TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            ms REAL,
            code TEXT,
            reason TEXT,
            receipt TEXT,
            settled_at REAL
        );
        CREATE UNIQUE INDEX runs_key ON runs (key) WHERE key IS NOT NULL;
        CREATE INDEX runs_charged ON runs (caller, action, day) WHERE charged = 1;
        CREATE INDEX runs_at ON runs (at);
        CREATE INDEX runs_caller ON runs (caller, at);
        CREATE INDEX runs_test ON runs (action, at) WHERE test = 1;
        CREATE INDEX runs_open ON runs (owner) WHERE state IN ('accepted', 'sending');
        CREATE INDEX runs_waiting ON runs (surface) WHERE reply_to IS NOT NULL;
        CREATE INDEX runs_done ON runs (connector, state, settled_at)
            WHERE settled_at IS NOT NULL;

        CREATE TABLE callers (
            caller TEXT PRIMARY KEY,
            plan TEXT NOT NULL DEFAULT 'free',
            first_seen REAL NOT NULL,
            last_seen REAL NOT NULL,
            paired_at REAL
        );

        CREATE TABLE tokens (
            label TEXT PRIMARY KEY,
            hash BLOB NOT NULL,            -- SHA-256 of a random token
            admin INTEGER NOT NULL,
            created_at REAL NOT NULL,
            revoked_at REAL
        );

        CREATE TABLE pairings (
            surface TEXT NOT NULL,
            hash BLOB PRIMARY KEY,
            expires_at REAL NOT NULL
        );

        CREATE TABLE probes (              -- one row for each stretch of the same verdict
            connector TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT,
            since REAL NOT NULL,
            at REAL NOT NULL,
            latency_ms REAL
        );
        CREATE INDEX probes_connector ON probes (connector, at);

        CREATE TABLE inbound (
            surface TEXT PRIMARY KEY,
            ok INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            fix TEXT,
            since REAL NOT NULL,
            at REAL NOT NULL,
            owner TEXT NOT NULL
        );
        """
    )


@MIGRATIONS()
def m002_default_plan(db: Database) -> None:
    """NULL for whoever nobody has put on a plan: LEVQOR_DEFAULT_PLAN is theirs.

    Until now those were `free`, and so was whoever had been put on it.
    """
    db.executescript(
        """
        ALTER TABLE callers ADD COLUMN chosen TEXT;
        UPDATE callers SET chosen = plan WHERE plan <> 'free';
        ALTER TABLE callers DROP COLUMN plan;
        ALTER TABLE callers RENAME COLUMN chosen TO plan;
        """
    )


@MIGRATIONS()
def m003_owed(db: Database) -> None:
    """Answers that are owed and are no run's, until they were given; no words of theirs."""
    db.executescript(
        """
        CREATE TABLE owed (
            key TEXT PRIMARY KEY,          -- the request's own
            surface TEXT NOT NULL,
            kind TEXT NOT NULL,            -- what to say, as its surface knows it
            reply_to TEXT NOT NULL,        -- where to answer
            at REAL NOT NULL,
            owner TEXT NOT NULL
        );
        """
    )


@MIGRATIONS()
def m004_run_counts(db: Database) -> None:
    """How many runs ended that were deleted since: a counter must not fall."""
    db.executescript(
        """
        CREATE TABLE run_counts (
            action TEXT NOT NULL,
            outcome TEXT NOT NULL,
            surface TEXT NOT NULL,
            runs INTEGER NOT NULL,
            PRIMARY KEY (action, outcome, surface)
        );
        """
    )


@MIGRATIONS()
def m005_several_bots(db: Database) -> None:
    """What several bots on one database need, and what the other engine needs to be the same.

    `free` is 1 for a run of the free plan, whose second is refused by the index itself;
    `quota_owner` is whose quota it uses, `teller` who has taken on to tell its asker.
    """
    db.executescript(
        """
        ALTER TABLE runs ADD COLUMN free INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN quota_owner TEXT NOT NULL DEFAULT '';
        ALTER TABLE runs ADD COLUMN teller TEXT;
        UPDATE runs SET quota_owner = caller;
        DROP INDEX runs_charged;
        CREATE INDEX runs_charged ON runs (quota_owner, action, day) WHERE charged = 1;
        CREATE UNIQUE INDEX runs_free ON runs (quota_owner, action, day)
            WHERE charged = 1 AND free = 1;

        ALTER TABLE probes RENAME TO old_probes;
        CREATE TABLE probes (              -- one row for each stretch of the same verdict
            id INTEGER PRIMARY KEY,
            connector TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT,
            since REAL NOT NULL,
            at REAL NOT NULL,
            latency_ms REAL
        );
        INSERT INTO probes (connector, verdict, reason, since, at, latency_ms)
            SELECT connector, verdict, reason, since, at, latency_ms FROM old_probes ORDER BY rowid;
        DROP TABLE old_probes;
        CREATE INDEX probes_connector ON probes (connector, id);

        ALTER TABLE inbound RENAME TO old_inbound;
        CREATE TABLE inbound (
            surface TEXT NOT NULL,
            owner TEXT NOT NULL,
            ok INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            fix TEXT,
            since REAL NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (surface, owner)
        );
        INSERT INTO inbound SELECT surface, owner, ok, verdict, fix, since, at FROM old_inbound;
        DROP TABLE old_inbound;

        CREATE TABLE bots (
            owner TEXT PRIMARY KEY,        -- random, never used again
            label TEXT,                    -- machine and process; NULL for what is no bot
            version TEXT,
            settings TEXT,                 -- a digest of each setting
            since REAL NOT NULL,
            held REAL NOT NULL,            -- since when its lease has not ended
            until REAL NOT NULL,           -- its lease's end, by the database's clock
            dead INTEGER NOT NULL          -- 1: declared dead by another
        );
        CREATE TABLE leases (              -- what one process does for all, and rows to lock
            name TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            term INTEGER NOT NULL,
            until REAL NOT NULL
        );
        CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        );
        """
    )
