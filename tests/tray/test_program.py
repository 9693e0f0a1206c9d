"""A good citizen: one of it, a clear word where it cannot be, and at home with every panel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support.desktop import EYES, ROOT, Desktop, missing, until
from tests.support.measured import measured
from tests.support.tray_program import ALL_WELL, Tray, desktop
from tray.summary import COLOURS, IconState

pytestmark = [
    pytest.mark.xdist_group("desktop-2"),
    pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}"),
]

# A tray host beside the eyes.
ONE_LOOK = EYES.with_name("one_look_host.py")


def run(*options, code=None, folder=None, **env):
    """Run the tray to its end: exit status and what it said."""
    start = ("-c", code) if code else ("-m", "tray.app")
    done = subprocess.run(
        [sys.executable, *start, *options],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **measured(), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_a_desktop_it_says_so_and_exits_3(tmp_path):
    status, said = run("--home", str(tmp_path), HOME=str(tmp_path))

    assert status == 3
    assert said == (
        "levqor-tray: There is no desktop here to show an icon on.\n"
        "Start levqor-tray inside your desktop session; "
        "in a terminal use: levqor health --live\n"
    )


def test_what_would_keep_every_tls_connection_from_being_made_is_said(tmp_path):
    status, said = run("--home", str(tmp_path), HOME=str(tmp_path), SSLKEYLOGFILE="/nonexistent/x")

    assert status == 3
    assert said.startswith("levqor-tray: SSLKEYLOGFILE ")


def test_a_display_that_is_not_there_is_named(tmp_path):
    status, said = run("--home", str(tmp_path), HOME=str(tmp_path), DISPLAY=":4711")

    assert status == 3
    assert "The display :4711 cannot be opened." in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("lacks", "folders", "name"),
    [("gi", "()", "PyGObject"), ("gi.repository.Gtk", "('/', *toolkit.SYSTEM)", "GTK 3")],
)
def test_missing_pygobject_is_one_message_with_the_packages(lacks, folders, name, tmp_path):
    code = (
        f"import sys; sys.modules[{lacks!r}] = None\n"
        "from tray.backend import toolkit\n"
        f"toolkit.SYSTEM = {folders}\n"
        "try: toolkit.prepare()\n"
        "except toolkit.NoDesktop as said: sys.exit(str(said))"
    )
    status, said = run(code=code, HOME=str(tmp_path), DISPLAY=":4711")

    assert status == 1
    assert said.startswith(f"{name}, which draws the icon, is missing. Run: sudo ")
    assert "Traceback" not in said


def test_a_remote_that_would_show_the_token_is_refused(tmp_path):
    status, said = run("--remote", "http://levqor.example.com", HOME=str(tmp_path))

    assert status == 2
    assert said == ("levqor-tray: --remote must be https: over http anybody could read the token\n")


def test_a_remote_without_a_name_is_not_this_computer(tmp_path):
    status, said = run("--remote", "", HOME=str(tmp_path))

    assert status == 2
    assert said.startswith("levqor-tray: --remote takes an address like https://")


def test_an_older_home_in_this_folder_is_said_as_everywhere(tmp_path):
    (tmp_path / "levqor.db").touch()
    status, said = run(folder=tmp_path, HOME=str(tmp_path / "user"))

    assert status == 3
    assert "holds a levqor.db, and no home folder is named." in said
    assert "levqor home move" in said


def test_folders_that_cannot_be_written_are_named(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "gtk") as desk:
        status, said = run("--home", str(home), **{**desk.env, "HOME": "/dev/null"})

    assert status == 3
    assert said.startswith("levqor-tray: /dev/null/.")
    assert "let your user write there" in said
    assert "Traceback" not in said


def test_a_wrong_number_of_seconds_is_said_in_words():
    status, said = run("--every", "soon")

    assert status == 2
    assert said.startswith("--every must be a number of seconds from 0 to 86400.\n")


ENDINGS = [signal.SIGINT, signal.SIGTERM]
# Started with nohup, the tests' programs are to outlive a hang-up.
if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
    ENDINGS.append(signal.SIGHUP)


@pytest.mark.parametrize("number", ENDINGS)
def test_while_it_waits_for_a_tray_host_it_ends_in_order(number, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    with desktop(tmp_path / "desk", None, "gtk") as desk:
        desk.env["TMPDIR"] = str(kept)
        tray = Tray(desk, "--sandbox", "--wait", "60")
        until("its home is made", lambda: list(kept.glob("levqor-*/*.lock")))
        assert tray.stop(number) == 0
        assert tray.said() == ""
        assert not list(kept.glob("levqor-*"))


def test_a_killed_tray_leaves_no_temporary_home_behind(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    with desktop(tmp_path / "desk", "trayer", "gtk") as desk:
        desk.env["TMPDIR"] = str(kept)
        tray = Tray(desk, "--sandbox", every="300")
        tray.shows(IconState.OK)
        assert tray.stop(signal.SIGKILL) == -signal.SIGKILL
        until("its home is gone", lambda: not list(kept.glob("levqor-*")))


def test_it_starts_without_standard_streams_and_outlives_its_terminal_as_nohup_wants(tmp_path):
    with desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        closed = ("sh", "-c", 'trap "" HUP; exec "$@" 0<&- 1>&- 2>&-', "sh")
        child = desk.start(*closed, sys.executable, "-m", "tray.app", "--sandbox")
        until("the icon is there", lambda: desk.icon(COLOURS[IconState.OK]))
        child.send_signal(signal.SIGHUP)
        desk.open_menu(COLOURS[IconState.OK])
        assert desk.end(child) == 0


def test_once_up_it_says_where_it_is_and_how_to_end_it(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        tray = Tray(desk, "--home", str(home), every="300")
        tray.shows(IconState.EMPTY)
        assert tray.stop(ENDINGS[-1]) == 0
        # And nothing else: what GDK and libayatana remark is not for people.
        assert tray.said() == (
            "levqor-tray: the icon is in the corner of the screen; "
            "to end it: Quit in its menu, or Ctrl-C here\n"
        )


def test_a_host_that_reads_the_title_once_reads_how_things_are(tmp_path):
    with desktop(tmp_path / "desk", None, "appindicator") as desk:
        desk.start(sys.executable, str(ONE_LOOK), log="host")
        tray = Tray(desk, "--sandbox", every="300")
        until("the icon registers", lambda: desk.log("host"))
        assert desk.log("host") == f"Levqor: {ALL_WELL}\n"
        assert tray.stop() == 0


def test_without_a_tray_host_it_says_what_to_install(tmp_path, home):
    with desktop(tmp_path / "desk", None, "appindicator") as desk:
        status, said = run("--home", str(home), "--wait", "0.3", **desk.env)
        told = until("it is told on the desktop too", desk.messages)
        busless = {**desk.env, "DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": ""}
        assert run("--home", str(home), "--wait", "0", **busless) == (3, said)

    assert status == 3
    assert "This desktop has no tray to put an icon in." in said
    assert "gnome-shell-extension-appindicator" in said
    assert "Traceback" not in said
    assert told[0]["summary"] == "Levqor cannot show its icon"


def test_a_second_start_brings_a_word_from_the_first(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "gtk") as desk:
        tray = Tray(desk, "--home", str(home), every="300")
        tray.shows(IconState.EMPTY)

        status, said = run("--home", str(home), **desk.env)
        assert (status, said) == (
            0,
            "levqor-tray: it is running already; look at the corner of the screen\n",
        )
        told = until("the first one says so", desk.messages)
        assert (told[0]["summary"], told[0]["body"]) == (
            "Levqor is already running",
            "No service is set up yet",
        )
        assert tray.stop(signal.SIGINT) == 0
        until("the icon is gone", lambda: not tray.sees(IconState.EMPTY))


@pytest.mark.parametrize(
    ("name", "backend"),
    [("XFCE", "appindicator"), ("ubuntu:GNOME", "appindicator"), ("MATE", "gtk")],
)
def test_each_desktop_gets_the_kind_of_icon_it_draws(name, backend, tmp_path):
    code = (
        "import os; from tray.backend import toolkit; toolkit.prepare(); "
        "print(os.environ['PYSTRAY_BACKEND'])"
    )
    with Desktop(tmp_path / "desk", None, daemon=False) as desk:
        status, said = run(code=code, XDG_CURRENT_DESKTOP=name, **desk.env)

    assert (status, said) == (0, f"{backend}\n")


@pytest.mark.parametrize("backend", ["appindicator", "gtk"])
def test_the_icon_comes_back_with_another_tray_host(backend, tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", backend) as desk:
        tray = Tray(desk, "--home", str(home), every="300")
        tray.shows(IconState.EMPTY)
        desk.kill_host()
        assert not tray.sees(IconState.EMPTY)
        desk.start_host("xfce4-panel")
        tray.shows(IconState.EMPTY)
        tray.open_menu(IconState.EMPTY)
        desk.click("Quit")
        assert tray.child.wait(5) == 0


def test_it_lives_without_a_notification_service(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "appindicator", daemon=False) as desk:
        tray = Tray(desk, "--home", str(home), every="300")
        tray.open_menu(IconState.EMPTY)
        desk.click("Open log folder")
        tray.open_menu(IconState.EMPTY)
        desk.hover("Notifications")
        until(
            "it is said in the menu",
            lambda: desk.row("Notifications do not arrive: this"),
        )
        desk.close_menu()
        tray.open_menu(IconState.EMPTY)
        desk.click("Quit")
        assert tray.child.wait(5) == 0


def test_an_icon_that_can_no_longer_change_is_taken_away(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "appindicator", daemon=False) as desk:
        tray = Tray(desk, "--home", str(home), every="300")
        tray.shows(IconState.EMPTY)
        desk.end(desk.bus)
        assert tray.child.wait(10) == 3
        assert "levqor-tray: The desktop's message bus ended, and the icon" in tray.said()
        assert "Traceback" not in tray.said()


def test_an_icon_that_needs_no_bus_outlives_it(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "gtk", daemon=False) as desk:
        tray = Tray(desk, "--home", str(home), every="2")
        tray.shows(IconState.EMPTY)
        desk.end(desk.bus)
        home.rename(tmp_path / "elsewhere")
        tray.shows(IconState.OFFLINE)
        assert tray.stop() == 0
        assert "Traceback" not in tray.said()


def test_it_lives_with_a_broken_message_bus(tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", "gtk", daemon=False) as desk:
        broken = {**desk.env, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
        command = (sys.executable, "-m", "tray.app", "--home", str(home))
        child = desk.start(*command, log="tray", env=broken)
        until("the icon is there", lambda: desk.icon("#7c8794"))
        assert desk.end(child) == 0
        assert "Traceback" not in desk.log("tray")


@pytest.mark.parametrize("kind", ["native", "gtk"])
def test_every_systems_window_shows_does_and_changes_the_same_menu(kind, tmp_path):
    """That of Windows and macOS has pystray's own menu; theirs alone is how its thread is woken."""
    copied, programs = tmp_path / "copied", tmp_path / "programs"
    programs.mkdir()
    (programs / "pbcopy").write_text(f'#!/bin/sh\ncat > "{copied}"\n')
    (programs / "pbcopy").chmod(0o700)
    with desktop(tmp_path / "desk", "trayer", "gtk") as desk:
        desk.env["PATH"] = f"{programs}:{desk.env['PATH']}"
        child = desk.start(
            sys.executable, "-m", "tests.support.tray_window", kind, str(tmp_path), log="program"
        )

        def clicked(*path, button=3):
            desk.open_menu(COLOURS[IconState.OK], button=button)
            desk.click(*path)
            asked = f"{path[-1].lower()} "
            until(f"{path[-1]} is asked for", lambda: asked in desk.log("program"))

        desk.open_menu(COLOURS[IconState.OK])
        assert desk.rows() == ["Ask", "Break", "Only words", "More", "Quit"]
        assert not desk.row("Only words")["enabled"]
        desk.close_menu()
        clicked("Break")
        clicked("More", "Ticked")
        assert "a click on break failed" in desk.log("program")
        assert "the window could not do its part" in desk.log("program")
        clicked("Ask", button=1 if kind == "gtk" else 3)
        told = until("it is told", desk.messages)
        if kind == "native":
            # Windows takes 63 and 255 UTF-16 units, and nothing longer.
            assert told[0]["summary"] == "🦆" * 31
            assert len(told[0]["body"].encode("utf-16-le")) <= 2 * 255
        else:
            assert [each["summary"] for each in told] == ["🦆" * 60, "Early"]
            # Daemons read markup.
            assert told[0]["body"].startswith("&lt;b&gt; &amp; 🦆")
        until("the text is copied", lambda: "copied True" in desk.log("program"))
        heard = copied.read_text if kind == "native" else lambda: desk.eyes("clipboard")
        until("it is there", lambda: heard() == "words 🦆")
        desk.open_menu(COLOURS[IconState.BROKEN])
        assert desk.rows() == ["Break", "Quit", "Only words", "New", "More"]
        desk.hover("More")
        assert not until("the tick is away", lambda: desk.row("Ticked"))["checked"]
        assert desk.log("program").count("ticked ") == 1
        desk.click("Quit")
        assert child.wait(60) == 0
