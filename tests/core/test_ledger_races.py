"""Eight processes of eight callers on one ledger: exact, whoever comes first."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import QuotaSpent
from core.ledger import Ledger
from tests.support import postgres
from tests.support.journal import accept, charged, die, finish
from tests.support.postgres import Cluster
from tests.support.racing import CALLERS, PROCESSES, Racers

EVERYBODY = PROCESSES * CALLERS
WHERE = ("slack", "telegram")

# The processes are started once for each engine.
pytestmark = pytest.mark.xdist_group("races")


ENGINES = ["sqlite", "postgres", *(["pgbouncer"] if os.environ.get("LEVQOR_SOAK") else [])]


@pytest.fixture(scope="module", params=ENGINES)
def started(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("races")
    home.chmod(0o700)
    if request.param == "sqlite":
        with Racers(home, None) as racers:
            yield racers
        return
    server = request.getfixturevalue("cluster" if request.param == "postgres" else "bouncer")
    cluster = request.getfixturevalue("cluster")
    with cluster.database() as name, Racers(home, server.url(name)) as racers:
        racers.engine = request.param
        yield racers


@pytest.fixture
def racers(request, started):
    request.node.user_properties.append(("database", started.engine))
    return started


@pytest.fixture
def ledger(racers):
    with Ledger.open(racers.home, racers.url) as ledger:
        yield ledger


def numbered(what, count):
    return [f"{what}{number}" for number in range(count)]


def by_word(said):
    """What was said, without the runs' names: word to how often."""
    words = {}
    for answer, times in said.items():
        word = answer.split()[0]
        words[word] = words.get(word, 0) + times
    return words


def test_of_all_who_ask_for_a_callers_one_run_a_day_one_gets_it(racers, counts):
    for said in racers.race("quota", numbered("quota", counts(6, 200))).values():
        assert by_word(said) == {"first": 1, "spent": EVERYBODY - 1}


def people(ledger, names):
    for name in names:
        callers = [f"{surface}:{name}" for surface in ("slack", "telegram", "cli", "http")]
        ledger.person_add(name, callers, by="cli:root")
    return names


def test_a_person_who_asks_on_four_interfaces_at_once_gets_one_run_a_day(racers, ledger, counts):
    names = people(ledger, numbered("person", counts(4, 100)))
    for said in racers.race("person", names).values():
        assert by_word(said) == {"first": 1, "spent": EVERYBODY - 1}


def test_linking_and_unlinking_while_everybody_asks_gives_no_second_run(racers, ledger, counts):
    names = people(ledger, numbered("moving", counts(4, 100)))
    for name, said in racers.race("moving", names).items():
        assert by_word(said) == {"first": 1, "spent": EVERYBODY - 1}
        for surface in ("slack", "telegram", "cli", "http"):
            assert ledger.quota(f"{surface}:{name}", ["sample.do"])[0].used == 1


def test_quota_that_is_given_back_is_there_for_exactly_one_other(racers, ledger, counts):
    callers = numbered("back", counts(6, 100))
    before = charged(ledger)
    said = racers.race("give_back", callers)
    sent = {caller: said[caller]["sent"] for caller in callers}
    assert set(sent.values()) <= {0, 1}
    assert charged(ledger) == before + sum(sent.values())
    assert sum(each["refused"] + each["not_sent"] for each in said.values()) > 0
    for caller in callers:
        assert ledger.quota(f"cli:{caller}", ["sample.do"])[0].used == sent[caller]
    # What nobody holds can be had.
    for caller in (caller for caller in callers if not sent[caller]):
        assert accept(ledger, caller=f"cli:{caller}", at=None)[1]


def test_a_request_that_comes_again_is_its_first_run_and_never_spent_quota(racers, counts):
    for said in racers.race("key", numbered("key", counts(8, 200))).values():
        assert by_word(said) == {"first": 1, "again": EVERYBODY - 1}
        assert len({answer.split()[1] for answer in said}) == 1


def test_of_all_who_ask_for_the_same_again_one_is_not_asked_back(racers, ledger, counts):
    ledger.set_plan("cli:pro", "pro")
    for said in racers.race("guard", numbered("guard", counts(6, 200))).values():
        assert by_word(said) == {"first": 1, "again": EVERYBODY - 1}
        assert len({answer.split()[1] for answer in said}) == 1


def test_of_all_test_sends_of_an_action_one_goes_out(racers, counts):
    for said in racers.race("test_gap", numbered("test", counts(6, 200))).values():
        assert by_word(said) == {"first": 1, "test_too_soon": EVERYBODY - 1}


def test_a_token_s_rate_is_exact_while_everybody_asks(racers, ledger, counts):
    labels = numbered("rate", counts(4, 100))
    for label in labels:
        ledger.token_new(label, plan="pro", per_hour=5)
    for said in racers.race("rate", labels).values():
        assert by_word(said) == {"first": 5, "throttled": EVERYBODY - 5}


def test_at_midnight_a_caller_has_one_run_of_each_day(racers, counts):
    for said in racers.race("midnight", numbered("night", counts(6, 200))).values():
        firsts = sorted(answer.split()[0] for answer in said if "first" in answer)
        assert firsts == ["after", "before"]
        assert said["before spent"] + said["after spent"] == EVERYBODY - 2


def test_a_pairing_code_pairs_one(racers, ledger, counts):
    codes = [ledger.pair_code("telegram")[0] for _ in range(counts(4, 10))]
    for said in racers.race("pair", codes).values():
        assert said == {"True": 1, "False": EVERYBODY - 1}
    assert len(ledger.paired("telegram")) <= len(codes)


def test_a_link_code_counts_for_one_caller_alone(racers, ledger, counts):
    makers = numbered("slack:T1:UMAKER", counts(4, 10))
    codes = {ledger.link_code(maker, lambda _: None): maker for maker in makers}
    for code, said in racers.race("link", [*codes]).items():
        redeemers = ledger.link_waiting(codes[code])
        assert len(redeemers) == 1
        # Whoever gave it may give it again: a process has eight callers' worth of tries.
        assert set(said) <= {codes[code], "None", "too many"}
        assert 1 <= said[codes[code]] <= CALLERS


def test_two_who_are_linked_while_both_ask_get_what_they_had_and_no_more(racers, ledger, counts):
    names = numbered("join", counts(4, 100))
    for name in names:
        code = ledger.link_code(f"slack:{name}", lambda _: None)
        assert ledger.link_redeem(f"telegram:{name}", code, lambda _: None)
    for name, said in racers.race("joining", names).items():
        # Each may have sent before they were one.
        assert by_word(said)["first"] in (1, 2)
        assert len({ledger.standing(f"{place}:{name}").person for place in WHERE}) == 1
        for place in WHERE:
            with pytest.raises(QuotaSpent):
                accept(ledger, caller=f"{place}:{name}", at=None)
    assert len(ledger.people()) >= len(names)


def test_each_who_waits_for_an_answer_is_told_by_one(racers, counts):
    with Ledger.open(racers.home, racers.url) as bot:
        asked = numbered("asker", counts(20, 500))
        runs = [finish(bot, "sent", caller=f"cli:{a}", surface="fax", reply_to="{}") for a in asked]
        die(bot)
    said = racers.race("claim", ["fax"], callers=1)["fax"]
    told = [run for answer, times in said.items() for run in answer.split() * times]
    assert sorted(told) == sorted(run.run for run in runs)


def test_what_a_dead_process_left_is_settled_once(racers, ledger, counts):
    with Ledger.open(racers.home, racers.url) as bot:
        left = [
            accept(bot, caller=f"cli:{each}", surface="pigeon")[0].run
            for each in numbered("left", counts(150, 1000))
        ]
        die(bot)
    said = racers.race("recover", ["all"], callers=1)["all"]
    told = [run for answer, times in said.items() for run in answer.split() * times]
    assert sorted(run for run in told if run in left) == sorted(left)
    ended = [ledger.run(run) for run in left]
    assert {(run.state, run.reason) for run in ended} == {("not_sent", "interrupted_before")}
    counted = {surface: n for _, _, surface, n in ledger.counts()}
    assert counted["pigeon"] == len(left)


def test_what_a_server_that_crashes_under_load_confirmed_is_there_and_nothing_twice(
    tmp_path, counts
):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    postgres.needed()
    callers = numbered("crash", counts(8, 300))
    with Cluster(durable=True) as server, ThreadPoolExecutor() as pool:
        with Racers(home, server.url()) as racers:
            race = pool.submit(racers.race, "quota", callers)
            crashes = 0
            while not race.done() and crashes < counts(2, 5):
                time.sleep(1.0)
                server.stop("immediate")
                server.start()
                crashes += 1
            said = race.result(600)
        assert crashes
        in_table = dict(server.execute("SELECT caller, run FROM runs"))
        assert server.execute("SELECT count(*) FROM runs") == [(len(callers),)]
        for caller in callers:
            assert by_word(said[caller]) == {"first": 1, "spent": EVERYBODY - 1}
            assert f"first {in_table[f'cli:{caller}']}" in said[caller]
