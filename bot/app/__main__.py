"""`python -m bot.app` is `levqor-bot`."""

from bot.app import command

command()
