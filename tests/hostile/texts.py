"""Texts that cost more to lay out than they look, in an answer and elsewhere."""

from collections.abc import Iterator
from functools import partial

from tests.hostile.cases import AGENTS, ONE, Step, case, enter_as
from tests.hostile.wires import Wire, dump

_KILOBYTE = 1000
_PIECE = 20_000  # characters a record


def _answer(wire: Wire, text: str) -> Iterator[Step]:
    """The text in pieces, all at once, between two words."""
    yield wire.begin() + wire.text("before\n\n")
    for at in range(0, len(text), _PIECE):
        yield wire.text(text[at : at + _PIECE])
    yield wire.text("\n\nafter") + wire.finish()


ANSWERS = {
    "combining-marks-on-every-letter": (
        "2,000 letters with 50 marks each.",
        ("e" + "\u0301" * 50) * 2000,
    ),
    "zero-width-joiners": ("8,000 people joined into one.", "👩\u200d" * 8000),
    "variation-selectors": (
        "16,000 variation selectors, and as many flags.",
        "☎" + "\ufe0f" * 16_000 + "\n\n" + "🇨" * 16_000,
    ),
    "zero-width-spaces": (
        "100,000 characters without a width.",
        "\u200b" * 50_000 + "\u2060" * 50_000,
    ),
    "hangul-without-end": (
        "16,000 leading consonants, which join to one syllable.",
        "\u1100" * 16_000,
    ),
    "brackets": ("100 KB of `[`.", "[" * 100 * _KILOBYTE),
    "images-begun": ("100 KB of `![`.", "![" * 50 * _KILOBYTE),
    "addresses": ("100 KB of `http://a.`.", "http://a." * 11 * _KILOBYTE),
    "links-begun": (
        "100 KB of `[a](`, and of `[a][`.",
        "[a](" * 25 * _KILOBYTE + "\n\n" + "[a][" * 25 * _KILOBYTE,
    ),
    "stars": ("100 KB of `*a_`.", "*a_" * 33 * _KILOBYTE),
    "ticks": (
        "Runs of ticks, each of another length.",
        " ".join("`" * length for length in range(1, 450)),
    ),
    "tags-begun": (
        "`<!--`, `<?` and `<a ` that never close.",
        "a <!--" * 10 * _KILOBYTE + "\n\n" + "b <?" * 10 * _KILOBYTE,
    ),
    "nested-quotes": (
        "Quotes 10,000 deep, and lists as deep as a line allows.",
        ">" * 10_000 + " deep\n\n" + "- " * 5000 + "deep\n",
    ),
    "nested-lists": (
        "A list 300 levels deep, a line each.",
        "".join("  " * level + "- x\n" for level in range(300)),
    ),
    "table-of-50000-rows": ("A table of 50,000 rows.", "|a|b|\n|-|-|\n" + "|one|two|\n" * 50_000),
    "table-of-ragged-cells": (
        "A table with one cell of 200 KB in which nothing can be broken.",
        "|a|b|\n|-|-|\n|" + "x" * 200_000 + "|y|\n",
    ),
    "one-word-of-a-megabyte": (
        "A megabyte without a blank, half of it wide.",
        "x" * 500_000 + "設" * 200_000,
    ),
    "fences": ("20,000 code blocks of one line.", "```python\nx = 1\n```\n" * 20_000),
    "entities": (
        "Entities, whole and begun.",
        "&amp;&#x1b;&#27;&#x9b;&#0;&#x202e;" * 3000 + "&" * 50_000,
    ),
    "right-to-left": (
        "Overrides of direction, and scripts that run the other way.",
        "\u202e\u2067שלום مرحبا\u2069" * 3000,
    ),
    "json-in-the-text": (
        "100 KB that begins like a call in JSON, deep and never closed.",
        '{"name": "x", "arguments": ' * 4000 + '{"a":[' * 5000,
    ),
}
"""Cases of an answer alone: what it is, and its text."""


for _name, (_told, _text) in ANSWERS.items():
    enter_as(_name, _told, partial(_answer, text=_text), case("done", wires=ONE))


@case("done")
def combining_marks(wire: Wire) -> Iterator[Step]:
    """16,000 combining marks on one letter."""
    yield from _answer(wire, "e" + "\u0301" * 16_000)


@case("done", wires=ONE)
def delimiters(wire: Wire) -> Iterator[Step]:
    """Stars, underscores, tildes and ticks that never close."""
    begun = ("*a _b ", "**a", "~~a ", "```a` ", "a*_", "_a __b ")
    yield from _answer(wire, "\n\n".join(text * 5 * _KILOBYTE for text in begun))


@case("done", wires=ONE)
def table_of_2000_columns(wire: Wire) -> Iterator[Step]:
    """A table of 2,000 columns."""
    row = "|x" * 2000 + "|\n"
    yield from _answer(wire, row + "|-" * 2000 + "|\n" + row * 20)


@case("done", wires=ONE)
def code_that_cannot_be_read(wire: Wire) -> Iterator[Step]:
    """Code on which lexers backtrack, in six languages."""
    worst = {
        "python": 'f"' + "{" * 20_000,
        "html": "<a " + "x=" * 20_000,
        "json": "[" * 40_000,
        "bash": "$(" * 20_000,
        "javascript": "/" + "(" * 20_000,
        "sql": "'" * 40_001,
    }
    yield from _answer(wire, "".join(f"```{name}\n{code}\n```\n" for name, code in worst.items()))


@case("done", wires=ONE)
def link_definitions(wire: Wire) -> Iterator[Step]:
    """20,000 link definitions, and a use of each."""
    defined = "".join(f"[{n}]: http://x/{n}\n" for n in range(20_000))
    yield from _answer(wire, defined + "\n" + "".join(f"[{n}] " for n in range(20_000)))


@case("done", wires=ONE)
def marks_in_reasoning(wire: Wire) -> Iterator[Step]:
    """16,000 combining marks, and 8,000 joined people, in reasoning."""
    yield wire.begin() + wire.reasoning("e" + "\u0301" * 16_000 + "\n" + "👩\u200d" * 8000)
    yield wire.text("after") + wire.finish()


@case("done", "failed", keys={"max_turns": 3})
def marks_in_a_call(wire: Wire) -> Iterator[Step]:
    """16,000 combining marks as a call's name, id and arguments."""
    marks = "e" + "\u0301" * 16_000
    yield wire.begin()
    if wire.is_first:
        yield wire.call("a", "list_files", dump({"path": marks}))
        yield wire.call(marks, marks, dump({marks: marks}), 1)
        yield wire.call("b", "run_command", dump({"command": f"echo {marks}"}), 2)
    yield wire.text("after") + wire.finish("tool" if wire.is_first else "end")


@case("failed")
def marks_in_an_error(wire: Wire) -> Iterator[Step]:
    """16,000 combining marks in what the server complains about."""
    error = {"type": "invalid_request_error", "message": "no e" + "\u0301" * 16_000}
    yield wire.begin() + wire.record(dump({"type": "error", "error": error}), "error")


@case("done", "failed", wires=AGENTS)
def marks_in_an_agents_events(wire: Wire) -> Iterator[Step]:
    """16,000 combining marks in status, sources, and a tool's name, input, output and result."""
    marks = "e" + "\u0301" * 16_000
    yield wire.begin() + wire.record(dump({"type": "status", "message": marks}))
    yield wire.record(dump({"type": "source", "url": f"http://{marks}", "title": marks}))
    yield wire.call("c", marks, marks)
    for kind in ("tool_output", "tool_result"):
        yield wire.record(dump({"type": kind, "tool_call_id": "c", "content": marks}))
    yield wire.text("after") + wire.finish()


@case("done", wires=ONE, keys={"title": "Rename foo[key='old to new e" + "\u0301" * 970})
def marks_in_a_title(wire: Wire) -> Iterator[Step]:
    """970 combining marks in a ticket's title, which may have 1,000 characters."""
    yield from _answer(wire, "nothing special")


@case("done", wires=ONE)
def leaked_markup(wire: Wire) -> Iterator[Step]:
    """100 KB each of what begins like leaked calls and reasoning."""
    for begun in ("<think>", "<tool_call>", "<|", "<function=", "Action:\n", "<invoke "):
        text = begun * (40 * _KILOBYTE // len(begun))
        yield wire.begin() + wire.text(text) if begun == "<think>" else wire.text(text)
    yield wire.text("\n\nafter") + wire.finish()
