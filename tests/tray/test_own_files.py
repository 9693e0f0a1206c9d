"""The tray's own files: preferences, the lock, start at login."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace

import pytest

from tests.support.desktop import ROOT
from tests.support.measured import measured
from tests.support.tray_states import NOW, state
from tests.support.waiting import wait_for
from tray import preferences
from tray.autostart import Autostart, desktop_entry, launch_agent, startup_script
from tray.backend import toolkit
from tray.desktop import Paths, SingleInstance, home, hosts, open_file
from tray.state import Inbound, Notify, Preferences


def test_preferences_survive_a_restart(tmp_path):
    chosen = Preferences(Notify.OFF, {"duck": NOW}, NOW + 60, ("r1", "r2"))
    preferences.save(tmp_path / "deep" / "preferences.json", chosen)

    assert preferences.load(tmp_path / "deep" / "preferences.json") == chosen
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["preferences.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"telling": 7, "muted": [], "paused_until": "x", "looked": 3}',
        '{"muted": {"duck": Infinity}, "paused_until": Infinity}',
    ],
)
def test_a_broken_file_of_preferences_means_the_defaults(tmp_path, text):
    (tmp_path / "preferences.json").write_text(text)

    assert preferences.load(tmp_path / "preferences.json") == Preferences()


def test_each_source_has_files_of_its_own(tmp_path):
    one, other = Paths("/srv/a", tmp_path), Paths("https://desk.example", tmp_path)

    assert one.lock != other.lock
    assert one.preferences != other.preferences
    assert one.lock == Paths("/srv/a", tmp_path).lock


def test_the_second_start_is_turned_away_and_the_first_one_hears_it(tmp_path):
    first, second = (SingleInstance(Paths("x", tmp_path)) for _ in range(2))

    assert first.take()
    assert not first.started_again()
    assert not second.take()
    assert first.started_again()
    assert not first.started_again()
    letting_go = threading.Thread(target=first.release)
    letting_go.start()
    letting_go.join()
    assert second.take()
    second.release()


def test_a_killed_tray_leaves_the_lock_to_the_next(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tray.desktop import Paths, SingleInstance\n"
        "only = SingleInstance(Paths('x', Path(sys.argv[1])))\n"
        "print(only.take(), flush=True)\ntime.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"True\n"
        assert not SingleInstance(Paths("x", tmp_path)).take()
        child.kill()
        child.wait()
    after = SingleInstance(Paths("x", tmp_path))
    assert after.take()
    after.release()


WORDS = [
    "--home", '/srv/a "b" $HOME `c` 50% \\d', "%f", "%%", "", "a&b|c>d", "\\", "tail\\", '\\\\"',
    "it's", "$(touch x)", "~", "#x", "ü 日本", "a=b", ";", "*", "--remote", "https://a.example/?x=%20",
]  # fmt: skip


@pytest.mark.skipif(not shutil.which("gio"), reason="what a desktop does with an entry, GLib does")
def test_a_desktop_starts_the_very_command_of_the_entry(tmp_path):
    """Parsed and run by GLib, which most desktops do it with."""
    program, heard = tmp_path / 'a "strange" $place' / "levqor-tray", tmp_path / "heard"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        f"file = pathlib.Path({str(heard)!r})\n"
        "part = file.with_name('part')\npart.write_text(json.dumps(sys.argv))\npart.rename(file)\n"
    )
    program.chmod(0o755)
    entry = tmp_path / "levqor-tray.desktop"
    entry.write_text(desktop_entry([str(program), *WORDS]), "utf-8")
    subprocess.run(["gio", "launch", entry], check=True, timeout=30, capture_output=True)
    wait_for(heard.exists, 30)
    assert json.loads(heard.read_text()) == [str(program), *WORDS]


def test_macos_reads_the_very_command_of_the_entry():
    read = plistlib.loads(launch_agent(["/a/levqor-tray", *WORDS, "<&>]]>"]).encode())
    assert read["ProgramArguments"] == ["/a/levqor-tray", *WORDS, "<&>]]>"]
    assert read["RunAtLoad"] is True


@pytest.mark.parametrize(
    ("word", "written"),
    [
        (r"C:\Program Files\levqor-tray.exe", r'"C:\Program Files\levqor-tray.exe"'),
        (r"C:\50% of & more", r'"C:\50%% of & more"'),
        ("C:\\home\\", '"C:\\home\\\\"'),
        ("%TEMP%", '"%%TEMP%%"'),
        ("a^b|c>d(e)!f", '"a^b|c>d(e)!f"'),
        ("", '""'),
    ],
)
def test_windows_words_stand_in_quotes(word, written):
    assert startup_script(["x", word]) == f'@chcp 65001 >nul\r\n@start "" "x" {written}\r\n'


def test_windows_has_no_quotes_in_names():
    with pytest.raises(ValueError, match='has a "'):
        startup_script(['a"b'])


@pytest.mark.parametrize("char", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\udcff"])
def test_no_entry_holds_a_character_that_would_end_its_line(tmp_path, monkeypatch, char):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    autostart = Autostart(["levqor-tray", "--home", f"/srv/a{char}Exec=evil"])
    with pytest.raises(ValueError, match="no entry can hold"):
        autostart.set(on=True)
    assert not autostart.on
    assert list(tmp_path.iterdir()) == []
    autostart.set(on=False)


def test_a_home_is_the_same_by_whatever_path(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert home(tmp_path / "link") == home(tmp_path / "real" / ".." / "real") == tmp_path / "real"


def test_start_at_login_is_ticked_where_it_starts_this_very_tray(tmp_path):
    code = (
        "from tray.autostart import Autostart\n"
        "mine, other = Autostart(['levqor-tray', '/a']), Autostart(['levqor-tray', '/b'])\n"
        "print(mine.on)\n"
        "mine.set(on=True); print(mine.on, other.on)\n"
        "other.set(on=True); print(mine.on, other.on)\n"
        "other.set(on=False); print(other.on, other.file.exists())\n"
    )
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **measured()}
    env |= {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["False", "True False", "False True", "False False"]


@pytest.mark.parametrize(("answers", "opens"), [("exit 0", True), ("exit 3", False), (None, False)])
def test_a_folder_is_shown_by_the_desktops_own_opener_or_it_is_known_that_it_was_not(
    answers, opens, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    if answers:
        (tmp_path / "xdg-open").write_text(
            f'#!/bin/sh\necho "$*" > "{tmp_path}/asked"\n{answers}\n'
        )
        (tmp_path / "xdg-open").chmod(0o700)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    assert open_file(tmp_path / "logs") is opens
    assert not answers or (tmp_path / "asked").read_text() == f"{tmp_path}/logs\n"


def test_without_a_display_and_a_bus_nothing_draws_icons(monkeypatch):
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert hosts() == []


@pytest.mark.parametrize(("backend", "found", "said"), [
    ("gtk", ["sni"], "This desktop's tray needs AppIndicator. "),
    ("gtk", [], "This desktop has no tray to put an icon in."),
    ("appindicator", [], "This desktop has no tray to put an icon in."),
    ("appindicator", ["sni"], ""), ("gtk", ["xembed"], ""), ("gtk", ["sni", "xembed"], ""),
])  # fmt: skip
def test_what_is_lacking_to_show_an_icon_is_said(backend, found, said, monkeypatch):
    monkeypatch.setenv("PYSTRAY_BACKEND", backend)
    lacking = pytest.raises(toolkit.NoDesktop, match=f"^{said}") if said else nullcontext()
    with lacking:
        toolkit.require_host(found)


def test_a_mute_is_over_when_its_time_is():
    chosen = Preferences(muted={"duck": NOW + 5})

    assert state(preferences=chosen).mute_left("duck") == 5
    assert not replace(state(preferences=chosen), now=NOW + 6).mute_left("duck")
    assert not state().mute_left("duck")


def test_an_interface_is_called_by_its_name_or_by_its_letters():
    assert [Inbound(name, ok=True, words="").title for name in ("pigeon", "http")] == [
        "Pigeon interface", "HTTP interface",
    ]  # fmt: skip
