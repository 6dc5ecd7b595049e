"""What a ticket is told: its prompt and the answers it needs."""

import re
from collections.abc import Sequence

from lfgtui.model.tickets import Ticket

_ANSWER = re.compile(r'<answer ticket="([^"]+)">\n.*?\n</answer>\s*', re.DOTALL)


def prompt_with_answers(ticket: Ticket, answers: Sequence[tuple[Ticket, str]]) -> str:
    """The prompt, preceded by the answer of each ticket it needs.

    Answers stand first, each in a tag that names its ticket: long material
    before the question is what models read best, and a tag keeps an answer
    that contains headings apart from the prompt.
    """
    if not answers:
        return ticket.prompt
    parts = [
        f'<answer ticket="{needed.id}">\n{answer.strip()}\n</answer>' for needed, answer in answers
    ]
    return "\n\n".join([*parts, ticket.prompt])


def own_words(prompt: str) -> tuple[str, str]:
    """The prompt without the answers that were handed on with it, and whose they are."""
    names: list[str] = []
    while answer := _ANSWER.match(prompt):
        names.append(answer[1])
        prompt = prompt[answer.end() :]
    return prompt, " and ".join(names)
