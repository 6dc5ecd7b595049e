"""Texts and floods made to keep a pane busy or to fill its memory."""

from collections.abc import Callable, Iterator, Mapping

from lfgtui.model import events as e

Flood = Callable[[], Iterator[list[e.Event]]]


def _line_of(unit: str, size: int = 300_000) -> Callable[[], str]:
    return lambda: unit * (size // len(unit))


def _fence(language: str, line: str, size: int = 200_000) -> Callable[[], str]:
    return lambda: f"```{language}\n" + line * (size // len(line))


TEXTS: Mapping[str, Callable[[], str]] = {
    "accents": lambda: "a" + "\u0301" * 100_000,
    "joiners": lambda: "👩" + "\u200d👩" * 50_000,
    "accents on lines": lambda: ("a" + "\u0301" * 400 + "\n\n") * 300,
    "brackets": _line_of("["),
    "images": _line_of("!["),
    "links": _line_of("[a]["),
    "addresses": _line_of("http://a."),
    "schemes": _line_of("://"),
    "stars": _line_of("*a_ "),
    "ticks": _line_of("`a``"),
    "tags": _line_of("<a "),
    "comments": _line_of("<!--"),
    "quotes": _line_of("> "),
    "dashes": _line_of("- "),
    "words": _line_of("word "),
    "one word": _line_of("a"),
    "Chinese": _line_of("字"),
    "blank lines": _line_of("\n"),
    "lines": _line_of("a\n"),
    "bars": _line_of("a|b\n"),
    "items": _line_of("- a\n"),
    "blocks": _line_of("a\n\n"),
    "quoted lines": _line_of("> a\n"),
    "definitions": lambda: "".join(f"[a{n}]: b\n" for n in range(20_000)),
    "lookups": lambda: "".join(f"[a{n}]: b\n\n[a{n}]\n\n" for n in range(8_000)),
    "titles": _line_of("[a]: b 'c\n"),
    "rules": _line_of("-\n"),
    "many columns": lambda: "a|" * 2_000 + "\n" + "-|" * 2_000 + "\n" + ("1|" * 2_000 + "\n") * 60,
    "wide table": lambda: "a|" * 60 + "\n" + "-|" * 60 + "\n" + "1\n" * 5_000,
    "long table": lambda: "a|b\n-|-\n" + "1|word word\n" * 20_000,
    "one cell": lambda: "a|b\n-|-\n" + "1|" + "word *a* " * 20_000,
    "fence without end": _fence("", "a\n"),
    "fence of one line": _fence("py", "x = 'a' + "),
    "fence of Python": _fence("py", "x = 'a' + f(1, [2])\n"),
    "fence of C": _fence("c", "int a(int b(int c(\n"),
    "fence of brackets": _fence("json", "[" * 900 + "\n"),
    "fence of an absurd language": lambda: "```" + "py" * 100_000 + "\nx\n",
    "indented code": _line_of("    a\n"),
    "HTML": _line_of("<div>\n"),
    "entities": _line_of("&amp;"),
    "tabs": _line_of("\t"),
    "breaks": _line_of("a  \n"),
    "emoji": _line_of("👩\u200d👧 "),
    "long lines": lambda: ("x" * 9_990 + "\n") * 100,
}


def begun() -> list[e.Event]:
    return [e.ToolCallStarted("c0", "read_file"), e.ToolArgumentsDelta("c0", '{"path": "a')]


def _one(text: str) -> Flood:
    def flood() -> Iterator[list[e.Event]]:
        yield [e.TextDelta(text)]

    return flood


def _changes() -> Iterator[list[e.Event]]:
    yield [
        event for n in range(20_000) for event in (e.TextDelta(f"a{n}"), e.ReasoningDelta(f"b{n}"))
    ]


def _changes_in_time() -> Iterator[list[e.Event]]:
    for n in range(10_000):
        yield [e.TextDelta(f"a{n}"), e.ReasoningDelta(f"b{n}")]


def _calls() -> Iterator[list[e.Event]]:
    yield [e.ToolCallStarted(f"x{n}", "read_file") for n in range(10_000)]
    for _ in range(5):
        yield [e.ToolArgumentsDelta(f"x{n}", '{"path": "a"') for n in range(10_000)]


def _output(text: str) -> Flood:
    def flood() -> Iterator[list[e.Event]]:
        yield [e.ToolCallRequested("c0", "read_file", {"path": "a"})]
        yield [e.ToolOutputDelta("c0", "stdout", text)]
        yield [e.ToolOutputDelta("c0", "stdout", "more")]
        yield [e.ToolCallFinished("c0", text, None, 0, 1.0)]

    return flood


def _arguments(*parts: str) -> Flood:
    def flood() -> Iterator[list[e.Event]]:
        yield [e.ToolCallStarted("c1", "write_file")]
        for part in parts:
            yield [e.ToolArgumentsDelta("c1", part)]

    return flood


def _thought(text: str) -> Flood:
    def flood() -> Iterator[list[e.Event]]:
        yield [e.ReasoningDelta(text)]
        for _ in range(20):
            yield [e.ReasoningDelta("more ")]

    return flood


def _citations() -> Iterator[list[e.Event]]:
    yield [e.Citation(f"http://a/{n}", f"title {n}", "quote") for n in range(20_000)]
    yield [e.ResponseFinished(1, "stop")]


def _notes() -> Iterator[list[e.Event]]:
    yield [e.Status("word " * 200_000)]


FLOODS: Mapping[str, Flood] = {
    "30 MB of words": _one("word " * 6_000_000),
    "30 MB of lines": _one("some words\n\n" * 2_500_000),
    "30 MB of code": _one("```\n" + "code code\n" * 3_000_000),
    "30 MB of thinking": _thought("word " * 6_000_000),
    "20,000 changes at once": _changes,
    "10,000 changes": _changes_in_time,
    "10,000 calls": _calls,
    "output of 50 MB in a line": _output("x" * 50_000_000),
    "output of 50 MB in lines": _output("x\n" * 25_000_000),
    "arguments 30 MB": _arguments('{"content": "' + "word " * 6_000_000, "more"),
    "arguments nested": _arguments('{"a": ' + "[" * 100_000, "]" * 100_000 + "}"),
    "arguments names": _arguments("{" + "".join(f'"a{n}": 1, ' for n in range(50_000)), '"z": 2}'),
    "arguments no JSON": _arguments("word " * 2_000_000, "more"),
    "20,000 citations": _citations,
    "a status of 1 MB": _notes,
}
