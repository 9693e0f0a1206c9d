"""A secret that is changed: sending takes it at once, as docs/running/secrets.md says."""

import json
import urllib.error
import urllib.request

import pytest

from core.connectors import CONNECTORS
from tests.support.bot import Program
from tests.support.cli import levqor
from tests.support.waiting import wait_for

SECRETS = [
    (connector, setting.name)
    for connector in CONNECTORS
    for setting in connector.config.settings()
    if setting.secret and setting.required
]


SUCCESS = {"sent", "created", "appended"}


def wrong(name, value):
    """Another secret of the same shape, which no service knows."""
    if name == "GOOGLE_SERVICE_ACCOUNT_JSON":
        account = json.loads(value)
        return json.dumps({**account, "client_email": f"other-{account['client_email']}"})
    return value[:-3] + ("AAA" if not value.endswith("AAA") else "BBB")


@pytest.fixture
def sending(sandbox, home):
    """Start a bot whose secrets are in files, and send through it."""
    given = sandbox.settings()
    secrets = {name: given.pop(name) for _, name in SECRETS}
    files = {name: home / f"{name}.secret" for name in secrets}

    def keep(values):
        for name, value in values.items():
            files[name].write_text(value)
            files[name].chmod(0o600)

    keep({name: wrong(name, value) for name, value in secrets.items()})
    env_file = home / ".env"
    env_file.write_text("".join(f"{name}_FILE={file}\n" for name, file in files.items()))
    env_file.chmod(0o600)
    given |= {"LEVQOR_TELEGRAM": "off"}
    made = levqor("--home", home, "token", "new", "ops", "--plan", "pro", "--output", "json")
    with Program(home, given, "--http", "127.0.0.1:0") as program:
        base = f"http://{program.address}"

        def send(connector):
            (action,) = connector.actions
            request = urllib.request.Request(
                f"{base}/actions/{connector.action_id(action)}",
                json.dumps(dict(action.sample)).encode(),
                {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {made.json['token']}",
                },
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)["status"]
            except urllib.error.HTTPError as refused:
                return json.load(refused)["reason"]

        yield program, send, keep, secrets, env_file


def test_sending_takes_a_new_secret_without_a_restart(sending):
    program, send, keep, secrets, env_file = sending
    refused = {connector.name: send(connector) for connector, _ in SECRETS}
    assert not set(refused.values()) & SUCCESS, refused
    keep(secrets)
    for connector, _ in SECRETS:
        wait_for(lambda connector=connector: send(connector) in SUCCESS)
    # And where it is in .env itself.
    name = "RESEND_API_KEY"
    written = env_file.read_text()
    (email,) = [connector for connector, each in SECRETS if each == name]
    for value, outcomes in ((wrong(name, secrets[name]), {refused["email"]}),
                            (secrets[name], SUCCESS)):  # fmt: skip
        env_file.write_text(f"{written}{name}={value}\n")
        wait_for(lambda outcomes=outcomes: send(email) in outcomes)
    assert program.running
    assert "Settings were read again." in program.said
