"""Tickets as agents leave them: prose, code and command output of real texts.

The words are those of Python's own documentation strings and sources, which
every machine with Python has: their frequencies, their punctuation and their
long tail of identifiers are what an index is made of; words drawn at random
would flatter it.
"""

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from lfgtui.model import events as e

_FILES = 400


class Texts:
    """Prose and code to cut pieces from; the same in every run on the same Python."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        folder = Path(sysconfig.get_path("stdlib"))
        sources = sorted(folder.glob("[a-z]*.py")) + sorted(folder.glob("*/[a-z]*.py"))
        sources = [p for p in sources if "site-packages" not in p.parts and "test" not in p.parts]
        self.code = "\n".join(p.read_text("utf-8", "replace") for p in sources[:_FILES])
        self.prose = "\n\n".join(_docstrings(self.code_of(sources[:_FILES])))

    @staticmethod
    def code_of(paths: list[Path]) -> Iterator[str]:
        for path in paths:
            yield path.read_text("utf-8", "replace")

    def say(self, length: int) -> str:
        """That many characters of prose, from anywhere."""
        return self._piece(self.prose, length)

    def show(self, length: int) -> str:
        """That many characters of code."""
        return self._piece(self.code, length)

    def _piece(self, text: str, length: int) -> str:
        start = self._dice.randrange(len(text) - length)
        return text[start : start + length]


def ticket(texts: Texts, dice: random.Random, entries: int) -> Iterator[e.Event]:
    """One ticket's events, about `entries` of them: what a tool loop leaves when merged."""
    yield e.TicketQueued()
    yield e.AttemptStarted("anthropic", "claude-sonnet-4-5")
    yield e.UserMessage(texts.say(400))
    turn, made = 0, 3
    while made < entries - 4:
        turn += 1
        yield e.RequestSent(turn)
        for _ in range(dice.randint(2, 6)):
            yield e.ReasoningDelta(texts.say(dice.randint(60, 240)))
            yield e.Heartbeat()
        for _ in range(dice.randint(3, 12)):
            yield e.TextDelta(texts.say(dice.randint(60, 240)))
            yield e.Usage(1000, turn)
        call = f"toolu_{dice.randrange(16**12):012x}"
        path = f"src/{texts.show(8).strip() or 'x'}.py"
        yield e.ToolCallStarted(call, "write_file")
        yield e.ToolCallRequested(
            call, "write_file", {"path": path, "content": texts.show(dice.randint(100, 900))}
        )
        yield e.ResponseFinished(turn, "tool_use")
        yield e.ToolCallFinished(call, texts.show(dice.randint(50, 1500)), None, None, 0.1)
        made += 20
    yield e.RequestSent(turn + 1)
    yield e.TextDelta(texts.say(600))
    yield e.ResponseFinished(turn + 1, "end")
    yield e.TicketDone("end")


def _docstrings(sources: Iterator[str]) -> Iterator[str]:
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                said = ast.get_docstring(node)
                if said and len(said) > 40:
                    yield said
