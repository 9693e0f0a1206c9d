"""What may be shown of ids, addresses and texts that could hold a secret."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LedgerError
from core.home_key import home_key
from core.interfaces import declared
from core.masking import Redactor, address_tag, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a1b2c3d4e5f6g7h8i9j0", "a1b2****j0"),
        ("U0AB1234569Z", "U0AB****9Z"),
        ("abcdefg", "abcd****fg"),
        ("abcdef", "****"),
        ("", "****"),
    ],
)
def test_a_masked_id_shows_its_ends_only(text, shown):
    assert mask(text) == shown


def test_an_address_becomes_four_hex_digits_that_depend_on_the_key():
    assert address_tag(b"key", "192.0.2.7") == "25b8****"
    assert address_tag(b"key", "192.0.2.7") != address_tag(b"other", "192.0.2.7")


SECRET = 'pa/ss+wörd "x"\\1'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_found_however_it_is_written(written):
    cleaned = Redactor([SECRET]).clean(f"<{written}>").replace("=", "")
    assert cleaned == "<****>"


def test_a_short_secret_does_not_wreck_the_text():
    assert Redactor(["abc", ""]).clean("abcabc") == "abcabc"


def test_a_secret_inside_another_leaves_no_piece_behind():
    assert Redactor(["token-1", "token-1-and-more"]).clean("token-1-and-more") == "****"


def test_a_webhooks_path_is_as_secret_as_its_address():
    redactor = Redactor(["https://hooks.example.test/services/T0/B0/abcdef123456"])
    assert redactor.clean("POST /services/T0/B0/abcdef123456 failed") == "POST /**** failed"
    assert redactor.clean("…/abcdef123456") == "…/****"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("wrap", [lambda text: text, _b64])
def test_a_service_accounts_key_is_secret_in_pieces_and_its_address_is_not(wrap):
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
    account = {
        "private_key_id": "0123456789abcdef",
        "private_key": f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n",
        "client_email": "bot@project.iam.gserviceaccount.com",
    }
    redactor = Redactor([wrap(json.dumps(account))])
    text = f"share with bot@project.iam.gserviceaccount.com {line} 0123456789abcdef"
    assert redactor.clean(text) == "share with bot@project.iam.gserviceaccount.com **** ****"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("token xoxb-12-34-abcDEF, ok", "token ****, ok"),
        ("xapp-1-A0-1-abcdef", "****"),
        ("xoxe.xoxp-1-abcdef", "****"),
        (
            "https://api.test/bot123456789:AAabcdefghijklmnopqrstuvwxyz01234567/sendMessage",
            "https://api.test/bot****/sendMessage",
        ),
        ("123456789%3AAAabcdefghijklmnopqrstuvwxyz01234567", "****"),
        ("key re_AbCd1234_xyz", "key ****"),
        ("lvq_payroll-bot_AbC-123_xyz", "****"),
        ("ntn_1234567890abc and secret_1234567890abc", "**** and ****"),
        ("https://hooks.slack.com/services/T0/B0/xyz.", "https://****"),
        ("Authorization: Bearer abc.DEF-123_~+/=", "Authorization: ****"),
        ("basic dXNlcjpwYXNzd29yZA==", "****"),
        ("wss://wss.test/link/?ticket=1&app=2 x", "**** x"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", "****"),
        ("ya29.a0AfH6SMB-x", "****"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- x", "**** x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc", "****"),
        ("run 7f3ac2 at 12:30, 234 ms; re_try", "run 7f3ac2 at 12:30, 234 ms; re_try"),
    ],
)  # fmt: skip
def test_what_looks_like_a_token_is_hidden_and_nothing_else(text, cleaned):
    shapes = [shape for one in declared() for shape in one.token_shapes]
    assert Redactor(shapes=shapes).clean(text) == cleaned


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=6),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_no_text_keeps_a_secret_of_six_or_more_characters(secret, before, after):
    cleaned = Redactor([secret]).clean(before + secret + after)
    # What surrounds it may spell it anew only out of the asterisks themselves.
    assert secret not in cleaned.replace("****", "\0")


def test_a_home_has_one_key_only_its_owner_reads(home):
    key = home_key(home)
    assert len(key) == 32
    assert home_key(home) == key
    assert stat.S_IMODE((home / "levqor.key").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["levqor.key"]


def test_processes_that_start_at_once_agree_on_the_key(home, counts):
    script = (
        "import sys, pathlib; from core.home_key import home_key\n"
        "sys.stdin.readline(); print(home_key(pathlib.Path(sys.argv[1])).hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home / "new")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(counts(8, 80))
    ]
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0] for process in started}
    assert len(keys) == 1
    assert len(keys.pop()) == 65


def test_a_damaged_key_is_named_and_never_replaced(home):
    (home / "levqor.key").write_bytes(b"short")
    with pytest.raises(LedgerError, match="is damaged: it must hold 32 bytes") as refused:
        home_key(home)
    assert "levqor.key" in refused.value.message
    assert (home / "levqor.key").read_bytes() == b"short"


def test_a_home_that_cannot_be_written_is_named(home):
    (home / "file").touch()
    with pytest.raises(LedgerError, match="cannot be read or written: Not a directory"):
        home_key(home / "file")


@pytest.mark.skipif(os.name != "posix", reason="links are made so on POSIX")
def test_a_key_that_came_first_is_taken(home):
    (home / "levqor.key").write_bytes(bytes(32))
    assert home_key(home) == bytes(32)
