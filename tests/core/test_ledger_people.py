"""Tokens and pairing."""

import time

import pytest

from core.errors import InvalidInput, NotFound
from tests.support.engines import both, pooled_too
from tests.support.tokens import token_of

pytestmark = both


@pooled_too
def test_a_token_works_until_it_is_revoked_and_only_its_hash_is_kept(ledger, home):
    token = ledger.token_new("ci", plan="pro", admin=True)
    found = token_of(ledger, token)
    assert (found.label, found.admin, ledger.plan("http:ci")) == ("ci", True, "pro")
    assert token_of(ledger, token + "x") is None
    assert token_of(ledger, "lvq_ci_") is None
    assert token_of(ledger, "nonsense") is None
    assert token.encode() not in b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    ledger.token_revoke("ci")
    assert token_of(ledger, token) is None
    with pytest.raises(NotFound):
        ledger.token_revoke("ci")


@pytest.mark.parametrize("label", ["", "1a", "Aa", "a_b", "a b", "ä", "a" * 41])
def test_a_label_that_is_not_one_is_refused(ledger, label):
    with pytest.raises(InvalidInput):
        ledger.token_new(label)


def test_a_label_in_use_is_refused_and_free_again_after_revocation(ledger):
    old = ledger.token_new("ci")
    with pytest.raises(InvalidInput, match="already"):
        ledger.token_new("ci")
    ledger.token_revoke("ci")
    new = ledger.token_new("ci")
    assert token_of(ledger, old) is None
    assert token_of(ledger, new).label == "ci"


@pooled_too
def test_a_pairing_code_works_once_and_for_its_surface(ledger):
    code, expires = ledger.pair_code("telegram")
    assert 590 < expires - time.time() <= 600
    assert ledger.redeem("slack", "42", code) is False
    assert ledger.redeem("telegram", "42", f" {code.upper()} ") is True
    assert ledger.redeem("telegram", "43", code) is False
    assert ledger.paired("telegram") == ["42"]
    ledger.unpair("telegram:42")
    assert ledger.paired("telegram") == []
    with pytest.raises(NotFound):
        ledger.unpair("telegram:42")


def test_only_the_latest_ten_pairing_codes_wait(ledger):
    codes = [ledger.pair_code("telegram")[0] for _ in range(12)]
    assert ledger.redeem("telegram", "1", codes[0]) is False
    assert ledger.redeem("telegram", "1", codes[-1]) is True
