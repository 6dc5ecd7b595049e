"""Who else changed the file."""

from pathlib import Path

from lfgtui.engine.conflicts import FileTouches


def test_the_first_change_is_nobodys_conflict() -> None:
    assert FileTouches().touched("a", Path("/w/x")) == ()


def test_the_second_ticket_is_told_of_the_first_once() -> None:
    touches = FileTouches()
    touches.touched("a", Path("/w/x"))
    assert touches.touched("b", Path("/w/x")) == ("a",)
    assert touches.touched("b", Path("/w/x")) == ()


def test_other_files_are_other_matters() -> None:
    touches = FileTouches()
    touches.touched("a", Path("/w/x"))
    assert touches.touched("b", Path("/w/y")) == ()
