"""Long text for Notion, which takes it in pieces."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connectors._notion.values import split_text
from tests.support.notion_columns import made

# A busy machine is not a failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestLongText:
    @pytest.mark.parametrize(
        ("length", "pieces"), [(2000, [2000]), (2001, [2000, 1]), (6000, [2000] * 3)]
    )
    def test_is_cut_every_2000_characters(self, length, pieces):
        assert [len(piece) for piece in split_text("x" * length)] == pieces

    def test_counts_as_notion_does_in_utf_16(self):
        assert [len(piece) for piece in split_text("🚀" * 1001)] == [1000, 1]

    def test_never_cuts_through_a_character(self):
        assert [len(piece) for piece in split_text("x" + "🚀" * 1000)] == [1000, 1]

    def test_may_have_a_hundred_pieces(self):
        assert len(made("rich_text", "x" * 200_000)) == 100

    @UNTIMED
    @given(st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text * 40))
    def test_loses_nothing_and_keeps_each_piece_short(self, whole):
        pieces = split_text(whole)

        assert "".join(pieces) == whole
        assert all(0 < len(piece.encode("utf-16-le")) // 2 <= 2000 for piece in pieces)
