"""deploy/: the proxies, Prometheus and its rules, Grafana's page, containers; the real programs."""

import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.support.machine import BOT_URL, DEPLOY, Machine, lacking, program
from tests.support.postgres import binaries
from tests.support.waiting import wait_for

SITE = "https://localhost"
SIGNING = "0123456789abcdef0123456789abcdef"
LOG = "/var/lib/levqor/.local/share/levqor/logs/connectors.log"
PROMETHEUS = "http://127.0.0.1:9090/api/v1"
NEEDED = {
    "caddy": "/usr/bin/caddy",
    "nginx": "/usr/sbin/nginx",
    "prometheus": "/usr/bin/prometheus",
}

pytestmark = pytest.mark.xdist_group("machine")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A server with the bot on it, which trusts a proxy and is posted to by Slack."""
    if why := lacking():
        pytest.skip(why)
    with Machine(tmp_path_factory.mktemp("server")) as machine:
        settings = machine.sandbox()
        more = {"LEVQOR_TRUSTED_PROXIES": "127.0.0.1", "SLACK_SIGNING_SECRET": SIGNING,
                "LEVQOR_TELEGRAM": "off", "LEVQOR_DEFAULT_PLAN": "pro"}  # fmt: skip
        machine.server({**settings, "SLACK_APP_TOKEN": "", **more}, {})
        yield machine


@pytest.fixture(scope="module")
def token(machine):
    return machine.as_levqor("token", "new", "everything", "--only", "*,live,metrics").strip()


def needs(name):
    if not Path(NEEDED[name]).exists():
        pytest.skip(f"{name} is not installed: make system")


@pytest.fixture(params=["caddy", "nginx"])
def proxy(request, machine):
    """A proxy as Debian brings it, with our file, in front of the bot."""
    needs(request.param)
    if request.param == "caddy":
        machine.write("/etc/caddy/Caddyfile", (DEPLOY / "Caddyfile").read_text("utf-8"))
        drop = "[Service]\nEnvironment=LEVQOR_SITE=localhost\n"
        machine.write("/etc/systemd/system/caddy.service.d/site.conf", drop)
    else:
        site = (DEPLOY / "nginx.conf").read_text("utf-8")
        machine.write("/etc/nginx/sites-enabled/levqor", site)
        machine.run("rm", "/etc/nginx/sites-enabled/default")
        folder = "/etc/letsencrypt/live/levqor.example.com"
        machine.done("mkdir", "-p", folder)
        machine.done("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                     "/CN=localhost", "-keyout", f"{folder}/privkey.pem", "-out",
                     f"{folder}/fullchain.pem")  # fmt: skip
        machine.done("nginx", "-t")
    machine.done("systemctl", "daemon-reload")
    machine.done("systemctl", "start", request.param)
    # Caddy makes a certificate first.
    wait_for(lambda: machine.curl(f"{SITE}/ops/uptime")[0] == 401, 60)
    yield request.param
    machine.done("systemctl", "stop", request.param)


def rejections(machine):
    lines = [json.loads(line) for line in machine.done("cat", LOG).splitlines()]
    return [line for line in lines if line["status"] == "unauthorized"]


def test_a_proxy_lets_tokens_and_slack_in_nobody_else_and_hides_no_address(machine, token, proxy):
    bearer = ("-H", f"Authorization: Bearer {token}")
    status, body, headers = machine.curl(f"{SITE}/actions/health", *bearer)
    assert (status, json.loads(body)["total"]) == (200, 5)
    assert headers["strict-transport-security"] == "max-age=31536000"
    status, sent, _ = machine.curl(
        f"{SITE}/actions/slack.send", *bearer, "-H", "Content-Type: application/json",
        "-d", '{"text": "Grüße"}',
    )  # fmt: skip
    assert (status, json.loads(sent)["status"]) == (200, "sent")

    # The same machine through the proxy, as it says it is another, and straight.
    source = "127.0.0.5" if proxy == "caddy" else "127.0.0.6"
    asks = ("--interface", source, "-H")
    status, refused, _ = machine.curl(f"{SITE}/ops/uptime", *asks, "X-Forwarded-For: 9.9.9.9")
    assert (status, json.loads(refused)["reason"]) == (401, "token_needed")
    machine.curl(f"{BOT_URL}/ops/uptime", *asks, "Authorization: Bearer wrong")
    wait_for(lambda: len({line["error"] for line in rejections(machine)[-2:]}) == 2)
    assert len({line["ip"] for line in rejections(machine)[-2:]}) == 1

    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics"):
        assert machine.curl(f"{SITE}{path}", "--path-as-is", *bearer)[0] == 404
    for name in ("localhost", "levqor.example.com"):
        status, _, headers = machine.curl("http://localhost/help", "-H", f"Host: {name}")
        if status == 308:
            assert headers["location"].startswith(f"https://{name}/")
            break
    else:
        pytest.fail("http does not lead to https")

    form = b"payload=" + quote(json.dumps({"type": "url_verification", "challenge": "äé"})).encode()
    stamp = str(int(time.time()))
    signed = hmac.new(SIGNING.encode(), f"v0:{stamp}:".encode() + form, hashlib.sha256).hexdigest()
    for signature, answer in ((signed, 200), ("0" * 64, 401)):
        status, _, _ = machine.curl(
            f"{SITE}/slack/events", "-H", f"X-Slack-Request-Timestamp: {stamp}",
            "-H", f"X-Slack-Signature: v0={signature}", "-d", form.decode(),
        )  # fmt: skip
        assert status == answer


def test_what_is_too_large_is_said_through_a_proxy_too(machine, token, proxy):
    given = ("-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json", "-H",
             "Expect:", "-d", "@/run/large")  # fmt: skip
    for size, error in ((300_000, "validation_error"), (3_000_000, None)):
        machine.write("/run/large", json.dumps({"text": "x" * size}))
        status, body, _ = machine.curl(f"{SITE}/actions/slack.send", *given)
        assert status == 413, (proxy, body)
        assert error is None or json.loads(body)["error"] == error


def test_prometheus_reads_every_number_that_rules_and_page_use(machine):
    needs("prometheus")
    token = machine.as_levqor("token", "new", "prometheus", "--only", "metrics").strip()
    folder = "/etc/levqor-prometheus"
    config = (DEPLOY / "prometheus.yml").read_text("utf-8").replace("30s", "1s")
    machine.write(f"{folder}/prometheus.yml", config)
    machine.write(f"{folder}/levqor-alerts.yml", (DEPLOY / "levqor-alerts.yml").read_text("utf-8"))
    machine.write(f"{folder}/levqor.token", token)
    machine.done("promtool", "check", "config", f"{folder}/prometheus.yml")
    where = (f"--config.file={folder}/prometheus.yml", "--storage.tsdb.path=/run/tsdb")
    listens = "--web.listen-address=127.0.0.1:9090"
    machine.done("systemd-run", "--quiet", "--unit=prom", "prometheus", *where, listens)
    wait_for(lambda: machine.curl("http://127.0.0.1:9090/-/ready")[0] == 200, 60)

    def ask(query):
        _, body, _ = machine.curl(f"{PROMETHEUS}/query", "--data-urlencode", f"query={query}")
        answer = json.loads(body or "{}")
        return answer.get("status"), answer.get("data", {}).get("result", [])

    wait_for(lambda: any(one["value"][1] == "1" for one in ask("up")[1]), 60)
    _, numbers, _ = machine.curl(f"{BOT_URL}/metrics", "-H", f"Authorization: Bearer {token}")
    machine.done("promtool", "check", "metrics", stdin=numbers)
    there = set(re.findall(r"(?m)^# TYPE (\w+)", numbers))
    queries = expressions()
    assert len(queries) > 15
    for query in queries:
        used = re.findall(r"\blevqor_\w+", query)
        assert {re.sub("_(bucket|sum|count)$", "", name) for name in used} <= there
        status, _ = ask(query.replace("$__rate_interval", "5m"))
        assert status == "success", query
    wait_for(lambda: '"lastEvaluation"' in machine.curl(f"{PROMETHEUS}/rules")[1])
    (group,) = json.loads(machine.curl(f"{PROMETHEUS}/rules")[1])["data"]["groups"]
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
    assert {rule["state"] for rule in group["rules"]} == {"inactive"}


def expressions():
    """Every query of the rules and of Grafana's page."""
    rules = yaml.safe_load((DEPLOY / "levqor-alerts.yml").read_text("utf-8"))
    page = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + [
        target["expr"] for panel in page["panels"] for target in panel["targets"]
    ]


def test_each_alert_comes_when_it_should_and_only_then():
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed: make system")
    command = ["promtool", "test", "rules", str(Path(__file__).with_name("alerts_test.yml"))]
    tested = subprocess.run(command, check=False, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_grafana_s_page_is_laid_out_without_gaps_or_overlaps():
    page = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    cells = [
        (x, y)
        for panel in page["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])
    sources = {json.dumps(part["datasource"]) for panel in page["panels"]
               for part in (panel, *panel["targets"])}  # fmt: skip
    assert sources == {'{"type": "prometheus", "uid": "${source}"}'}


def test_the_compose_file_has_the_shape_that_its_schema_gives_and_locks_its_bots_in():
    file = DEPLOY / "compose.yaml"
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    command = [*program, "vendor.compose-spec", str(file)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    for profile, count in (("one", 1), ("postgres", 3)):
        bots = [service for service in services.values()
                if service.get("image") == "levqor" and profile in service["profiles"]]  # fmt: skip
        assert len(bots) == count
        for bot in bots:
            assert (bot["read_only"], bot["cap_drop"]) == (True, ["ALL"])
            assert "ports" not in bot
            assert ("LEVQOR_DATABASE_URL" in bot["environment"]) is (count > 1)
            homes = {volume.split(":")[0] for volume in bot["volumes"] if "/levqor" in volume}
            assert len(homes) == 1
    # The folder that is mounted there is the one where the image looks for secrets.
    container = (DEPLOY / "Containerfile").read_text("utf-8")
    assert "CREDENTIALS_DIRECTORY=/run/secrets" in container
    assert all("./secrets:/run/secrets:ro" in service["volumes"]
               for service in services.values() if service.get("image") == "levqor")  # fmt: skip


def test_three_bots_of_the_compose_file_share_a_database_and_one_may_die(machine):
    needs("caddy")
    if (programs := binaries()) is None:
        pytest.skip("PostgreSQL is not installed: make system")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    shared = compose["bot1"]["environment"]
    socket = compose["postgres"]["volumes"][1].partition(":")[2].replace("/var/run", "/run")
    as_postgres = ("runuser", "-u", "postgres", "--")
    machine.done("install", "-d", "-o", "postgres", "/run/data", socket)
    user = compose["postgres"]["environment"]["POSTGRES_USER"]
    machine.done(*as_postgres, programs / "initdb", "-D", "/run/data", "-A", "trust", "-U", user,
                 "-E", "UTF8", "--locale=C", "--no-sync")  # fmt: skip
    options = f"-k {socket} -c listen_addresses= -c fsync=off"
    machine.done(*as_postgres, programs / "pg_ctl", "-D", "/run/data", "-w", "-l", "/run/data/log",
                 "-o", options, "start")  # fmt: skip
    machine.done(*as_postgres, programs / "createdb", "-h", socket, "-U", "levqor", "levqor")

    machine.write("/run/levqor.key", "k" * 32, "600")
    machine.done("chown", "levqor", "/run/levqor.key")
    given = {**shared, "LEVQOR_KEY_FILE": "/run/levqor.key", "LEVQOR_DEFAULT_PLAN": "pro",
             "SLACK_WEBHOOK_URL": machine.sandbox()["SLACK_WEBHOOK_URL"]}  # fmt: skip
    environment = [f"--setenv={name}={value}" for name, value in given.items()]
    bots = {name: f"127.0.0.1:880{name[-1]}" for name in ("bot1", "bot2", "bot3")}
    as_levqor = ("-p", "User=levqor", "-p", "UMask=0077", *environment)
    for name, address in bots.items():
        home = f"/var/lib/levqor/{name}"
        machine.done("systemd-run", "--quiet", f"--unit={name}", *as_levqor,
                     program("levqor-bot"), "--home", home, "--http", address)  # fmt: skip
    made = machine.done("systemd-run", "--quiet", "--wait", "--pipe", *as_levqor, program("levqor"),
                        "--home", "/var/lib/levqor/bot1", "token", "new", "ci",
                        "--only", "*,live,metrics").strip()  # fmt: skip
    token = ("-H", f"Authorization: Bearer {made}")
    for address in bots.values():
        wait_for(lambda at=address: machine.curl(f"http://{at}/ops/uptime", *token)[0] == 200, 60)

    machine.write("/run/Caddyfile", (DEPLOY / "Caddyfile").read_text("utf-8"))
    site = ("--setenv=LEVQOR_SITE=http://localhost:8080", "--setenv=HOME=/run",
            f"--setenv=LEVQOR_BOTS={' '.join(bots.values())}")  # fmt: skip
    machine.done("systemd-run", "--quiet", "--unit=front", *site, "caddy", "run", "--config",
                 "/run/Caddyfile", "--adapter", "caddyfile")  # fmt: skip
    front = "http://localhost:8080"
    wait_for(lambda: machine.curl(f"{front}/ops/uptime", *token)[0] == 200, 60)
    send = ("-H", "Content-Type: application/json", "-d", '{"text": "Hello"}')
    for turn in range(9):
        if turn == 3:
            machine.done("systemctl", "kill", "--signal=KILL", "bot2")
            wait_for(lambda: "health_checker" in machine.done("journalctl", "-u", "front"))
        status, sent, _ = machine.curl(f"{front}/actions/slack.send", *token, *send)
        assert (status, '"status":"sent"' in sent) == (200, True), (turn, sent)
    counted = 'levqor_runs_total{action="slack.send",outcome="sent",surface="http"} 9.0'
    for name in ("bot1", "bot3"):
        assert counted in machine.curl(f"http://{bots[name]}/metrics", *token)[1].splitlines()

    # Bots that live and cannot take requests get none, and whoever asks is told so.
    machine.done(*as_postgres, programs / "pg_ctl", "-D", "/run/data", "-m", "immediate", "stop")
    wait_for(lambda: machine.curl(f"{front}/ops/live")[0] == 503)
    status, refused, headers = machine.curl(f"{front}/actions/slack.send", *token, *send)
    assert (status, json.loads(refused)["error"], headers["retry-after"]) == (503, "busy", "2")
    assert machine.curl(f"http://{bots['bot1']}/ops/live")[0] == 200
