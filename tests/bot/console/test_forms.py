"""Forms at the console: what a command leaves out is asked for."""

from core.callers import Caller
from core.engine import Engine, targets
from core.settings import Settings
from tests.support.bot_console import Person


def test_an_action_without_words_asks_field_by_field(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("delivered@resend.dev\r")
    person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent")


def test_a_target_is_completed_chosen_in_a_form_and_typed(home, sandbox):
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        where = {"to": "ann@example.com"}
        targets.add(engine, "ops", "email.send", where, None, by=Caller("cli", "root"))
    person = Person("--home", str(home), "--sandbox", "--console", "--no-http")
    person.until("levqor> ")
    person.types("email.send ta")
    person.until("target=ops")
    person.types("\x15email.send\r")
    person.until("One of: ops.")
    person.types("ops\r")
    person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent (target ops)")
    person.types("email.send target=ops subject=Hi Again\r")
    person.until("E-mail: sent (target ops)")
    person.leaves()


def test_an_answer_that_will_not_do_is_asked_for_again_at_once(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("\r")
    person.until("This field is required.")
    person.until("to: ")
    person.types("ann\r")
    person.until("to: must be one address and nothing else, like ann@example.com")
    person.until("to: ")
    person.types("ann@example.com\r")
    person.until("subject: ")


def test_a_form_asks_for_what_a_command_left_out(person):
    person.types("email.send to=delivered@resend.dev\r")
    person.until("Already given: to.")
    assert "to:" not in person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent")


def test_a_command_that_is_wrong_is_refused_and_no_form_opens(person):
    person.types("email.send too=delivered@resend.dev\r")
    person.until("did you mean to?")
    person.until("levqor> ")


def test_a_form_that_could_only_be_refused_is_not_opened(home):
    someone = Person("--home", str(home), "--console", "--no-http")
    someone.until("levqor> ")
    someone.types("email.send to=delivered@resend.dev\r")
    someone.until("E-mail is not set up.")
    someone.until("levqor> ")
    someone.leaves()


def test_rows_that_cannot_be_read_do_not_end_the_console(person):
    person.types("sheets.append\r")
    person.until("range [A1]: ")
    person.types("\r")
    person.until("values: ")
    person.types('a,"b\r')
    person.until("values: has a cell whose quotes do not fit")
    person.until("values: ")
    person.types("a,b\r")
    person.until("appended 1 row")


def test_a_form_that_is_left_sends_nothing(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("\x03")
    person.until("Nothing was sent.")
