"""A real browser walks through every page: for each role, light and dark, wide and narrow."""

import asyncio
import json
import shutil

import pytest

from core.roles import Role
from tests.support.console import ROLES, console, paths, walking
from tests.support.npm import package
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no chromium here: make system"
)
EVERYBODY = [*ROLES, "stranger"]
WIDTHS, THEMES = (1280, 390), (False, True)
# What a page must not do: hold what axe calls a fault, or be wider than its window.
AXE = """
axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(
  found.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))])))
"""
# What has the focus, and whether it is in the window with a ring around it.
FOCUS = """
(() => {
  const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it)
  return [it.innerText || it.name, box.right > 0 && box.width > 0 && style.outlineStyle != 'none']
})()
"""
# What a finger would miss on a telephone.
LOW = """
[...document.querySelectorAll('button, .button, select, textarea, nav a, label.tick, main td a')]
  .filter(each => each.getBoundingClientRect().height < 40).map(each => each.outerHTML).join()
"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def statuses(role, path, needed):
    """What a page may answer with; a run or a service may be none of a sender's."""
    if path == "/sign-in/old":
        # Who is signed in is led on by any link.
        return {404} if role == "stranger" else {200}
    if needed is None:
        return {200}
    if role == "stranger":
        return {401}
    if not Role(role).includes(needed):
        return {403}
    return {200} if role == "admin" else {200, 403, 404}


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    with Sandbox() as sandbox, console(tmp_path_factory.mktemp("home"), sandbox) as web:
        yield web


@pytest.mark.parametrize("role", EVERYBODY)
def test_axe_finds_nothing_on_any_page_and_on_a_telephone_all_can_be_tapped(web, tmp_path, role):
    async def walk():
        faults = []
        async with walking(web, tmp_path / "profile") as somebody:
            if role in ROLES:
                await somebody.sign_in(ROLES[role])
            for number, (path, needed) in enumerate(
                paths(web).items(), [*ROLES, "stranger"].index(role)
            ):
                # Over the roles and pages each pair of two of these four comes up.
                width, dark = WIDTHS[number % 2], THEMES[number // 2 % 2]
                await somebody.look(width=width, dark=dark)
                assert await somebody.visit(path) in statuses(role, path, needed), path
                where = f"{path} {width} {'dark' if dark else 'light'}"
                await somebody.page.value(axe)
                faults += [
                    f"{where}: {each}" for each in json.loads(await somebody.page.value(AXE))
                ]
                if await somebody.page.value(WIDER) > 0:
                    faults.append(f"{where}: wider than its window")
                if width == min(WIDTHS) and (low := await somebody.page.value(LOW)):
                    faults.append(f"{where}: too low to tap: {low}")
            asked = [url for url in somebody.page.asked if not url.startswith((web.url, "data:"))]
        return faults, asked

    axe = (package("axe-core") / "axe.min.js").read_text()
    faults, asked = asyncio.run(walk())
    assert faults == []
    assert asked == []


def test_with_the_mouse_somebody_sends_filters_and_signs_out(web, tmp_path):
    async def walk():
        async with walking(web, tmp_path / "profile") as bo:
            await bo.look(width=390)
            await bo.sign_in(ROLES["sender"])
            await bo.click("nav a[href='/send']")
            await bo.click("a[href='/send/slack.send']")
            await bo.write("text", "Café <b>& co</b>")
            await bo.click("button[value='preview']")
            previewed = await bo.words()
            await bo.click("button[value='send']")
            receipt = await bo.words()
            await bo.click("nav a[href='/runs']")
            await bo.page.value("document.getElementsByName('outcome')[0].value = 'sent'")
            await bo.click("form.filter button")
            runs = await bo.page.value("location.search"), await bo.words()
            await bo.click("form[action='/sign-out'] button")
            out = await bo.words()
            return previewed, receipt, runs, out, await bo.visit("/runs")

    previewed, receipt, (asked, runs), out, status = asyncio.run(walk())
    assert "This will be sent" in previewed
    assert "Café <b>& co</b>" in previewed
    assert "✓\N{NO-BREAK SPACE}sent" in receipt
    assert "outcome=sent" in asked
    assert "slack.send" in runs
    assert "refused" not in runs.split("Show")[1]
    assert "works once" in out
    assert status == 401


def test_the_keyboard_alone_reaches_the_page_and_its_buttons(web, tmp_path):
    async def walk():
        async with walking(web, tmp_path / "profile") as ann:
            await ann.sign_in(ROLES["admin"])
            await ann.visit("/send/telegram.send")
            reached = []
            while "Send now" not in [name for name, _ in reached] and len(reached) < 40:
                await ann.press("Tab")
                reached.append(await ann.page.value(FOCUS))
            return reached

    reached = asyncio.run(walk())
    assert reached[0] == ["Skip to the page", True]
    assert [name for name, _ in reached][-4:] == ["text", "chat_id", "Preview", "Send now"]
    assert [name for name, seen in reached if not seen] == []
