"""How patient the Telegram surface is, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """What waits for how long.

    A poll waits `poll` for updates, and `grace` more for its answer. After a failure comes a
    `pause`, after another poller's `conflict` a longer one; both grow up to `longest`. What
    was refused is asked again after `refused`.
    """

    poll: int = 25
    grace: float = 10.0
    pause: float = 1.0
    conflict: float = 4.0
    longest: float = 30.0
    refused: float = 60.0
    # Before the next poll, where the last one came back at once with nothing new.
    hasty: float = 2.0
    # Whether a webhook still stands.
    look: float = 60.0
    # The ledger is told this often that all is well; whoever reads it may think the worst
    # of a sign of life that is much older.
    beat: float = 60.0
    # Longer than a poll may take and the longest pause after a failure.
    stalled: float = 90.0
    # Menus follow pairings taken back at a terminal this often.
    menus: float = 60.0
    # Two that poll with one token push each other out by turns: a good poll in between is
    # no sign that the other one has gone.
    peace: float = 150.0
