"""How long the Telegram interface waits for what, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """What waits for how long. Pauses after a failure grow up to `longest`."""

    poll: int = 25  # for updates
    grace: float = 10.0  # more, for a poll's answer
    pause: float = 1.0  # after a failure
    conflict: float = 4.0  # after another poller's
    longest: float = 30.0
    refused: float = 60.0  # before what was refused is asked again
    hasty: float = 2.0  # before the next poll, where the last came back at once with nothing new
    look: float = 60.0  # between looks at a webhook
    # The ledger is told this often that all is well; whoever reads it may think the worst
    # of a sign of life that is much older.
    beat: float = 60.0
    stalled: float = 90.0  # longer than a poll may take and the longest pause
    menus: float = 60.0  # until menus follow pairings taken back at a terminal
    # Two that poll with one token push each other out by turns: a good poll in between is
    # no sign that the other one has gone.
    peace: float = 150.0
