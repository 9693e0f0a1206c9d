"""The doctor on a PostgreSQL database: which one, and whether it works."""

import subprocess

from core.ledger import Ledger
from tests.support import engines
from tests.support.cli import ROOT, levqor
from tests.support.postgres import USER, free_port
from tests.support.waiting import wait_for


def of_the_machine(ran):
    return [one for one in ran.json["findings"] if one["group"] == "machine"]


def doctor(home, url, **env):
    env = {"LEVQOR_DATABASE_URL": url, **env}
    return levqor("--home", home, "doctor", "--output", "json", env=env)


@engines.shared
def test_the_doctor_says_which_database_is_used_and_that_it_works(home, database):
    told = [one["what"] for one in of_the_machine(doctor(home, database))]
    name = database.rpartition("/")[2]
    assert f"The PostgreSQL database {name} on 127.0.0.1 can be used." in told
    assert not [what for what in told if "levqor.db" in what]
    assert not (home / "levqor.db").exists()


@engines.shared
def test_the_doctor_warns_of_a_server_that_may_lose_runs(home, database, cluster, tmp_path):
    # The tests' own server flushes nothing, and whoever copies its log is a standby to it.
    receive = [cluster.programs / "pg_receivewal", "-h", "127.0.0.1", "-p", str(cluster.port)]
    copy = subprocess.Popen([*receive, "-U", USER, "-D", tmp_path, "--no-sync"])
    try:
        wait_for(lambda: cluster.execute("SELECT count(*) FROM pg_stat_replication")[0][0], 30)
        ran = doctor(home, database)
    finally:
        copy.kill()
        copy.wait()
    told = {one["what"]: one["fix"] for one in of_the_machine(ran) if "server" in one["what"]}
    assert told == {
        "The PostgreSQL server has fsync off: a crash may lose accepted runs.": (
            "Set it on in postgresql.conf."
        ),
        "The PostgreSQL server waits for no standby: a failover may lose accepted runs.": (
            "Name one in synchronous_standby_names (Patroni: synchronous_mode: true)."
        ),
    }


@engines.shared
def test_the_doctor_looks_into_the_shared_database_where_the_home_has_none(
    home, database, tmp_path
):
    Ledger.open(home, database).close()
    absent = tmp_path / "absent"
    ran = doctor(absent, database)
    assert "can be used" in " ".join(one["what"] for one in of_the_machine(ran))
    assert not absent.exists()


@engines.shared
def test_a_bot_s_home_is_not_used_without_the_address_of_its_database(home, database):
    with Ledger.open(home, database) as bot:
        bot.announce({})
    for words in (["runs"], ["plan", "set", "cli:ann", "pro"], ["doctor"]):
        ran = levqor("--home", home, *words)
        assert ran.status == (1 if words == ["doctor"] else 7)
        assert "LEVQOR_DATABASE_URL is not set" in ran.out + ran.err
    assert not (home / "levqor.db").exists()
    told = levqor("--home", home, "runs", env={"LEVQOR_DATABASE_URL": database})
    assert told.status == 0
    (home / "levqor.postgresql").unlink()
    assert levqor("--home", home, "plan", "set", "cli:ann", "pro").status == 0


def test_the_doctor_says_that_the_database_cannot_be_reached_and_how_to_fix_it(home):
    url = f"postgresql://ann:SECRET@127.0.0.1:{free_port()}/levqor"
    ran = doctor(home, url)
    assert ran.status == 1
    (wrong,) = [one for one in of_the_machine(ran) if one.get("good") is False]
    assert wrong["what"] == "The PostgreSQL database levqor on 127.0.0.1 cannot be reached."
    assert "LEVQOR_DATABASE_URL" in wrong["fix"]
    assert "SECRET" not in ran.out + ran.err


def test_the_doctor_names_an_address_that_is_none(home):
    ran = doctor(home, "mysql://ann:SECRET@127.0.0.1/levqor")
    (wrong,) = [one for one in ran.json["findings"] if one.get("setting") == "LEVQOR_DATABASE_URL"]
    assert wrong["good"] is False
    assert wrong["place"] == "the environment"
    assert "SECRET" not in ran.out + ran.err


def test_without_psycopg_one_sentence_says_what_to_install(home, tmp_path):
    # What Python finds first under that name fails as psycopg does without libpq.
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')")
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    url = "postgresql://ann@127.0.0.1/levqor"
    sentence = "LEVQOR_DATABASE_URL is set, and Levqor was installed without PostgreSQL."
    ran = doctor(home, url, **path)
    assert sentence in [one["what"] for one in of_the_machine(ran)]
    ran = levqor("--home", home, "usage", env={"LEVQOR_DATABASE_URL": url, **path})
    assert ran.status == 3
    assert ran.err.startswith(sentence)
    assert "levqor[postgres]" in ran.err
    assert "Traceback" not in ran.err
