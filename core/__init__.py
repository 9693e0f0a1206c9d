"""Levqor's heart: contracts, connectors, engine and ledger. No chat, no window."""

__version__ = "0.1.0"
