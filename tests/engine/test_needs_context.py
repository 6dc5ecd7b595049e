"""What a ticket is told."""

from lfgtui.engine.needs_context import prompt_with_answers
from lfgtui.model.tickets import Ticket

API = Ticket(id="api", prompt="Build it.", workspace="/w")
SCHEMA = Ticket(id="schema", prompt="Design it.", workspace="/w")


def test_a_ticket_that_needs_nothing_is_told_its_prompt() -> None:
    assert prompt_with_answers(API, []) == "Build it."


def test_needed_answers_stand_before_the_prompt_each_under_its_name() -> None:
    told = prompt_with_answers(API, [(SCHEMA, "Two tables.\n")])
    assert told == '<answer ticket="schema">\nTwo tables.\n</answer>\n\nBuild it.'
