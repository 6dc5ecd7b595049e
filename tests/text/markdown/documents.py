"""Awkward Markdown: the specifications' examples, put together, and documents made up here.

A document made up follows one number: `made_up(7)` is the same for ever, so
a failure is named by its seed.
"""

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

Lines = list[str]

_LONGEST = 600
"""Characters of a document made up: what is found in more is found in less."""


def examples() -> list[str]:
    """Every example of CommonMark and GitHub's extensions; none without `LFG_RECORDINGS`."""
    folder = os.environ.get("LFG_RECORDINGS")
    if folder is None:
        return []
    return [
        example["markdown"]
        for name in ("commonmark.json", "gfm_extensions.json")
        for example in json.loads((Path(folder) / name).read_text())
    ]


def put_together(parts: Sequence[str], seed: int) -> str:
    """Two or four of `parts` one after the other; some inside a list item or a quote."""
    chance = random.Random(seed)
    text = ""
    for _ in range(chance.choice((2, 4))):
        part = chance.choice(parts)
        match chance.randrange(6):
            case 0:
                part = _indented(part, chance.choice(("- ", "1. ", "10)  ", "*\t", "- [ ] ")))
            case 1:
                part = _prefixed(part, chance.choice(("> ", ">", ">\t", " > ")))
        text += part + chance.choice(("", "", "\n", "\n\n"))
    return text


def made_up(seed: int) -> str:
    """A document that looks for trouble: nested blocks, or lines thrown together."""
    chance = random.Random(seed)
    lines = _salad(chance) if chance.random() < 0.5 else _nested(chance)
    if chance.random() < 0.6:
        lines = [_spoilt(line, chance) for line in lines]
    ends = chance.choice((("\n",), ("\n",), ("\n",), ("\r\n",), ("\n", "\r\n", "\r")))
    text = "".join(line + chance.choice(ends) for line in lines)[:_LONGEST]
    return text if chance.random() < 0.7 else text.rstrip("\r\n")


def strewn(seed: int) -> str:
    """A short document of few sorts of pieces, so that what can meet does: inlines above all."""
    chance = random.Random(seed)
    sorts = [*chance.sample(_PIECES, chance.randint(3, 14)), "a", "foo", " "]
    pieces = [chance.choice(sorts) for _ in range(chance.randint(4, 60))]
    return chance.choice(_BEGINNINGS) + "".join(pieces)


_BEGINNINGS = ("", "", "text\n", "> ", "## ", "- a\n- ", "[foo]: /u\n", "- [foo]: /u\n")
_PIECES = (
    *(
        "a",
        "b",
        "ab",
        "foo",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "0",
        "٣",
        "é",
        "語",
        "İ",
        "ª",
        "👩\u200d🚀",
    ),
    *(
        "\u0301",
        "\u200b",
        "\u00a0",
        ".",
        ",",
        "?",
        "'",
        '"',
        "-",
        "=",
        "+",
        "%",
        "!",
        "#",
        "|",
        "\\",
    ),
    *("(", ")", "[", "]", "<", ">", "*", "**", "_", "__", "`", "``", "~~", "&", "&amp", "&amp;"),
    *(":", "/", "//", "@", "http://", "https://a.b", "mailto:", "a@b.cd", "x@", "://", "www."),
    *("[foo]", "[foo]: /u", "(/u", "'t", '"t', "<a href='x'>", "</a>", "<b"),
    *("- ", "> ", "1. ", "---", "| a", "|---|", "[x] ", "[ ] "),
)


def _indented(text: str, marker: str) -> str:
    indent = " " * len(marker)
    return marker + "".join(
        (indent if number and line.strip() else "") + line
        for number, line in enumerate(text.splitlines(keepends=True))
    )


def _prefixed(text: str, prefix: str) -> str:
    return "".join(prefix + line for line in text.splitlines(keepends=True))


# Lines thrown together

_STARTS = (
    *("",) * 8,
    *("> ", "> ", ">", ">\t", " > ", "   >"),
    *("- ", "- ", "-", "-\t", "-   ", "-     ", " - ", "+ ", "* "),
    *("1. ", "2. ", "1) ", "0. ", "7.  ", "123456789. ", "1234567890. ", "1.", "1.\t"),
    *("  ", "  ", "   ", "    ", "     ", "\t", " \t", "      ", "        "),
)
_REACHES = (
    *("", "", "", "", "a", "b", "a b", "text", "*", "**", "_a", "`", "``", "a\\", "a  ", "\\"),
    *("[x]", "[x]", "[y][x]", "![x][]", "[x](", "[x](/u)", "[x]: /u", "[x]: /v 't'", "[x]:"),
    *("[y]: /w", "'t'", '"t', 't"', "/u", "[x]: <", "[X]: /z (t)", "[x]: /u 't' t", "[", "]"),
    *("# h", "#", "## h ##", "#h", "---", "--", "-", "===", "=", "***", "* * *", "- - -", "___"),
    *("```", "```py", "~~~", "````", "``` `", "~~~ ~", "```\t"),
    *("<div>", "</div>", "<!--", "-->", "<!-- a -->", "<pre>", "</pre>", "<b>", "<b>a", "<?", "?>"),
    *("<a href='", "<!X", "<![CDATA[", "]]>", "<script>", "</script>", "<x-y>", "<textarea>"),
    *(
        "a | b",
        "|a|b|",
        "|-|-|",
        "---|---",
        "|:-:|-:|",
        "| c | d |",
        "| e |",
        "|",
        "`|`",
        "a \\| b",
    ),
    *(":-", "|-", "-|", "|a", "| a | b | c |", "~~a~~", "~~a", "a~~", "~"),
    *("[ ] t", "[x] t", "[X] t", "[ ]", "[ ]t", "- [ ] t", "- [x]", "[ ]\tt"),
    *("https://a.b/c.", "http://a", "www.a.b", "a@b.cd", "<https://a.b>", "https://a.b/(c)", "://"),
    *("&amp;", "&am", "&#35;", "a\u2028b", "\u2028", "\u00a0", "\x0c", "a\x0cb", "\u3000a", "\x0b"),
    *("\x85", "a\0b", "\ufeff", "語", "👩‍🚀", "\u00a0- a", "\x0c> a", "- a\u00a0", "1. a", "> a"),
)
_REPEATS = ("- a", "> a", "1. a", "| c | d |", "a", "    a", "  - a", "> - a", "", "```", "- ")


def _salad(chance: random.Random) -> Lines:
    lines: Lines = []
    while len(lines) < 14 and (not lines or chance.random() > 0.1):
        start = "".join(chance.choice(_STARTS) for _ in range(chance.choice((0, 1, 1, 1, 2, 3))))
        if lines and chance.random() < 0.25:
            start = lines[-1][: chance.randrange(len(lines[-1]) + 1)]
        lines.append(start + chance.choice(_REACHES))
        if chance.random() < 0.05:
            lines += [chance.choice(_REPEATS)] * chance.randint(1, 5)
    return lines


# Nested blocks

_WORDS = (
    *("one", "two", "three", "*em*", "**strong**", "`code`", "[x]", "[y]", "[link](/u)", "~~del~~"),
    *("![i](/u)", "https://a.b.", "a@b.cd", "&lt;", "\\*", "<b>", "</b>", "*", "_", "`", "[", "!["),
    *(
        "<!-- c -->",
        "[late]",
        "www.a.b/c",
        "語語",
        "é",
        "a\u00a0b",
        "~",
        "\\",
        "**a",
        "1.",
        "-",
        "#",
    ),
)


def _text(chance: random.Random) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 5)))


def _nested(chance: random.Random) -> Lines:
    if chance.random() < 0.08:
        return _abyss(chance)
    lines: Lines = []
    for _ in range(chance.randint(1, 4)):
        lines += _block(chance, chance.randint(0, 3))
        lines += [chance.choice(("", "", " ", "\t"))] * chance.choice((0, 1, 1, 1, 2))
    if chance.random() < 0.3:
        lines += ["[late]: /late", chance.choice(("", "'title'", "text [late]"))]
    return lines


def _abyss(chance: random.Random) -> Lines:
    """Containers in containers, at and beyond the depth where the parser gives up."""
    marks = chance.choice((("> ",), ("- ",), ("> ", "- "), ("1. ", "- ", ">")))
    mark = [chance.choice(marks) for _ in range(chance.randint(8, 24))]
    deep = "".join(mark)
    again = "".join(">" if ">" in m else " " * len(m) for m in mark)
    tails = ("", deep + "b", again + "b", "lazy", again, again + "- c", again + "```")
    return [deep + "a", *(chance.choice(tails) for _ in range(chance.randint(0, 3)))]


def _block(chance: random.Random, depth: int) -> Lines:
    if depth > 0 and chance.random() < 0.7:
        return chance.choice((_list, _list, _quote))(chance, depth)
    return chance.choice(_LEAVES)(chance)


def _list(chance: random.Random, depth: int) -> Lines:
    bullet = chance.choice("-+*")
    number = chance.choice((0, 1, 1, 2, 9, 99, 999999999))
    is_ordered, is_loose = chance.random() < 0.4, chance.random() < 0.3
    lines: Lines = []
    for at in range(chance.randint(1, 4)):
        mark = f"{number + at}{chance.choice('...)')}" if is_ordered else bullet
        mark = chance.choice(("", "", "", " ", "  ")) + mark
        gap = chance.choice((" ", " ", " ", "  ", "    ", "\t", "     "))
        indent = len((mark + gap).expandtabs(4))
        inside = _inside(chance, depth)
        if chance.random() < 0.2:
            inside[0] = chance.choice(("[ ] ", "[x] ", "[ ]", "[X]\t")) + inside[0]
        if chance.random() < 0.15:
            lines.append(mark)
            indent = len(mark) + 1
        else:
            lines.append(mark + gap + inside.pop(0))
        lines += [_under(line, indent, chance) for line in inside]
        lines += [""] * (is_loose or chance.random() < 0.1)
    return lines


def _under(line: str, indent: int, chance: random.Random) -> str:
    if not line.strip():
        return chance.choice(("", "", " " * indent))
    if chance.random() < 0.08:
        indent = chance.choice((0, 1, indent - 1, indent + 1))
    return (
        "\t" * (indent // 4) + " " * (indent % 4) if chance.random() < 0.1 else " " * indent
    ) + line


def _quote(chance: random.Random, depth: int) -> Lines:
    mark = chance.choice(("> ", "> ", "> ", ">", ">\t", "  > "))
    return [
        line if chance.random() < 0.08 else mark.rstrip(" ") if not line else mark + line
        for line in _inside(chance, depth)
    ]


def _inside(chance: random.Random, depth: int) -> Lines:
    lines = _block(chance, depth - 1)
    for _ in range(chance.choice((0, 0, 1, 2))):
        lines += [""] * chance.choice((0, 1, 1, 2)) + _block(chance, depth - 1)
    return lines


def _paragraph(chance: random.Random) -> Lines:
    ends = ("", "", "", "  ", "\\", "\t")
    return [_text(chance) + chance.choice(ends) for _ in range(chance.randint(1, 3))]


def _heading(chance: random.Random) -> Lines:
    if chance.random() < 0.5:
        return [chance.choice(("# ", "## ", "#", "###### ", "####### ")) + _text(chance)]
    return [*_paragraph(chance), chance.choice(("---", "===", "=", "-", "= =", "----  ", "  ==="))]


def _rule(chance: random.Random) -> Lines:
    return [chance.choice(("---", "***", "___", "- - -", "* * * *", " ---", "--- -"))]


def _fence(chance: random.Random) -> Lines:
    mark = chance.choice(("```", "```", "~~~", "````", "  ```"))
    inner = ("x = 1", "", "# no heading", "- no item", "``", "> q", "\ttab", "    four", "~~~")
    lines = [mark + chance.choice(("", "py", " c++ x", "diff"))]
    lines += [chance.choice(inner) for _ in range(chance.randint(0, 4))]
    closers = (mark, mark + "`", mark + "  ", mark.strip()[:2], "   " + mark, "    " + mark)
    return lines + ([chance.choice((mark, *closers))] if chance.random() < 0.7 else [])


def _code(chance: random.Random) -> Lines:
    starts = ("    ", "\t", "      ", "  \t", "     ")
    lines = [chance.choice(starts) + _text(chance) for _ in range(chance.randint(1, 3))]
    if chance.random() < 0.4:
        lines.insert(1, chance.choice(("", "    ", "  ", "      ")))
    return lines


def _html(chance: random.Random) -> Lines:
    opener, closer = chance.choice(
        (
            *(("<div>", "</div>"), ("<!-- a", "b -->"), ("<pre>", "</pre> x"), ("<?php", "?>")),
            *(("<!DOCTYPE x", ">"), ("<![CDATA[", "]]>"), ("<span a='b'>", "</span>")),
            *(("<details><summary>s</summary>", "</details>"), ("<style>", "</style>")),
        )
    )
    return [opener, *chance.choice(([], ["*a*"], ["", "*a*", ""], [_text(chance)])), closer]


def _definition(chance: random.Random) -> Lines:
    label = chance.choice(("x", "y", "X", "late", "a\nb", "x y"))
    where = chance.choice(
        (" /u", " <u v>", "\n/u", " /u 't'", " /u\n't'", " /u 't\nu'", " /u 't' x")
    )
    lines = f"[{label}]:{where}".split("\n")
    return [*lines, *chance.choice(([], [_text(chance)], ["'t'"], ["==="], ["[x]"]))]


def _table(chance: random.Random) -> Lines:
    columns = chance.randint(1, 3)

    def row(cells: Callable[[], str], count: int) -> str:
        between = chance.choice((" | ", "|"))
        text = between.join(cells() for _ in range(count))
        return chance.choice((text, f"| {text} |", f"|{text}|", f"|{text}"))

    def cell() -> str:
        return chance.choice(("a", "", _text(chance), "`\\|`", "a \\| b"))

    head = row(cell, columns)
    rule = row(lambda: chance.choice(("---", ":-:", "-", "--:", ":--")), columns)
    body = [row(cell, max(1, columns + chance.choice((-1, 0, 0, 0, 1)))) for _ in range(4)]
    return [head, rule, *body[: chance.randint(0, 4)], *chance.choice(([], [], ["tail"]))]


_LEAVES: tuple[Callable[[random.Random], Lines], ...] = (
    *(_paragraph, _paragraph, _paragraph, _heading, _rule, _fence),
    *(_code, _html, _definition, _definition, _table, _table),
)


def _spoilt(line: str, chance: random.Random) -> str:
    if chance.random() > 0.12:
        return line
    at = chance.randrange(len(line) + 1)
    match chance.randrange(6):
        case 0:
            return line.lstrip(" ")
        case 1:
            return line.replace("    ", "\t").replace("  ", chance.choice(("\t", " ")))
        case 2:
            return line[:at] + chance.choice("\u2028\x0c\u00a0\t\0\x0b\u3000\x85 ") + line[at:]
        case 3:
            return line[:at]
        case 4:
            return line[at:]
        case _:
            return line[:at] + chance.choice(_REACHES) + line[at:]
