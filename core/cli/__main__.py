"""`python -m core.cli`: the same as `levqor`."""

from core.cli import command

command()
