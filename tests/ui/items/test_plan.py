"""An agent's plan: a list while it is carried out, a line when it is done."""

from lfgtui.model import events as e
from tests.ui.stand import Stand


def planned(*statuses: e.PlanStatus) -> e.PlanChanged:
    texts = ("Read the tests", "Write a very long step that needs more than one row", "Sum up")
    return e.PlanChanged(tuple(map(e.PlanStep, texts, statuses)))


def shown(stand: Stand) -> list[str]:
    return [row.text.rstrip() for row in stand.rows()[1:]]


LIVE = planned("completed", "in_progress", "pending")


def test_a_plan_is_unfolded_while_the_response_goes_on_and_folds_at_its_end() -> None:
    stand = Stand(width=40, height=12)
    stand.happen(LIVE)
    assert shown(stand) == [
        "▾ plan  Write a very long s… 1 of 3 done",
        "  │ ✓ Read the tests",
        "  │ ▶ Write a very long step that needs",
        "  │   more than one row",
        "  │ ○ Sum up",
    ]
    stand.happen(planned("completed", "completed", "pending"))
    assert shown(stand)[0] == "▾ plan  Sum up               2 of 3 done"
    stand.happen(planned("completed", "completed", "completed"), e.ResponseFinished(1, "end"))
    assert shown(stand) == ["▸ plan                       3 of 3 done"]


def test_a_plan_that_a_person_folded_stays_so() -> None:
    stand = Stand(width=40, height=12)
    stand.happen(LIVE)
    view = stand.lines.views[1]
    view.override = False
    stand.lines.refold(view, stand.look)
    stand.happen(planned("completed", "completed", "pending"))
    assert shown(stand) == ["▸ plan  Sum up               2 of 3 done"]


def test_a_plan_is_found_and_copied() -> None:
    stand = Stand(width=40, height=12)
    stand.happen(LIVE)
    assert stand.find("Sum up") == 1
    assert stand.lines.views[1].chunks[0].source == (
        "✓ Read the tests\n▶ Write a very long step that needs more than one row\n○ Sum up"
    )
