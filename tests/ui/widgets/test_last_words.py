"""A ticket's last words: what it waits for, else what it said or did last."""

import msgspec
import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health
from lfgtui.ui.widgets.last_words import last_words
from tests.ui.fake_live import FakeLive


@pytest.fixture
def live() -> FakeLive:
    """A run in which `api` needs `schema`."""
    live = FakeLive("schema", "api")
    schema, api = live.tickets
    live.tickets = (schema, msgspec.structs.replace(api, needs=("schema",)))
    live.start()
    return live


def words(live: FakeLive, ticket: str) -> str:
    found = next(one for one in live.tickets if one.id == ticket)
    return last_words(live, found, live.now, live.health)


def test_a_queued_ticket_waits_for_its_needs_or_for_a_slot(live: FakeLive) -> None:
    assert words(live, "api") == "waiting for “schema”"
    assert words(live, "schema") == "waiting for a slot"
    live.health = Health(slots=8, slots_in_use=8)
    assert words(live, "schema") == "waiting for a slot (8 of 8 in use)"
    short = "memory (6.2 of 8.0 GB set aside for agents)"
    live.health = Health(slots=8, slots_in_use=2, held_back={"schema": short})
    assert words(live, "schema") == f"waiting for {short}"


def test_a_blocked_ticket_says_how_its_need_ended(live: FakeLive) -> None:
    live.begin("schema")
    live.happen("schema", e.TicketFailed("server", "HTTP 500", True))
    live.happen("api", e.TicketBlocked("schema failed"))
    assert words(live, "schema") == "server: HTTP 500"
    assert words(live, "api") == "blocked: schema failed"


def test_a_ticket_that_failed_before_an_attempt_says_why(live: FakeLive) -> None:
    live.happen("schema", e.TicketFailed("invalid_request", 'worker box: no\nkey for "sim"', False))
    assert words(live, "schema") == 'worker box: no key for "sim"'
    live.happen("schema", e.TicketQueued())
    assert words(live, "schema") == "waiting for a slot"


def test_a_parked_ticket_says_until_when_and_why(live: FakeLive) -> None:
    live.happen("schema", e.Parked("p", live.now + 3600, "the plan's limit"))
    assert words(live, "schema").startswith("parked until ")
    assert words(live, "schema").endswith(": the plan's limit")


def test_the_last_line_of_an_answer_is_one_with_words_in_it(live: FakeLive) -> None:
    live.begin("schema")
    assert words(live, "schema") == ""
    live.stream("schema", "One\n\n  two \x1b[31m words\n```\n\n---\n")
    assert words(live, "schema") == "two ␛[31m words"
    live.finish("schema")
    assert words(live, "schema") == "two ␛[31m words"


def test_of_a_question_the_question_is_the_last_words(live: FakeLive) -> None:
    live.begin("schema")
    live.stream("schema", "Both work.\nThe first is kinder. **Which one** do you want?")
    live.finish("schema")
    assert words(live, "schema") == "Which one do you want?"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- **Name.** See [a page](https://a.b), `list[int]`", "Name. See a page, list[int]"),
        ("| `a` | snake_case |", "a · snake_case"),
        ("ls | wc", "ls | wc"),
    ],
)
def test_last_words_are_without_the_marks_of_markdown(
    live: FakeLive, line: str, expected: str
) -> None:
    live.begin("schema")
    live.stream("schema", f"Before.\n{line}\n1. **")
    assert words(live, "schema") == expected


def test_a_line_that_goes_on_and_on_keeps_its_beginning(live: FakeLive) -> None:
    live.begin("schema")
    live.stream("schema", "First.\nThe beginning, and " + "so on " * 100)
    before = words(live, "schema")
    live.stream("schema", "and on")
    assert words(live, "schema") == before
    assert before.startswith("The beginning, and so on") and len(before) <= 300


def test_a_call_is_named_with_its_arguments_and_asks_first(live: FakeLive) -> None:
    live.begin("schema")
    live.stream("schema", "I run the tests.")
    live.ask("schema", command="pytest -q")
    assert words(live, "schema") == "approve: run_command $ pytest -q"
    live.happen("schema", e.ApprovalGiven("call-1"))
    assert words(live, "schema") == "run_command $ pytest -q"


@pytest.mark.parametrize("ending", [e.TicketCancelled(), e.TicketInterrupted()])
def test_an_end_that_the_state_says_is_not_said_again(live: FakeLive, ending: e.Event) -> None:
    live.begin("schema")
    live.stream("schema", "Half of an answer")
    live.happen("schema", ending)
    assert words(live, "schema") == "Half of an answer"
