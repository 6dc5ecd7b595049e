"""What a card cannot show whole is not asked about."""

import pytest

from lfgtui.agent.approvable import (
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_LINES,
    unshowable,
    unshowable_diffs,
)
from lfgtui.model.call_summary import members_of
from lfgtui.model.fold.conversation import CallPart
from lfgtui.text.diffs import MOST_LINES as DIFF_LINES
from lfgtui.text.diffs import diff
from lfgtui.ui.items.arguments import argument_rows
from lfgtui.ui.items.diff import diff_rows
from tests.ui.stand import palette

_NARROWEST = 12


def _write(content: str) -> CallPart:
    return CallPart("1", "write_file", {"path": "a", "content": content})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("x\n" * MOST_LINES + "rm -rf ~", "1,001 lines"),
        ("a\n" + "x" * (LONGEST_LINE + 1), "a line of 10,001 characters"),
        ("a\n" + "\U000e0041" * (LONGEST_LINE // 10 + 1), "a line of 10,010 characters"),
        ("x\n" + "x" * LONGEST_TEXT, "200,002 characters"),
    ],
)
def test_more_than_a_card_shows_is_not_asked_about(content: str, why: str) -> None:
    told = unshowable(_write(content), _write(content))
    assert told is not None
    assert why in told
    assert "do it in parts" in told


def test_nor_is_an_input_that_is_no_object_or_a_change_that_an_agent_shows() -> None:
    call = CallPart("1", "patch", "+ x\n" * MOST_LINES)
    assert "the input is too long to approve: 1,001 lines" in (unshowable(call, call) or "")
    change = "@@ -0,0 +1,2000 @@\n" + "+ x\n" * 2_000
    assert unshowable_diffs([change]) is None
    assert "4,002 lines" in (unshowable_diffs([change, change]) or "")


def test_a_command_is_measured_as_it_is_written_out() -> None:
    call = CallPart("1", "run_command", {"command": "true\n# " + "\U000e0041" * 1000 + "\nid"})
    assert unshowable(call, call) is not None


@pytest.mark.parametrize(
    "content",
    [
        "x\n" * (MOST_LINES - 2) + "last",
        "a\n" + "x" * (LONGEST_LINE - 4) + "last",
        "a\n" + "\U000e0041" * (LONGEST_LINE // 10 - 1) + "last",
    ],
)
def test_what_may_be_asked_is_shown_whole_in_the_narrowest_pane(content: str) -> None:
    call = _write(content)
    assert unshowable(call, call) is None
    assert isinstance(call.arguments, dict)
    rows = argument_rows(members_of(call.arguments), palette(), _NARROWEST, is_asking=True)
    text = "".join(row.text.strip() for row in rows)
    assert "more" not in text
    assert text.endswith("last")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x\n" * (DIFF_LINES - 2), "last"),
        ("x" * LONGEST_LINE + "\n", "y" * (LONGEST_LINE - 4) + "last"),
        ("x" * 9_000 + "\n", "\n".join(["y" * 9_000] * 42) + "\nlast"),
    ],
)
def test_a_diff_to_approve_is_shown_whole_in_the_narrowest_pane(before: str, after: str) -> None:
    rows = list(diff_rows(diff(before, after).text, palette(), _NARROWEST, is_asking=True))
    shown = {"-": "", "+": ""}
    sign = ""
    for row in rows:
        sign = sign if row.text[:1] == "↪" else row.text[:1]
        if sign in shown:
            shown[sign] += row.text[2:]
    assert shown == {"-": before.replace("\n", ""), "+": after.replace("\n", "")}


def test_a_longer_diff_that_was_imported_is_cut_openly() -> None:
    for text in ("+x\n" * 5_000, "+" + "x" * 600_000):
        rows = list(diff_rows(text, palette(), 80, is_asking=True))
        assert rows[-1].text.startswith("… 1")
