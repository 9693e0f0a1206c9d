-- A database of schema 5, as `levqor` wrote it: the last one without people and roles.
PRAGMA user_version=5;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'levqor','m001_runs','2026-11-26 21:03:30.488103+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'levqor','m002_default_plan','2026-11-26 21:03:30.491750+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'levqor','m003_owed','2026-11-26 21:03:30.493336+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'levqor','m004_run_counts','2026-11-26 21:03:30.500531+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'levqor','m005_several_bots','2026-11-26 21:03:30.515238+00:00');
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
CREATE TABLE callers (
            caller TEXT PRIMARY KEY,
            first_seen REAL NOT NULL,
            last_seen REAL NOT NULL,
            paired_at REAL
        , plan TEXT);
INSERT INTO "callers" VALUES('http:ci',1.79572701054889512064e+09,1700000004.0,NULL,NULL);
INSERT INTO "callers" VALUES('http:ops',1.79572701055616855622e+09,1.79572701055616855622e+09,NULL,'pro');
INSERT INTO "callers" VALUES('http:gone',1.79572701056003880505e+09,1.79572701056003880505e+09,NULL,NULL);
INSERT INTO "callers" VALUES('slack:T1:U1',1.79572701056797122951e+09,1.79572701056797122951e+09,NULL,'pro');
INSERT INTO "callers" VALUES('telegram:42',1.79572701057391285895e+09,1700000003.0,1.79572701057391285895e+09,NULL);
INSERT INTO "callers" VALUES('cli:ann',1700000000.0,1700000000.0,NULL,NULL);
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
CREATE TABLE owed (
            key TEXT PRIMARY KEY,          -- the request's own
            surface TEXT NOT NULL,
            kind TEXT NOT NULL,            -- what to say, as its surface knows it
            reply_to TEXT NOT NULL,        -- where to answer
            at REAL NOT NULL,
            owner TEXT NOT NULL
        );
CREATE TABLE pairings (
            surface TEXT NOT NULL,
            hash BLOB PRIMARY KEY,
            expires_at REAL NOT NULL
        );
CREATE TABLE probes (              -- one row for each stretch of the same verdict
            id INTEGER PRIMARY KEY,
            connector TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT,
            since REAL NOT NULL,
            at REAL NOT NULL,
            latency_ms REAL
        );
CREATE TABLE run_counts (
            action TEXT NOT NULL,
            outcome TEXT NOT NULL,
            surface TEXT NOT NULL,
            runs INTEGER NOT NULL,
            PRIMARY KEY (action, outcome, surface)
        );
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
        , free INTEGER NOT NULL DEFAULT 0, quota_owner TEXT NOT NULL DEFAULT '', teller TEXT);
INSERT INTO "runs" VALUES('oldrun0000',1700000000.0,'2023-11-14','sample.do','sample','cli:ann','cli',0,'sent',1,'cli:key',0,X'6666666666666666666666666666666666666666666666666666666666666666',NULL,'8367da95e57e6782',1,12.5,NULL,NULL,NULL,1.79572701058399653429e+09,1,'cli:ann',NULL);
INSERT INTO "runs" VALUES('oldrun0001',1700000001.0,'2023-11-14','sample.do','sample','slack:T1:U1','slack',0,'sent',1,NULL,0,X'6666666666666666666666666666666666666666666666666666666666666666',NULL,'8367da95e57e6782',1,12.5,NULL,NULL,NULL,1.79572701059598612786e+09,0,'slack:T1:U1',NULL);
INSERT INTO "runs" VALUES('oldrun0002',1700000002.0,'2023-11-14','sample.do','sample','slack:T1:U1','slack',0,'sent',1,NULL,0,X'6666666666666666666666666666666666666666666666666666666666666666',NULL,'8367da95e57e6782',1,12.5,NULL,NULL,NULL,1.79572701060013461115e+09,0,'slack:T1:U1',NULL);
INSERT INTO "runs" VALUES('oldrun0003',1700000003.0,'2023-11-14','sample.do','sample','telegram:42','telegram',0,'unknown',1,NULL,0,X'6666666666666666666666666666666666666666666666666666666666666666',NULL,'8367da95e57e6782',1,12.5,NULL,NULL,NULL,1.7957270106033654213e+09,1,'telegram:42',NULL);
INSERT INTO "runs" VALUES('oldrun0004',1700000004.0,'2023-11-14','sample.do','sample','http:ci','http',0,'refused',0,NULL,0,X'6666666666666666666666666666666666666666666666666666666666666666',NULL,'8367da95e57e6782',1,12.5,NULL,NULL,NULL,1795727010.60439,1,'http:ci',NULL);
CREATE TABLE tokens (
            label TEXT PRIMARY KEY,
            hash BLOB NOT NULL,            -- SHA-256 of a random token
            admin INTEGER NOT NULL,
            created_at REAL NOT NULL,
            revoked_at REAL
        );
INSERT INTO "tokens" VALUES('ci',X'48BFCF73EE17785B42A546C165750B3ED3D9952F1A76620B9F0D9CD347F4899B',0,1.79572701054882144923e+09,NULL);
INSERT INTO "tokens" VALUES('ops',X'E373285F1BFD3AC784939AF7D8CB0FC6692F3B0C8752BB442C61AD1A6A683D43',1,1.79572701055612850189e+09,NULL);
INSERT INTO "tokens" VALUES('gone',X'D8D65F064291DEF8C16519ECEC192F1CEB0E29914B395700F1AD1B312747298D',0,1.79572701056001806261e+09,1.79572701056398200984e+09);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX runs_key ON runs (key) WHERE key IS NOT NULL;
CREATE INDEX runs_at ON runs (at);
CREATE INDEX runs_caller ON runs (caller, at);
CREATE INDEX runs_test ON runs (action, at) WHERE test = 1;
CREATE INDEX runs_open ON runs (owner) WHERE state IN ('accepted', 'sending');
CREATE INDEX runs_waiting ON runs (surface) WHERE reply_to IS NOT NULL;
CREATE INDEX runs_done ON runs (connector, state, settled_at)
            WHERE settled_at IS NOT NULL;
CREATE INDEX runs_charged ON runs (quota_owner, action, day) WHERE charged = 1;
CREATE UNIQUE INDEX runs_free ON runs (quota_owner, action, day)
            WHERE charged = 1 AND free = 1;
CREATE INDEX probes_connector ON probes (connector, id);
COMMIT;
