import time

from bot.confirmations import Confirmations


def test_a_thing_is_taken_once_and_by_its_owner_only():
    pending = Confirmations()
    nonce = pending.put("ada", {"text": "hello"})
    assert len(nonce) == 16
    assert pending.take("bob", nonce) is None
    assert pending.take("ada", nonce) == {"text": "hello"}
    assert pending.take("ada", nonce) is None


def test_a_thing_that_waits_too_long_is_gone():
    pending = Confirmations(seconds=0.05)
    nonce = pending.put("ada", 1)
    time.sleep(0.06)
    assert pending.take("ada", nonce) is None


def test_a_flood_forgets_the_oldest():
    pending = Confirmations(most=3)
    nonces = [pending.put("ada", n) for n in range(5)]
    assert [pending.take("ada", nonce) for nonce in nonces] == [None, None, 2, 3, 4]


def test_what_is_looked_at_is_kept_for_its_owner_alone():
    pending = Confirmations()
    nonce = pending.put("slack:T1:U1", "a thing")
    assert pending.find("slack:T1:U2", nonce) is None
    assert pending.find("slack:T1:U1", nonce) == pending.find("slack:T1:U1", nonce) == "a thing"
    assert pending.take("slack:T1:U1", nonce) == "a thing"
    assert pending.find("slack:T1:U1", nonce) is None
