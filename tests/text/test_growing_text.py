from hypothesis import given
from hypothesis import strategies as st

from lfgtui.text.growing_text import Growing


@given(st.lists(st.text("ab\n", max_size=700), max_size=12), st.data())
def test_it_is_all_pieces_and_what_follows_any(pieces: list[str], data: st.DataObject) -> None:
    growing, whole = Growing(), "".join(pieces)
    for piece in pieces:
        growing.append(piece)
    position = data.draw(st.integers(0, len(whole)))
    assert str(growing) == whole
    assert len(growing) == len(whole)
    assert growing.since(position) == whole[position:]


def test_is_equal_by_what_it_says() -> None:
    one, other = Growing("ab"), Growing("a")
    assert one != other
    other.append("b")
    assert one == other
