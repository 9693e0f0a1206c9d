"""On which of the ledger's engines a test runs: marks that fill the `database` fixture."""

import pytest

both = pytest.mark.databases("sqlite", "postgres")
# The same, and through pgbouncer in transaction mode.
pooled_too = pytest.mark.databases("sqlite", "postgres", "pgbouncer")
shared = pytest.mark.databases("postgres")
