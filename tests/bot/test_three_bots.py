"""Three bots on one database: one is killed, or stands still, at each step of a run."""

import contextlib

import psycopg
import pytest

from core.ledger.postgres import Lease
from core.sandbox.slack import TEAM
from tests.support.engines import shared
from tests.support.replica import SHORT, replicas
from tests.support.steps import Held, Stalled, held_in
from tests.support.waiting import wait_for

STEPS = ("accepted", "sending", "first byte", "settled", "told")
USERS = {step: f"U{number:010d}" for number, step in enumerate((*STEPS, "by another", "after"))}


@pytest.fixture
def stalled():
    with contextlib.closing(Stalled()) as stalled:
        yield stalled


@pytest.fixture
def lease(counts):
    return counts(SHORT, Lease())


@pytest.fixture
def bots(tmp_path, environ, sandbox, stalled, lease):
    own = {
        **sandbox.slack.http_settings(),
        "LEVQOR_TELEGRAM": "off",
        "LEVQOR_DEFAULT_PLAN": "pro",
        "RESEND_API_URL": stalled.url,
    }
    with replicas(tmp_path, {**environ, **own}, lease=lease) as bots:
        yield bots


class Scene:
    """Who asked for what, and what came of it."""

    def __init__(self, sandbox, url):
        self.sandbox, self._url = sandbox, url
        self.asked = {}

    def rows(self, sql):
        with psycopg.connect(self._url, autocommit=True) as db:
            return db.execute(sql).fetchall()

    def listen(self, bot):
        self.sandbox.slack.listens_at(f"http://{bot.address}/slack/events")

    def ask(self, step, name="slack", text=""):
        """Type a command, which is acknowledged: the run is accepted."""
        done = self.sandbox.slack.command(
            f"/levqor-{name}-send", f"{text}message {step}", user=USERS[step]
        )
        assert done.acked
        self.asked[step] = done

    def told(self, step):
        """What an asker was told of the run's end so far."""
        said = [self.asked[step].ack, *self.asked[step].replies]
        return [each["text"] for each in said if each and "sending, run" not in each["text"]]

    def states(self):
        """Step to (state, reason, settled_at, when its owner's lease ended, or ends)."""
        callers = {f"slack:{TEAM}:{user}": step for step, user in USERS.items()}
        rows = self.rows(
            "SELECT caller, state, reason, settled_at, until FROM runs JOIN bots USING (owner)"
        )
        assert len(rows) == len(self.asked), "one run for each request"
        return {callers[row[0]]: row[1:] for row in rows}

    def arrivals(self, step):
        texts = [one.json["text"] for one in self.sandbox.slack.calls("webhook")]
        return texts.count(f"message {step}")

    def strike(self, url, stalled, strike):
        """Bring one run to each step, and strike; the states of that moment."""
        slack = self.sandbox.slack
        first_byte, answers = Held("message first byte", done=True), Held()
        slack.always(first_byte, on="webhook")
        callers = {step: f"slack:{TEAM}:{USERS[step]}" for step in ("accepted", "told")}
        with held_in(url, **callers):
            self.ask("told")
            wait_for(lambda: self.told("told"))
            slack.always(answers, on="response_url")
            self.ask("settled")
            assert answers.came.wait(60)
            self.ask("accepted")
            self.ask("sending", "email", "to=delivered@resend.dev subject=s ")
            self.ask("first byte")
            assert first_byte.came.wait(60)
            wait_for(lambda: self.states()["sending"][0] != "accepted")
            strike()
            struck = self.states()
        answers.free.set()
        first_byte.free.set()
        return struck


@shared
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["killed", "standing still"])
def test_one_of_three_at_each_step_of_a_run(bots, sandbox, database, stalled, lease, how):
    first, second, _ = bots
    scene = Scene(sandbox, database)
    scene.listen(first)
    strike = first.kill if how == "killed" else first.stand_still
    struck = scene.strike(database, stalled, strike)
    assert struck["accepted"][0] == "accepted"
    scene.listen(second)
    scene.ask("by another")
    wait_for(lambda: all(map(scene.told, scene.asked)), 90 + lease.seconds + lease.grace)
    states = scene.states()
    assert states["accepted"][:2] == ("not_sent", "interrupted_before")
    assert "stopped before it was sent" in scene.told("accepted")[-1]
    for step in ("sending", "first byte"):
        # A slow machine may have let its time run out before.
        if struck[step][0] == "sending":
            state, reason, settled_at, until = states[step]
            assert (state, reason) == ("unknown", "interrupted")
            assert settled_at >= until + lease.grace
            assert "may or may not have been sent" in scene.told(step)[-1]
    assert states["accepted"][2] >= states["accepted"][3]
    for step in ("settled", "told", "by another"):
        assert states[step][0] == "sent"
        assert ": sent" in scene.told(step)[-1]
    if how == "standing still":
        wake(scene, first, stalled, struck)
    for step in scene.asked:
        allowed = {"sent": (1,), "not_sent": (0,), "unknown": (0, 1)}
        assert scene.arrivals(step) in allowed[scene.states()[step][0]]
    assert not scene.arrivals("accepted")
    assert not stalled.arrived
    assert not scene.rows("SELECT run FROM runs WHERE settled_at IS NULL OR reply_to IS NOT NULL")


def wake(scene, bot, stalled, struck):
    """Wake a bot that others count as dead: it sends nothing late, and needs no restart."""
    stalled.let_in()
    bot.go_on()
    wait_for(lambda: f":{bot.pid}" in "".join(label for (label,) in scene.rows(LIVING)))
    wait_for(lambda: len(scene.rows(LIVING)) == 3)
    if struck["sending"][0] == "sending":
        # It alone knows that nothing was sent.
        wait_for(lambda: scene.states()["sending"][0] == "not_sent")
    scene.listen(bot)
    scene.ask("after")
    wait_for(lambda: scene.told("after"))
    assert scene.states()["after"][0] == "sent"
    # What it had to say of its runs is said, and its file is its new name's.
    owners = [owner for (owner,) in scene.rows("SELECT owner FROM bots WHERE dead = 0")]
    files = list(bot.home.glob("levqor.db-endings-*"))
    assert len(files) == 1
    assert files[0].name.rpartition("-")[2] in owners
    wait_for(lambda: not files[0].read_bytes().strip(b"\0"))


LIVING = (
    "SELECT label FROM bots WHERE dead = 0 AND label IS NOT NULL "
    "AND until > extract(epoch FROM clock_timestamp())"
)
