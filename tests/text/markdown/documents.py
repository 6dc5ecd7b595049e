"""Awkward Markdown: the specifications' examples, put together, and documents made up here.

A document made up follows one number: `made_up(7)` is the same for ever, so
a failure is named by its seed.
"""

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

_LONGEST = 600
"""Characters of a document made up: what is found in more is found in less."""

_MARKERS = ("- ", "1. ", "10)  ", "*\t", "- [ ] ", "2.     ", " +   ", "999999999. ")
_QUOTES = ("> ", ">", ">\t", " > ")

_BLOCKS = (
    *("one *em* [x]\n**two**  \nthree", "a", "[late] `code`\\\n<b>[y][x]", "https://a.b. ~~del~~"),
    *("# one", "###### a ##", "Title\n===", "one\ntwo\n---", "***", "- - -", "--", "#\u00a0no"),
    *("```py\nx = 1\n\n# no heading\n```", "~~~ x\n- no item\n``", "````\n```\n````  ", "```\na"),
    *(
        "    code\n\n      more",
        "\tcode\n    > q",
        "     five",
        "<div>\n*a*\n\n</div>",
        "<?php\n?>",
    ),
    *("<!-- a\n\nb -->", "<pre>\n\n</pre> x", "<b>\n*a*", "[x]: /u\n't'", "[y]:\n<u v> 't\nu'"),
    *("[late]: /late", "[X]: /z (t) x", "[a\nb]: /u", "| a | b |\n|---|:-:|\n| c \\| d | `|` |"),
    *("a|b\n-|-\n1\n1|2|3\ntail", "|a|\n|-|\n\n|b|", "a | b\n--- | ---", "語語 a\u00a0b 👩‍🚀", ""),
)

_SHORT = (
    "a b ab foo 0 ٣ é 語 İ ª 👩\u200d🚀 \u0301 \u200b . , ? ' \" - = + % ! # | \\ ( ) [ ] < > * **"
    " _ __ ` `` ~~ & &amp &amp; : / // @ http:// https://a.b mailto: a@b.cd x@ :// www. [foo] (/u"
    " 't \"t </a> <b --- |---|"
)
_PIECES = (
    *_SHORT.split(" "),
    *(" ", "  ", "\t", "\n", "\n\n", "\u00a0", "[foo]: /u", "<a href='x'>"),
    *("- ", "> ", "1. ", "| a", "[x] ", "[ ] "),
)
_BEGINNINGS = ("", "", "text\n", "> ", "## ", "- a\n- ", "[foo]: /u\n", "- [foo]: /u\n")

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
    *("a | b", "|a|b|", "|-|-|", "---|---", "|:-:|-:|", "| c | d |", "| e |", "|", "`|`", ":-"),
    *("|-", "-|", "|a", "| a | b | c |", "a \\| b", "~~a~~", "~~a", "a~~", "~"),
    *("[ ] t", "[x] t", "[X] t", "[ ]", "[ ]t", "- [ ] t", "- [x]", "[ ]\tt"),
    *("https://a.b/c.", "http://a", "www.a.b", "a@b.cd", "<https://a.b>", "https://a.b/(c)", "://"),
    *("&amp;", "&am", "&#35;", "a\u2028b", "\u2028", "\u00a0", "\x0c", "a\x0cb", "\u3000a", "\x0b"),
    *("\x85", "a\0b", "\ufeff", "語", "👩‍🚀", "\u00a0- a", "\x0c> a", "- a\u00a0", "1. a", "> a"),
)
_REPEATS = ("- a", "> a", "1. a", "| c | d |", "a", "    a", "  - a", "> - a", "", "```", "- ")


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
        if chance.random() < 0.33:
            part = _contained(part, chance)
        text += part + chance.choice(("", "", "\n", "\n\n"))
    return text


def made_up(seed: int) -> str:
    """A document that looks for trouble: nested blocks, or lines thrown together."""
    chance = random.Random(seed)
    lines = _salad(chance) if chance.random() < 0.5 else _nested(chance, 3).split("\n")
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


_SEEDS = st.integers(0, 1 << 32)
DOCUMENTS = _SEEDS.map(made_up) | _SEEDS.map(strewn)
if _known := examples():
    DOCUMENTS |= _SEEDS.map(lambda seed: put_together(_known, seed))


def _contained(text: str, chance: random.Random) -> str:
    """Put the text into a list item or a quote, now and then not quite."""
    is_quoted = chance.random() < 0.4
    first = rest = chance.choice(_QUOTES)
    if not is_quoted:
        first = chance.choice(_MARKERS)
        rest = " " * len(first.removesuffix("[ ] ").expandtabs(4))
    lines = [first if number == 0 else rest for number in range(text.count("\n") + 1)]
    for number, line in enumerate(text.split("\n")):
        if number and chance.random() < 0.08:
            lines[number] = chance.choice(("", rest[1:], f" {rest}"))
        if line or number == 0 or is_quoted or chance.random() < 0.2:
            lines[number] += line
        else:
            lines[number] = ""
    return "\n".join(lines)


def _nested(chance: random.Random, depth: int) -> str:
    """Blocks one after the other, some of them containers of such; at times a deep one."""
    parts = []
    for _ in range(chance.randint(1, 4)):
        part = _nested(chance, depth - 1) if depth and chance.random() < 0.5 else ""
        part = _contained(part, chance) if part else chance.choice(_BLOCKS)
        parts.append(part + chance.choice(("", "", "\n", "\n", "\n\n", "\n \t")))
    text = "\n".join(parts)
    if depth == 3 and chance.random() < 0.08:
        mark = chance.choice((("> ",), ("- ",), ("> ", "- "), ("1. ", "- ", ">")))
        text = "".join(chance.choice(mark) for _ in range(chance.randint(8, 24))) + text
    return text


def _salad(chance: random.Random) -> list[str]:
    lines: list[str] = []
    while len(lines) < 14 and (not lines or chance.random() > 0.1):
        start = "".join(chance.choice(_STARTS) for _ in range(chance.choice((0, 1, 1, 1, 2, 3))))
        if lines and chance.random() < 0.25:
            start = lines[-1][: chance.randrange(len(lines[-1]) + 1)]
        lines.append(start + chance.choice(_REACHES))
        if chance.random() < 0.05:
            lines += [chance.choice(_REPEATS)] * chance.randint(1, 5)
    return lines


def _spoilt(line: str, chance: random.Random) -> str:
    if chance.random() > 0.12:
        return line
    at = chance.randrange(len(line) + 1)
    odd = chance.choice("\u2028\x0c\u00a0\t\0\x0b\u3000\x85 ")
    return chance.choice(
        (
            line.lstrip(" "),
            line.replace("    ", "\t").replace("  ", chance.choice(("\t", " "))),
            line[:at] + odd + line[at:],
            line[:at],
            line[at:],
            line[:at] + chance.choice(_REACHES) + line[at:],
        )
    )
