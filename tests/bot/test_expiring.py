import time

from bot.expiring import ExpiringMap


def test_the_oldest_of_too_many_is_forgotten_and_a_newer_value_is_new():
    kept = ExpiringMap(2)
    for name in ("a", "b", "a", "c"):
        kept[name] = name.upper()
    assert [kept.get(name) for name in "abc"] == ["A", None, "C"]
    assert len(kept) == 2


def test_a_value_is_forgotten_when_its_time_is_over():
    kept = ExpiringMap(2, 0.05)
    kept["a"] = 1
    time.sleep(0.06)
    assert kept.get("a") is None
    assert kept.pop("a") is None
    assert len(kept) == 0
