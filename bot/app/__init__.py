"""`levqor-bot`: one process, every surface that is configured."""

from bot.app.main import main

__all__ = ["main"]
