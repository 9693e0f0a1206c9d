"""`levqor people` and `levqor audit`: what is added, changed, refused, and written down."""

import json
import os
import pty
import select
import stat
import subprocess
import time

import pytest

from core.callers import os_user
from core.ledger import Ledger
from core.sandbox.slack import TEAM
from tests.support.canary import CANARIES
from tests.support.cli import command, environment
from tests.support.engines import both

ME = f"cli:{os_user()}"
PHONE, SLACK = "telegram:42", "slack:T1:U1"


@pytest.fixture
def people(cli):
    """Run `levqor people …`; its JSON."""

    def run(*args):
        return cli("people", *args, "--output", "json").json

    return run


def one(people, name="ann"):
    return next(each for each in people("list")["people"] if each["name"] == name)


@both
def test_a_person_is_added_changed_linked_parted_and_removed(cli, people):
    added = people("add", "ann", SLACK, "--display", "Ann Example", "--role", "viewer")
    assert (added["role"], added["plan"], added["callers"]) == ("viewer", "free", [SLACK])
    assert one(people)["display"] == "Ann Example"
    changed = people("set", "ann", "--role", "admin", "--plan", "pro", "--display", "A. E.")
    assert (changed["role"], changed["plan"], changed["display"]) == ("admin", "pro", "A. E.")
    assert people("link", "ann", PHONE)["callers"] == [SLACK, PHONE]
    assert people("unlink", SLACK) == {"caller": SLACK, "role": "admin", "plan": "pro"}
    changed = people("set", "ann", "--role", "default", "--plan", "default", "--display", "")
    assert (changed["role"], changed["plan"], changed.get("display")) == ("sender", "free", None)
    assert people("remove", "ann")["callers"] == [PHONE]
    people("add", "eve")
    assert cli("people", "remove", "eve").out.startswith("eve is removed.")
    assert people()["people"] == []
    roles = {c["caller"]: c["role"] for c in cli("callers", "--output", "json").json["callers"]}
    assert roles == {SLACK: "admin", PHONE: "none"}
    assert people("set", PHONE, "--role", "default")["role"] == "sender"


def test_callers_show_the_person_and_the_role_of_each(cli, people, home):
    (home / ".env").write_text("LEVQOR_ADMINS=telegram:7\nLEVQOR_DEFAULT_ROLE=viewer\n")
    people("add", "ann", PHONE)
    for caller in ("telegram:7", "telegram:8"):
        people("set", caller, "--plan", "pro")
    shown = cli("callers").out.splitlines()
    assert shown[0].split()[:4] == ["CALLER", "PERSON", "ROLE", "PLAN"]
    rows = {row.split()[0]: row.split()[1:3] for row in shown[1:]}
    assert rows == {
        PHONE: ["ann", "sender"],
        "telegram:7": ["admin", "pro"],
        "telegram:8": ["viewer", "pro"],
    }


REFUSED = [
    (("add", "Ann"), "That cannot be a person's name."),
    (("add", "ann", "telegram:*"), "telegram:* is no person or token; nothing was changed."),
    (("add", "ann", "fax:1"), "fax:1 is no person or token; nothing was changed."),
    (("add", "ann", "http:ci"), "There is no token ci; nothing was changed."),
    (("add", "ann", "http:192.0.2.7"), "http:192.0.2.7 is an address and can be no person's."),
    (("add", "bob"), "There is a person bob already."),
    (("add", "ann", SLACK), f"{SLACK} is bob."),
    (("add", "ann", "--display", "A\nB"), "--display: must be one line of at most 80 characters"),
    (("add", "ann", "--role", "boss"), "--role must be none, viewer, sender or admin."),
    (("set", "bob"), "Say what to change: --role, --plan or --display."),
    (("set", PHONE, "--display", "Ann"), "--display: is a person's, and this is a caller"),
    (("set", "bobb", "--role", "admin"), "There is no person bobb."),
    (("set", SLACK, "--role", "admin"), f"{SLACK} is bob."),
    (("link", PHONE, SLACK), f"There is no person {PHONE}."),
    (("unlink", PHONE), f"{PHONE} is not linked to a person."),
    (("remove", SLACK), f"There is no person {SLACK}."),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(cli, people, words, message):
    people("add", "bob", SLACK)
    before = (people("list"), cli("audit", "--output", "json").json)
    printed = cli("people", *words)
    assert printed.status == 2
    assert message in printed.err
    assert (people("list"), cli("audit", "--output", "json").json) == before


def test_a_token_of_who_is_removed_ends_at_once(cli, people, home):
    cli("token", "new", "ci")
    people("add", "ann", "http:ci")
    assert people("remove", "ann")["tokens"] == ["ci"]
    with Ledger.open(home) as ledger:
        assert ledger.standing("http:ci").token.revoked_at is not None


def test_a_change_that_leaves_no_admin_is_said_and_one_that_leaves_one_is_not(cli):
    said = "Nobody is an admin any more"
    assert said not in cli("people", "add", "ann", PHONE).err
    assert said not in cli("people", "set", "ann", "--role", "admin").err
    assert said not in cli("people", "add", "bob", SLACK, "--role", "admin").err
    assert said not in cli("people", "set", "ann", "--role", "viewer").err
    assert said in cli("people", "remove", "bob").err


def test_at_the_terminal_a_narrower_role_refuses_sending_and_admin_commands_still_work(cli, people):
    people("set", ME, "--role", "viewer")
    printed = cli("run", "slack.send", "Hello", "--output", "json")
    assert (printed.status, printed.json["error"]) == (5, "forbidden")
    assert printed.json["fix"].endswith(f"levqor people set {ME} --role sender")
    assert people("set", ME, "--role", "default")["role"] == "admin"
    assert cli("run", "slack.send", "Hello").status == 0


def test_what_who_was_removed_had_sent_stays_used(cli, people):
    people("add", "me", ME)
    assert cli("run", "slack.send", "one").status == 0
    people("remove", "me")
    assert cli("run", "slack.send", "two").status == 5
    people("set", ME, "--role", "sender")
    assert cli("run", "slack.send", "two").status == 4


@both
def test_every_change_is_audited_with_who_made_it(cli, people, open_ledger):
    people("add", "ann", PHONE, "--display", "Ann Example")
    people("set", "ann", "--display", "A. E.")
    cli("plan", "set", PHONE, "pro")
    cli("plan", "set", PHONE, "pro")
    cli("plan", "set", "http:192.0.2.77", "pro")
    code = cli("pair", "telegram", "--output", "json").json["code"]
    with open_ledger() as ledger:
        ledger.redeem("telegram", "7", "wrong")
        ledger.redeem("telegram", "7", code)
    cli("unpair", "telegram:7")
    rows = cli("audit", "--output", "json").json["changes"]
    assert [(row["who"], row["what"], row["subject"]) for row in reversed(rows)] == [
        (ME, "people add", "ann"),
        (ME, "people set", "ann"),
        (ME, "plan set", PHONE),
        (ME, "plan set", "http:192.****77"),
        (ME, "pair code", "telegram"),
        ("telegram:7", "pair", "telegram:7"),
        (ME, "unpair", "telegram:7"),
    ]
    text = cli("audit").out
    assert "plan: default → pro" in text
    assert "paired: yes → no" in text
    for hidden in ("Example", "A. E.", code, "192.0.2.77"):
        assert hidden not in text + json.dumps(rows)


def test_the_audit_is_narrowed_and_exported_as_json_lines_oldest_first(cli, people, tmp_path):
    for name in ("ann", "bob", "eve"):
        people("add", name)
    assert len(cli("audit", "--last", "2", "--output", "json").json["changes"]) == 2
    assert cli("audit", "--since", "0m").out == "Nothing was changed since.\n"
    assert "--since: must be" in cli("audit", "--since", "lately").err
    lines = cli("audit", "--export", "-").out.splitlines()
    assert [json.loads(line)["subject"] for line in lines] == ["ann", "bob", "eve"]
    file = tmp_path / "audit.jsonl"
    answer = cli("audit", "--since", "1h", "--export", file, "--output", "json").json
    assert answer == {"file": str(file), "changes": 3}
    assert file.read_text().splitlines() == lines
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "does not exist yet" in cli("audit", "--export", file).err
    assert "cannot be written: No such file" in cli("audit", "--export", tmp_path / "no/where").err
    assert cli("audit", "--export", "-", "--output", "json").status == 2


@both
def test_changes_are_kept_as_long_as_the_setting_says(cli, people, home, open_ledger):
    people("add", "ann")
    cli("prune")
    with open_ledger() as ledger:
        assert len(ledger.audit()) == 1
        old = time.time() - 401 * 86400
        ledger.store.write(lambda db: db.execute("UPDATE audit SET at = :old", {"old": old}))
    cli("prune")
    with open_ledger() as ledger:
        assert ledger.audit() == []
    people("add", "bob")
    (home / ".env").write_text("LEVQOR_AUDIT_DAYS=1\n")
    with open_ledger() as ledger:
        old = time.time() - 2 * 86400
        ledger.store.write(lambda db: db.execute("UPDATE audit SET at = :old", {"old": old}))
    cli("prune")
    with open_ledger() as ledger:
        assert ledger.audit() == []


@pytest.fixture
def added_at_a_terminal(home, sandbox):
    """Add somebody at a terminal, where an answer was typed ahead; what the screen showed."""

    def run(*args, answer, **more):
        urls = {**sandbox.settings(), **sandbox.slack.socket_settings(), **more}
        screen, theirs = pty.openpty()
        os.write(screen, answer)
        child = subprocess.Popen(
            command("--home", home, "people", "add", *args),
            stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**urls),
        )  # fmt: skip
        os.close(theirs)
        seen = b""
        while select.select([screen], [], [], 60)[0]:
            try:
                part = os.read(screen, 4096)
            except OSError:  # the other side has gone
                break
            if not part:
                break
            seen += part
        os.close(screen)
        assert child.wait(60) == 0, seen
        return seen.decode()

    return run


MEMBER = f"slack:{TEAM}:UADA0000"


@pytest.mark.parametrize(("answer", "kept"), [(b"y\n", "Ada"), (b"n\n", None)])
def test_a_slack_profiles_name_is_offered_and_kept_only_with_a_yes(
    added_at_a_terminal, home, answer, kept
):
    shown = added_at_a_terminal("ann", MEMBER, answer=answer)
    assert "Slack calls" in shown
    with Ledger.open(home) as ledger:
        assert [person.title for person in ledger.people()] == [kept]


@pytest.mark.parametrize("args", [
    ("ann", "slack:T1:UADA0000"), ("ann", MEMBER, "--display", "Ann"), ("ann", "telegram:42"),
])  # fmt: skip
def test_no_name_is_offered_where_none_is_known_or_wanted(added_at_a_terminal, args):
    assert "calls" not in added_at_a_terminal(*args, answer=b"y\n")


def test_a_display_name_reaches_lists_and_no_log(cli, people, home):
    people("add", "ann", ME, "--display", CANARIES["text"])
    assert cli("run", "slack.send", "Hello").status == 0
    people("set", ME.replace("cli", "telegram").replace(os_user(), "42"), "--role", "none")
    assert CANARIES["text"] in cli("people").out
    log = (home / "logs" / "connectors.log").read_text()
    assert log
    assert CANARIES["text"] not in log
    assert CANARIES["text"] not in cli("audit").out + cli("callers").out + cli("runs").out
