"""Nothing private is kept or printed, whatever happens and however much is logged."""

import dataclasses
import io
import json
import logging
import signal
import subprocess
import sys
import traceback

import pytest
from pydantic import ValidationError

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine
from core.errors import LevqorError
from core.ledger import Ledger
from core.logs import quiet_libraries
from tests.support.canary import CANARIES, addresses, assert_clean, secrets
from tests.support.cli import PATIENCE_S, ROOT, environment
from tests.support.sandbox import Answer, DropAfter, DropBefore, Hang
from tests.support.waiting import wait_for

# `levqor` with everything that can be logged on standard error.
LOUD = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from core.cli import main
sys.exit(main())
"""
CRASH = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from core.cli import main, options
from core.cli.app import app
@app.command()
def crash(output: options.Output = None): raise ValueError(sys.stdin.read())
sys.exit(main())
"""

ACTIONS = {
    connector.action_id(action): action.input
    for connector in CONNECTORS
    for action in connector.actions
}


SERVICES = {setting.name for connector in CONNECTORS for setting in connector.config.settings()}


def filled(spec, form="{0}"):
    """A canary for a field, its own where it has one; in a mapping as a name as well."""
    canary = form.format(CANARIES.get(spec.name, CANARIES["text"]))
    if spec.kind == "rows":
        return [[form.format(CANARIES["cell"]), canary]]
    if spec.kind == "mapping":
        return {spec.takes_text: CANARIES["title"], form.format(CANARIES["property"]): canary}
    return canary


def taken(contract, spec):
    """A canary that the contract takes for a field; its example where it takes none."""
    examples = {one.name: one.example for one in contract.fields()}
    try:
        contract.model_validate({**examples, spec.name: filled(spec)})
    except ValidationError:
        return spec.example
    return filled(spec)


# One input for every action, a canary in every field; None of them is refused by the contract.
INPUTS = {
    action_id: {spec.name: taken(contract, spec) for spec in contract.fields()}
    for action_id, contract in ACTIONS.items()
}
# What must be given and no more, so that the sandbox's services take it.
ACCEPTED = {
    action_id: {
        spec.name: {spec.takes_text: CANARIES["title"]}
        if spec.kind == "mapping"
        else INPUTS[action_id][spec.name]
        for spec in contract.fields()
        if spec.required
    }
    for action_id, contract in ACTIONS.items()
}
# What the contract refuses, a canary in every place an error could quote: for its shape, its
# length and a character, and for a field that there is not.
REFUSED = {
    action_id: [
        {"a_field": CANARIES["text"], **{one.name: filled(one, form) for one in contract.fields()}}
        for form in ("{0}!!", "{0}" * 200, "{0}\x1b")
    ]
    for action_id, contract in ACTIONS.items()
}


def echo(settings):
    """What an upstream might send back: the payload and our own credentials, in its words."""
    return " ".join([*CANARIES.values(), *secrets(settings)])


def answers(settings):
    """Everything an upstream may do, each answer full of what must not be passed on."""
    told = echo(settings)
    for status in (200, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503, 529):
        headers = {"Location": f"https://example.com/{CANARIES['echo']}", "Retry-After": "0"}
        yield Answer(
            status,
            json={
                "ok": False, "error": told, "error_code": status, "description": told,
                "message": told, "name": "validation_error", "code": "validation_error",
                "object": "error", "status": status, "request_id": told,
            },
            headers=headers,
        )  # fmt: skip
        yield Answer(status, told, headers={"Retry-After": "0"})
        yield Answer(
            status,
            json={"error": {"code": status, "message": told, "status": told, "details": [told]}},
            headers={"Retry-After": "0"},
        )
    yield DropBefore()
    yield DropAfter()


@pytest.fixture
def noise():
    """Everything that is logged, from DEBUG up, by whoever logs it."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(handler)
    root.setLevel(level)


def told(error):
    """All that is known of an error to whoever prints it."""
    causes = [error.__cause__, error.__context__]
    parts = [str(error), repr(error), json.dumps(error.body()), *traceback.format_exception(error)]
    return "\n".join([*parts, *(str(cause) for cause in causes if isinstance(cause, LevqorError))])


def test_whatever_an_upstream_answers_nothing_of_it_is_kept_or_said(
    home, sandbox, settings, noise, capfd
):
    quiet_libraries(settings.redactor(), settings.loggers())
    caller = Caller("cli", "ann")
    said = []
    with Engine.open(settings) as engine:
        engine.ledger.set_plan(str(caller), "pro")
        for answer in answers(sandbox.settings()):
            for service in sandbox.services:
                service.always(answer)
            started = []
            for action_id in engine.action_ids():
                for values in (INPUTS[action_id], ACCEPTED[action_id]):
                    accepted = engine.accept(action_id, values, caller)
                    started.append(engine.start(accepted))
            for future in started:
                settled = future.result(40)
                said.append(json.dumps(settled.body()))
                if settled.error is not None:
                    said.append(told(settled.error))
    heard = capfd.readouterr()
    assert len(said) > 300
    hidden = [*CANARIES.values(), *secrets(sandbox.settings())]
    assert_clean(heard.out, heard.err, noise.getvalue(), home, canaries=hidden)
    assert_clean(*said, canaries=hidden)


def test_a_fault_of_our_own_tells_nothing_of_what_was_being_sent(
    home, sandbox, settings, noise, capfd
):
    def crash(given, config, out):
        raise RuntimeError(f"{given} {config.__dict__} {echo(sandbox.settings())}")

    broken = [
        dataclasses.replace(
            connector, actions=tuple(dataclasses.replace(a, send=crash) for a in connector.actions)
        )
        for connector in CONNECTORS
    ]
    quiet_libraries(settings.redactor(), settings.loggers())
    said = []
    with Engine.open(settings, connectors=broken) as engine:
        for action_id, values in ACCEPTED.items():
            settled = engine.run(action_id, values, Caller("cli", "ann"))
            assert settled.outcome == "unknown"
            said += [json.dumps(settled.body()), str(settled.error), repr(settled)]
    heard = capfd.readouterr()
    hidden = [*CANARIES.values(), *secrets(sandbox.settings())]
    assert_clean(*said, heard.out, heard.err, noise.getvalue(), home, canaries=hidden)


def loud(*args, env, stdin="", program=LOUD):
    """Run a command in its own process, everything logged; (status, all it printed)."""
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(PYTHONASYNCIODEBUG="1", **env),
        cwd=ROOT,
        timeout=PATIENCE_S,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def levqor(home, sandbox):
    """Run `levqor` loudly; when the test ends, look through all it said and kept."""
    said = []

    def run(*args, env=None, **more):
        status, printed = loud(
            "--home", home, *args, env={**sandbox.settings(), **(env or {})}, **more
        )
        said.append(printed)
        return status

    yield run
    real = sandbox.settings()
    assert len(said) > 1
    assert_clean(*said, home, canaries=[*CANARIES.values(), *secrets(real)])
    assert_clean(home, canaries=addresses(real))


@pytest.mark.parametrize("action_id", ACTIONS)
def test_each_input_holds_a_canary(action_id):
    for values in (INPUTS[action_id], ACCEPTED[action_id], *REFUSED[action_id]):
        assert any(canary in json.dumps(values) for canary in CANARIES.values())


@pytest.mark.parametrize("action_id", ACCEPTED)
def test_a_success_and_a_refusal_say_and_keep_nothing(levqor, sandbox, action_id):
    assert levqor("run", action_id, "--json", "-", stdin=json.dumps(ACCEPTED[action_id])) == 0
    # The day's quota is spent now.
    assert levqor("run", action_id, "--json", "-", stdin=json.dumps(ACCEPTED[action_id])) == 4
    for values in REFUSED[action_id]:
        bad = json.dumps(values)
        assert levqor("run", action_id, "--json", "-", "--output", "json", stdin=bad) == 2
    for service in sandbox.services:
        service.always(Answer(401, echo(sandbox.settings())))
    given = json.dumps(INPUTS[action_id])
    env = {"LEVQOR_HOME": "ignored"}
    assert levqor("--surface", "tray", "run", action_id, "--json", "-", stdin=given, env=env) == 1


def test_every_question_says_and_keeps_nothing(levqor, sandbox, home):
    for service in (sandbox.slack, sandbox.telegram):
        service.always(Answer(403, echo(sandbox.settings())))
    assert levqor("smoke", "--evidence", home / "evidence") == 1
    assert levqor("health", "--live") == 1
    assert levqor("doctor") == 1
    for words in (["runs"], ["usage"], ["health"], ["callers"], ["token", "list"], ["prune"]):
        assert levqor(*words, "--output", "json") == 0
    assert levqor("backup", home / "copy.db") == 0
    assert levqor("restore", home / "copy.db") == 7
    (home / "levqor.db").unlink()
    assert levqor("restore", home / "copy.db") == 0
    assert list((home / "evidence").iterdir())


def test_settings_that_are_wrong_are_named_and_never_shown(levqor):
    assert levqor("doctor", env=WRONG) == 1
    assert levqor("health", "--live", env=WRONG) == 0
    assert levqor("smoke", env=WRONG) == 3
    assert levqor("run", "slack.send", "hello", env=WRONG) == 3
    assert levqor("run", "slack.send", "--json", "-", stdin=f'{{"text": "{CANARIES["text"]}') == 2
    assert levqor("doctor", env={**WRONG, **WRONG_OWN}) == 1
    assert levqor("health", env=WRONG_OWN) == 3


WRONG = {
    # No secret and no address can be this; what is more particular stands below.
    **{
        setting.name: f"{CANARIES['text']}/.. {CANARIES['cell']}\u00e4"
        for connector in CONNECTORS
        for setting in connector.config.settings()
        if not setting.env_only
    },
    "SLACK_WEBHOOK_URL": f"https://{CANARIES['text']}/services/T1/B1/{CANARIES['cell']}",
    "SLACK_BOT_TOKEN": CANARIES["text"],
    "NOTION_API_KEY": f"{CANARIES['text']}\u00e4\n",
    "NOTION_DATABASE_ID_DEFAULT": CANARIES["text"],
    "GOOGLE_SERVICE_ACCOUNT_JSON": json.dumps({"private_key": CANARIES["text"]}),
    "GOOGLE_SHEETS_SPREADSHEET_ID": f"{CANARIES['text']} {CANARIES['cell']}",
    "SHEETS_RANGE_DEFAULT": f"{CANARIES['range']}!!",
    "TELEGRAM_BOT_TOKEN": f"{CANARIES['text']}/..",
    "TELEGRAM_CHAT_ID_DEFAULT": f"{CANARIES['text']} {CANARIES['cell']}",
    "RESEND_API_KEY": f"{CANARIES['text']}\u00e4",
    "RESEND_FROM": f"{CANARIES['text']}\u00e4",
    "LEVQOR_RECIPIENTS": CANARIES["text"],
}
WRONG_OWN = {
    "LEVQOR_HTTP": CANARIES["text"],
    "LEVQOR_ALLOW": CANARIES["text"],
    "LEVQOR_ADMINS": CANARIES["text"],
    "LEVQOR_KEEP_DAYS": CANARIES["text"],
    "LEVQOR_TELEGRAM": CANARIES["text"],
    "LEVQOR_TRUSTED_PROXIES": CANARIES["text"],
    "ALLOWED_ORIGINS": CANARIES["text"],
    "SLACK_API_URL": f"ftp://{CANARIES['text']}",
    "TELEGRAM_API_URL": f"http://{CANARIES['text']}",
}


def test_an_account_whose_service_repeats_its_secrets_tells_none(home, sandbox):
    # The first account is not set up: what is hidden is hidden as the further one's.
    real = sandbox.settings()
    env = {f"{name}__ACME": value for name, value in real.items() if name in SERVICES}
    for service in sandbox.services:
        service.always(Answer(403, echo(real)))
    said = []
    for words in (["health", "--live"], ["doctor"], ["doctor", "--output", "json"]):
        status, printed = loud("--home", home, *words, env=env)
        assert status == 1
        assert "(acme)" in printed
        said.append(printed)
    wrong = {f"{name}__ACME": value for name, value in WRONG.items()}
    status, printed = loud("--home", home, "doctor", env=wrong)
    assert status == 1
    assert all(name in printed for name in wrong)
    hidden = [*CANARIES.values(), *secrets(real)]
    assert_clean(*said, printed, home, canaries=hidden)
    assert_clean(home, canaries=addresses(real))


def test_a_crash_of_the_program_tells_its_place_and_not_its_words(levqor, sandbox):
    everything = echo(sandbox.settings())
    assert levqor("crash", program=CRASH, stdin=everything) == 7
    assert levqor("crash", "--output", "json", program=CRASH, stdin=everything) == 7


def test_a_process_that_is_killed_leaves_nothing_behind(levqor, sandbox, home):
    for service in sandbox.services:
        service.always(Hang(30))
    children = []
    for action_id, values in ACCEPTED.items():
        child = subprocess.Popen(
            [sys.executable, "-c", LOUD, "--home", home, "run", action_id, "--json", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(**sandbox.settings()), cwd=ROOT,
        )  # fmt: skip
        child.stdin.write(json.dumps(values).encode())
        child.stdin.close()
        service = sandbox.service(action_id.partition(".")[0])
        children.append((child, service))
    waiting = dict(children)

    def all_stopped():
        # Stopped, each stays in the middle of its call until the others are in theirs.
        for child in [child for child, service in waiting.items() if service.received]:
            child.send_signal(signal.SIGSTOP)
            del waiting[child]
        return not waiting

    wait_for(all_stopped)
    with Ledger.open(home) as ledger:
        assert [entry.state for entry in ledger.runs()] == ["sending"] * len(children)
    for child, _ in children:
        child.kill()
        child.wait()
    assert_clean(home, canaries=[*CANARIES.values(), *secrets(sandbox.settings())])
    sandbox.clear()
    # The next start settles what the dead left.
    assert levqor("runs") == 0
    assert levqor("doctor") == 0
    with Ledger.open(home) as ledger:
        assert {entry.state for entry in ledger.runs()} == {"unknown"}
