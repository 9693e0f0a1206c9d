"""The table of answers: what counts first, what leaves doubt, and when a wait is given."""

import pytest

from core.contract import AnswerTable, not_sent, refused, unknown
from core.contract.http import Answer

TABLE = AnswerTable(
    service="Fax",
    what="the page",
    look="Look at the machine",
    status_page="status.example.com",
    by_code={"no_paper | no_toner": refused("empty", "It is empty.", "Fill it.", "Add {what}.")},
    by_text={
        "line is busy": not_sent("line_busy", "The line is busy.", "Wait."),
        "half a page | torn": unknown("torn", "It may be torn.", "Look."),
    },
    by_status={
        404: refused("gone", "It is gone.", "Buy one."),
        529: not_sent("full", "It is full.", "Wait."),
    },
    also=(refused("no_stamp", "There is no stamp.", "Buy one."),),
)


def answered(status, effect="write"):
    return Answer(status, {"Retry-After": "7"}, b"", effect)


@pytest.mark.parametrize(
    ("status", "code", "text", "reason"),
    [
        (400, "no_toner", "The line is busy", "empty"),
        (404, "no_paper", "", "empty"),
        (404, "another", "The LINE IS BUSY now", "line_busy"),
        (404, "another", "else", "gone"),
        (400, "another", "else", "unrecognised"),
        (500, "no_paper", "the line is busy", "failed"),
        (408, "no_paper", "", "failed"),
        (529, "no_paper", "", "full"),
        (200, "no_paper", "", "unexpected_answer"),
        (302, "", "", "unexpected_answer"),
    ],
)
def test_a_code_counts_before_words_and_words_before_a_status(status, code, text, reason):
    assert TABLE.row(status, code, text).reason == reason


@pytest.mark.parametrize(
    ("effect", "status", "text", "outcome", "wait"),
    [
        ("write", 400, "line is busy", "not_sent", 7.0),
        ("write", 529, "", "not_sent", 7.0),
        ("write", 404, "", "refused", None),
        ("write", 400, "torn", "unknown", None),
        ("write", 500, "", "unknown", None),
        ("write", 200, "", "unknown", None),
        ("keyed", 500, "", "unknown", 7.0),
        ("keyed", 404, "", "refused", None),
    ],
)
def test_a_wait_is_given_only_where_the_same_may_be_sent_again(effect, status, text, outcome, wait):
    error = TABLE.error(answered(status, effect), text=text)

    assert (error.outcome, error.retry_after) == (outcome, wait)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [(500, "", "down"), (200, "", "down"), (400, "torn", "down"), (404, "", "gone")],
)
def test_a_look_leaves_nothing_in_doubt(status, text, reason):
    error = TABLE.error(answered(status, "none"), text=text)

    assert (error.reason, error.outcome) == (reason, "refused" if reason == "gone" else "not_sent")


@pytest.mark.parametrize(
    ("values", "fix"),
    [
        ({"what": "paper"}, "Add paper."),
        ({"what": ""}, "Fill it."),
        ({"what": None}, "Fill it."),
        ({"who": "you"}, "Fill it."),
        (None, "Fill it."),
    ],
)
def test_the_detailed_fix_is_given_where_its_values_are_known(values, fix):
    assert TABLE.error(answered(400), code="no_paper", values=values).fix == fix


def test_each_row_is_there_once_and_found_by_its_reason():
    reasons = [row.reason for row in TABLE.rows]

    assert reasons == [
        *("empty", "line_busy", "torn", "gone", "full", "no_stamp"),
        *("failed", "unrecognised", "unexpected_answer", "down"),
    ]
    assert TABLE.find("torn").message == "It may be torn."
    assert TABLE.find("never_heard_of") is None


def test_the_words_all_services_share_name_this_one():
    shown = {row.reason: (row.message, row.fix) for row in TABLE.rows[-4:]}

    assert shown == {
        "failed": (
            "Fax failed while it had the page.",
            "Look at the machine before you send it again.",
        ),
        "unrecognised": (
            "Fax refused the page and gave a reason that Levqor does not know.",
            "Run levqor doctor to check Fax's settings, then try again.",
        ),
        "unexpected_answer": (
            "The answer was not one that Fax gives.",
            "Look at the machine, and check that no proxy is between Levqor and Fax.",
        ),
        "down": (
            "Fax does not answer as it should at the moment.",
            "Wait a few minutes and look at status.example.com, then try again.",
        ),
    }
