"""Names that a service gave, as a person is shown them."""

from core.contract import listed


def test_names_are_told_one_after_another_and_the_rest_are_counted():
    assert listed(["Name", "Due date", "👩‍🚀"]) == "Name, Due date, 👩‍🚀"
    assert listed([f"c{n}" for n in range(22)]).endswith("c18, c19 and 2 more")
    assert listed([]) == ""


def test_a_long_name_is_cut_and_says_so():
    assert listed(["x" * 80, "y" * 81]) == "x" * 80 + ", " + "y" * 79 + "…"


def test_a_name_cannot_write_a_line_of_its_own_or_backwards():
    assert listed(["a\nWhat to do: pay", "b\u202ec", "d\x1b[2J", "e\u2028f", "g\ud800"]) == (
        "a What to do: pay, b c, d [2J, e f, g "
    )
