"""Forms, the question whether to send again, and the home tab."""

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import targets
from core.sandbox.slack import BOT_USER
from tests.support.sandbox import Answer, Delay, DropAfter
from tests.support.sandbox.slack_identity import COLLEAGUE, GUEST, PERSON, STRANGER
from tests.support.slack import ME, at_work
from tests.support.waiting import wait_for

MAIL = {"to": "delivered@resend.dev", "subject": "Hi", "text": "One.\nTwo = 2"}


def opened(slack, command="/levqor-email-send", **more):
    """Type a command with nothing after it; its exchange, once the form is open."""
    before = slack.people.views.last
    done = slack.people.command(command, " ", **more)
    assert (done.acked, done.ack) == (True, None)
    wait_for(lambda: slack.people.views.last != before)
    return done


def said(view):
    return view["blocks"][0]["text"]["text"]


def test_a_command_without_words_opens_its_form_and_the_form_sends(slack, sandbox):
    done = opened(slack)
    view = slack.people.views.last
    assert view["title"]["text"] == "Send an e-mail"
    assert [block["block_id"] for block in view["blocks"]] == ["to", "subject", "text"]
    taken = slack.people.submit_view(MAIL)
    run = slack.engine.ledger.runs(1)[0].run
    assert said(taken.ack["view"]) == (
        f"E-mail: sending, run {run}\nThe answer comes as a message."
    )
    assert done.waits(1)[0]["text"].startswith(f"E-mail: sent · run {run}")
    assert sandbox.resend.received[-1].json["text"] == "One.\nTwo = 2"


def test_every_fault_stands_beside_its_field_and_nothing_is_sent(slack, sandbox):
    opened(slack)
    taken = slack.people.submit_view({**MAIL, "to": "nobody", "subject": "x" * 201})
    assert taken.ack["response_action"] == "errors"
    assert sorted(taken.ack["errors"]) == ["subject", "to"]
    assert slack.people.views.last is not None
    assert slack.people.submit_view(MAIL).ack["response_action"] == "update"
    wait_for(lambda: len(sandbox.resend.writes) == 1)


def test_rows_and_properties_are_read_from_lines(slack, sandbox):
    opened(slack, "/levqor-sheets-append").payload.clear()
    slack.people.submit_view({"values": "a,1\nb,2"})
    wait_for(lambda: sandbox.sheets.writes)
    assert sandbox.sheets.writes[0].json["values"] == [["a", 1], ["b", 2]]
    opened(slack, "/levqor-notion-create")
    slack.people.submit_view({"props": "Fix login\nStatus=Open"})
    wait_for(lambda: sandbox.notion.writes)
    assert slack.people.views.last["title"]["text"] == "Create a Notion page"


def test_a_form_that_is_delivered_twice_sends_once(slack, sandbox):
    opened(slack)
    first = slack.people.submit_view(MAIL)
    again = slack.people.replay(first)
    run = slack.engine.ledger.runs(1)[0].run
    assert f"run {run}" in said(again.ack["view"])
    wait_for(lambda: sandbox.resend.writes)
    assert len(slack.engine.ledger.runs()) == len(sandbox.resend.writes) == 1


def test_a_form_that_is_changed_after_it_was_taken_sends_nothing_more(slack, sandbox):
    slack.unlimited()
    opened(slack)
    first = slack.people.submit_view(MAIL)
    first.payload["view"]["state"]["values"]["subject"]["value"]["value"] = "Other"
    again = slack.people.replay(first)
    run = slack.engine.ledger.runs(1)[0].run
    assert f"was sent before, as run {run}; nothing more was sent." in said(again.ack["view"])
    assert len(slack.engine.ledger.runs()) == 1


def test_the_same_form_within_a_minute_is_asked_about(slack, sandbox):
    slack.unlimited()
    opened(slack).payload.clear()
    slack.people.submit_view(MAIL)
    opened(slack)
    asked = slack.people.submit_view(MAIL)
    assert "Send it again?" in said(asked.ack["view"])
    assert asked.ack["view"]["submit"]["text"] == "Send again"
    assert len(slack.engine.ledger.runs()) == 1
    yes = slack.people.submit_view()
    assert "E-mail: sending" in said(yes.ack["view"])
    again = slack.people.replay(yes)
    assert f"run {slack.engine.ledger.runs(1)[0].run}" in said(again.ack["view"])
    wait_for(lambda: len(sandbox.resend.writes) == 2)
    assert len(slack.engine.ledger.runs()) == 2


def test_no_form_is_opened_where_the_quota_is_spent(slack):
    slack.send("hello").waits(1)
    done = slack.send("")
    assert "Free plan: 1 slack call/day." in done.ack["text"]
    assert slack.people.views.last is None


def test_a_form_slack_does_not_open_is_said(slack, sandbox):
    refused = Answer(200, json={"ok": False, "error": "expired_trigger_id"})
    sandbox.slack.next(refused, on="views.open")
    done = slack.send("")
    assert done.waits(1)[0]["text"] == "Slack did not open the form (expired_trigger_id)."


def test_a_replayed_command_opens_no_second_form_and_says_nothing(slack, sandbox):
    done = opened(slack)
    slack.people.replay(done)
    wait_for(lambda: len(sandbox.slack.calls("views.open")) == 2)
    slack.ask("whoami")
    assert len(slack.people.views.opened) == 1
    assert done.replies == []


def test_a_defaults_value_is_shown_and_may_be_left_out(home, sandbox):
    with at_work(home, sandbox) as slack:
        opened(slack, "/levqor-sheets-append")
        first = slack.people.views.last["blocks"][0]
        assert (first["block_id"], first["optional"]) == ("range", True)
        assert "Left out, it is" in first["hint"]["text"]


def test_a_member_of_two_workspaces_of_one_organisation_is_a_member(slack, sandbox):
    opened(slack, user=COLLEAGUE)
    assert "E-mail: sending" in said(slack.people.submit_view(MAIL, user=COLLEAGUE).ack["view"])
    wait_for(lambda: sandbox.resend.writes)


def test_whoever_fills_in_a_form_from_another_workspace_is_refused(slack, sandbox):
    opened(slack)
    refused = slack.people.submit_view(MAIL, user=STRANGER)
    assert "members of its own workspace only" in refused.ack["errors"]["to"]
    without = Answer(200, json={"ok": False, "error": "missing_scope"})
    sandbox.slack.always(without, on="users.info")
    for user in (STRANGER, COLLEAGUE):
        # Nobody tells Levqor now who belongs here, but for the workspace in the payload.
        refused = slack.people.submit_view(MAIL, user=user)
        assert "members of its own workspace only" in refused.ack["errors"]["to"]
    assert slack.engine.ledger.runs() == []


def test_a_guest_gets_no_form_and_no_home(slack):
    assert "does not answer guests" in slack.send("", user=GUEST).ack["text"]
    assert slack.people.event("app_home_opened", user=GUEST, tab="home").acked
    slack.ask("whoami")
    assert slack.people.views.opened == slack.people.views.homes == {}


# The home tab


def home_of(slack, user=PERSON):
    slack.people.views.homes.clear()
    assert slack.people.event("app_home_opened", tab="home", user=user).acked
    wait_for(lambda: user in slack.people.views.homes)
    return slack.people.views.homes[user]


def texts(view):
    return "\n".join(
        block["text"]["text"] for block in view["blocks"] if block["type"] in ("header", "section")
    )


def test_the_home_tab_shows_actions_runs_quota_and_health(slack):
    assert "No runs yet." in texts(home_of(slack))
    run = slack.send("hello").waits(1)[0]["text"].rpartition(" ")[2]
    view = home_of(slack)
    labels = [e["text"]["text"] for b in view["blocks"] for e in b.get("elements", [])]
    assert labels == [action.title for _, _, action in slack.bot.commands.actions()]
    shown = texts(view)
    assert f"Send a Slack message: sent, just now · run {run}" in shown
    assert f"You are {ME}, on the free plan." in shown
    assert "slack.send: 1 of 1 used" in shown
    every = len(CONNECTORS)
    assert f"{every} of {every} services are set up; none is checked yet." in shown
    assert "Interface Slack:" in shown
    assert "To check now: /levqor health live" in shown


def test_the_home_tab_says_plainly_what_is_in_doubt_and_what_was_not_sent(slack, sandbox):
    slack.unlimited()
    sandbox.slack.next(DropAfter(), on="webhook")
    slack.send("one").waits(1)
    sandbox.slack.next(Answer(403, body="invalid_token"), on="webhook")
    slack.send("two").waits(1)
    shown = texts(home_of(slack))
    assert "Send a Slack message: may or may not have been sent, just now" in shown
    assert "Send a Slack message: refused, just now" in shown


def test_a_form_from_the_home_tab_answers_with_a_direct_message(slack, sandbox):
    assert slack.people.click(home_of(slack), "Send an e-mail").acked
    wait_for(lambda: slack.people.views.last)
    slack.people.submit_view(MAIL)
    wait_for(lambda: sandbox.slack.messages)
    assert sandbox.slack.messages[0]["channel"] == f"D{PERSON[1:]}"
    assert sandbox.slack.messages[0]["text"].startswith("E-mail: sent · run ")


def test_a_button_of_the_home_tab_says_a_spent_quota_in_place_of_a_form(slack):
    slack.send("hello").waits(1)
    slack.people.click(home_of(slack), "Send a Slack message")
    wait_for(lambda: slack.people.views.last)
    assert "Free plan: 1 slack call/day." in said(slack.people.views.last)
    assert slack.people.views.last["submit"] is None


def test_the_messages_tab_draws_no_home(slack, sandbox):
    assert slack.people.event("app_home_opened", tab="messages").acked
    slack.ask("whoami")
    assert sandbox.slack.calls("views.publish") == []


def test_a_look_of_the_bots_own_draws_no_home(slack, sandbox):
    assert slack.people.event("app_home_opened", user=BOT_USER, tab="home").acked
    slack.ask("whoami")
    assert sandbox.slack.calls("views.publish") == []


def test_an_event_nobody_asked_for_is_acknowledged(slack):
    assert slack.people.event("reaction_added").acked


def test_a_slow_form_is_no_slow_acknowledgement(slack, sandbox):
    sandbox.slack.next(Delay(2.0), on="views.open")
    assert slack.send("").latency < 1.9
    wait_for(lambda: slack.people.views.last)


def test_a_form_offers_the_targets_and_what_is_sent_goes_to_the_chosen_one(slack, sandbox):
    where = {"to": "bob@example.com"}
    targets.add(slack.engine, "ops", "email.send", where, None, by=Caller("cli", "root"))
    opened(slack)
    blocks = {block["block_id"]: block for block in slack.people.views.last["blocks"]}
    assert list(blocks) == ["target", "to", "subject", "text"]
    assert [each["value"] for each in blocks["target"]["element"]["options"]] == ["ops"]
    assert [blocks[name]["optional"] for name in blocks] == [True, True, False, False]
    assert "bob@example.com" not in str(blocks)
    ops = blocks["target"]["element"]["options"][0]
    both = slack.people.submit_view({**MAIL, "target": ops})
    assert both.ack["errors"] == {"to": "is filled in by the target ops: give one of the two"}
    del (mail := dict(MAIL))["to"]
    neither = slack.people.submit_view(mail)
    assert neither.ack["errors"] == {"to": "is required"}
    assert slack.people.submit_view({**mail, "target": ops}).ack["response_action"] == "update"
    wait_for(lambda: [one.json["to"] for one in sandbox.resend.writes] == [["bob@example.com"]])


def test_a_target_that_went_while_its_form_was_open_is_told_beside_the_choice(slack, sandbox):
    root = Caller("cli", "root")
    targets.add(slack.engine, "ops", "email.send", {"to": "ann@example.com"}, None, by=root)
    opened(slack)
    ops = slack.people.views.last["blocks"][0]["element"]["options"][0]
    targets.remove(slack.engine, "ops", by=root)
    taken = slack.people.submit_view({"subject": "Hi", "text": "Hello", "target": ops})
    assert taken.ack["errors"] == {"target": "is no target here"}
    assert sandbox.resend.writes == []
