"""People in the web console: listed, added, changed, linked, paired and removed."""

import html
import re

from tests.bot.web.pages.conftest import Visitor, words

UBEN = "slack:T1:UBEN"


def people(web):
    return {each.name: each for each in web.bot.engine.ledger.people()}


def last(web):
    return web.bot.engine.ledger.audit(1)[0]


def add(ann, name, *callers, **more):
    return ann.post("/people", {"do": "add", "name": name, "callers": "\n".join(callers), **more})


def test_a_person_is_added_with_everything_the_terminal_takes(web, ann):
    more = {"display": "Ben Example", "role": "viewer", "plan": "pro"}
    reply = add(ann, "ben", UBEN, "telegram:42", **more)
    assert (reply.status, reply.headers["location"]) == (303, "/people/ben?done=set")
    ben = people(web)["ben"]
    assert (ben.title, ben.role, ben.plan) == ("Ben Example", "viewer", "pro")
    assert set(ben.callers) == {UBEN, "telegram:42"}
    assert (last(web).who, last(web).what, last(web).subject) == ("cli:ann", "people add", "ben")
    told = ann.read("/people")
    assert "ben Ben Example viewer pro" in told
    assert "Ben Example" in ann.read("/people/ben")


# What is typed, and what the page says of it.
REFUSED = {
    "a name that is none": ({"name": "Ben!"}, "must be small letters, digits and dashes"),
    "a name that is taken": ({"name": "eve"}, "There is a person eve already."),
    "a caller that is none": ({"name": "ben", "callers": "fax:42"}, "callers are written"),
    "a caller of another": ({"name": "ben", "callers": "telegram:7"}, "telegram:7 is eve."),
    "an address": ({"name": "ben", "callers": "http:192.0.2.7"}, "can be no person's"),
    "a token that is none": ({"name": "ben", "callers": "http:ci"}, "There is no token ci"),
    "a display name of lines": ({"name": "ben", "display": "x" * 81}, "must be one line of at"),
}


def test_a_refusal_says_why_keeps_what_was_typed_and_changes_nothing(web, ann):
    web.bot.engine.ledger.person_add("eve", ["telegram:7"], by="cli:root")
    for what, (form, why) in REFUSED.items():
        reply = add(ann, **{"name": "", **form, "plan": "pro"})
        assert reply.status in (400, 404), what
        assert why in words(reply), what
        page = html.unescape(reply.body.decode())
        for typed in form.values():
            assert f'value="{typed}"' in page or f">\n{typed}</textarea>" in page, what
        assert re.search(r'<option value="pro" selected', page)
        assert set(people(web)) == {"eve"}


def test_what_is_wrong_with_a_field_stands_beside_it(ann):
    page = add(ann, "Ben!").body.decode()
    assert page.count("aria-invalid") == 1
    assert re.search(r'name="name"[^>]*aria-describedby="add-name"[^>]*aria-invalid', page)


def test_only_what_was_changed_in_a_form_is_changed(web, ann):
    ledger = web.bot.engine.ledger
    ledger.person_add("ben", [UBEN], by="cli:root", role="sender", plan="free")
    shown = {"was_role": "sender", "was_plan": "free", "was_display": ""}
    # Somebody shuts them out while the form is open.
    ledger.person_set("ben", by="cli:root", role="none")
    form = {"do": "set", "role": "sender", "plan": "pro", "display": "", **shown}
    assert ann.post("/people/ben", form).headers["location"] == "/people/ben?done=set"
    assert (people(web)["ben"].role, people(web)["ben"].plan) == ("none", "pro")
    assert (last(web).what, last(web).who) == ("people set", "cli:ann")
    before = len(ledger.audit())
    ann.post("/people/ben", {**form, "plan": "pro", "was_plan": "pro"})
    assert len(ledger.audit()) == before


def test_a_caller_nobody_has_added_has_a_page_and_can_be_changed(web, ann):
    ledger = web.bot.engine.ledger
    assert ann.get("/people?caller=telegram:42").headers["location"] == "/people/telegram:42"
    assert "never seen" in ann.read("/people/telegram:42")
    ann.post("/people/telegram:42", {"do": "set", "role": "none", "was_role": "default"})
    assert ledger.standing("telegram:42").role == "none"
    ann.post("/people/telegram:42", {"do": "set", "role": "default", "was_role": "none"})
    assert ledger.standing("telegram:42").role is None
    assert "/people/telegram:42" in ann.get("/people").body.decode()
    ledger.person_add("ben", [], by="cli:root")
    joined = ann.post("/people/telegram:42", {"do": "join", "name": "ben"})
    assert joined.headers["location"] == "/people/ben?done=link"
    assert people(web)["ben"].callers == ("telegram:42",)
    assert ann.get("/people/telegram:42").headers["location"] == "/people/ben"


def test_nobody_has_no_page(ann):
    for name in ("nobody", "fax:1", "telegram:", "http:ci", "telegram:*", ""):
        assert ann.get(f"/people/{name}").status in (400, 404), name


def test_callers_are_linked_and_unlinked_after_a_question(web, ann):
    ledger = web.bot.engine.ledger
    ledger.person_add("ben", [UBEN], by="cli:root", role="viewer")
    linked = ann.post("/people/ben", {"do": "link", "caller": "telegram:42"})
    assert linked.headers["location"] == "/people/ben?done=link"
    assert people(web)["ben"].callers == (UBEN, "telegram:42")
    asked = ann.get("/people/ben?confirm=unlink&caller=telegram:42")
    assert "Unlink telegram:42?" in words(asked)
    assert "as viewer" in words(asked)
    assert people(web)["ben"].callers == (UBEN, "telegram:42")
    gone = ann.post("/people/ben", {"do": "unlink", "caller": "telegram:42"})
    assert gone.headers["location"] == "/people/telegram:42?done=unlink"
    assert people(web)["ben"].callers == (UBEN,)
    again = ann.post("/people/ben", {"do": "unlink", "caller": "telegram:42"})
    assert again.status == 404
    assert "is not linked to a person" in words(again)


def test_removing_somebody_says_what_will_happen_and_does_it(web, ann):
    ledger = web.bot.engine.ledger
    token = ledger.token_new("ci")
    ledger.person_add("ben", [UBEN, "http:ci"], by="cli:root")
    ben = Visitor(web).sign_in(UBEN)
    told = words(ann.get("/people/ben?confirm=remove"))
    for part in ("Remove ben?", f"http:ci, {UBEN}", "1 token will be revoked: ci"):
        assert part in told
    assert set(people(web)) == {"ben"}
    gone = ann.post("/people/ben", {"do": "remove"})
    assert gone.headers["location"] == "/people?done=remove"
    assert people(web) == {}
    assert ledger.standing(UBEN).role == "none"
    assert ben.get("/").status == 401
    assert web.get("/actions/health", token=token).status == 401
    assert ann.post("/people/ben", {"do": "remove"}).status == 404


def test_an_admin_is_asked_before_they_take_their_own_role_away(web):
    ledger = web.bot.engine.ledger
    ledger.person_add("ben", [UBEN], by="cli:root", role="admin")
    ben = Visitor(web).sign_in(UBEN)
    form = {"do": "set", "role": "viewer", "was_role": "admin"}
    asked = ben.post("/people/ben", form)
    assert "Change your own role?" in words(asked)
    assert people(web)["ben"].role == "admin"
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w*)"', asked.body.decode()))
    assert ben.post("/people/ben", kept).status == 303
    assert people(web)["ben"].role == "viewer"
    assert ben.get("/people").status == 403
    assert "Nobody is an admin" in Visitor(web).sign_in().read("/people")


def test_a_code_pairs_whoever_sends_it_and_can_be_taken_back(serve):
    web = serve()
    ann, ledger = Visitor(web).sign_in(), web.bot.engine.ledger
    (interface,) = re.findall(r'name="interface" value="(\w+)"', ann.get("/people").body.decode())
    told = ann.post("/people", {"do": "pair", "interface": interface})
    code = re.search(r"/start (\w+)", words(told))[1]
    assert ledger.redeem(interface, "42", code)
    assert ledger.paired(interface) == ["42"]
    assert "Unpair telegram:42?" in words(ann.get("/people/telegram:42?confirm=unpair"))
    assert ledger.paired(interface) == ["42"]
    ann.post("/people/telegram:42", {"do": "unpair", "caller": "telegram:42"})
    assert ledger.paired(interface) == []
    assert [row.who for row in ledger.audit(1)] == ["cli:ann"]
