"""Documents to measure with: like what a model writes, the same in every run.

Tokens are pieces of four characters: a server's real ones are about that long
on average, and cut words, marks and fences just as carelessly.
"""

import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

TOKEN = 4
"""Characters."""

_Block: TypeAlias = Callable[[random.Random], str]

_TEXT = """
    the of and to in is that for it as with on are this be by from or an at which can each if has
    more when stream token render block terminal layout buffer cursor widget parser measure cache
    frame latency queue worker connection request response timeout retry schedule cancel promise
    coroutine event loop scheduler memory
"""
_WORDS = _TEXT.split()

_CODE = '''class Node:
    """A tree node."""
    def __init__(self, value, left=None, right=None):
        self.value = value  # payload
        self.left, self.right = left, right

    def walk(self):
        if self.left is not None:
            yield from self.left.walk()
        yield self.value
        for i in range(10):
            print(f"value={i!r} {self.value:>10}", end="\\n")

async def main(url: str, *, retries: int = 3) -> dict[str, int]:
    async with client.get(url) as response:
        data = await response.json()
    return {key: len(value) for key, value in data.items() if value}
'''.splitlines()


def tokens(text: str) -> list[str]:
    """The text as it would arrive."""
    return [text[i : i + TOKEN] for i in range(0, len(text), TOKEN)]


def document(length: int, seed: int = 1) -> str:
    """An answer of that many tokens: prose, headings, lists, code, tables, quotes."""
    return _written(length, seed, _BLOCKS)


def wrapped(length: int, seed: int = 1) -> str:
    """The same without code and tables: of what is left a narrow pane cuts nothing off."""
    kinds = {block: often for block, often in _BLOCKS.items() if block not in (_fence, _table)}
    return _written(length, seed, kinds)


def _written(length: int, seed: int, kinds: Mapping[_Block, int]) -> str:
    dice = random.Random(seed)
    blocks: list[str] = []
    size = 0
    while size < length * TOKEN:
        (block,) = dice.choices(list(kinds), list(kinds.values()))
        blocks.append(block(dice))
        size += len(blocks[-1]) + 2
    return "\n\n".join(blocks)[: length * TOKEN]


def ended(text: str) -> str:
    """The text with its fence closed, if one is open."""
    return text + "\n```" if text.count("```") % 2 else text


def _sentence(dice: random.Random, least: int = 6, most: int = 18) -> str:
    words = [_dressed(dice) for _ in range(dice.randint(least, most))]
    return " ".join(words).capitalize() + "."


def _dressed(dice: random.Random) -> str:
    word, chance = dice.choice(_WORDS), dice.random()
    if chance < 0.03:
        return f"**{word} {dice.choice(_WORDS)}**"
    if chance < 0.06:
        return f"`{word}_{dice.choice(_WORDS)}()`"
    if chance < 0.07:
        return f"*{word}*"
    if chance < 0.075:
        return f"[{word}](https://example.com/{word})"
    return "café 日本語 🎉" if chance < 0.08 else word


def _paragraph(dice: random.Random) -> str:
    return " ".join(_sentence(dice) for _ in range(dice.randint(2, 5)))


def _heading(dice: random.Random) -> str:
    return "#" * dice.randint(2, 4) + " " + _sentence(dice, 5, 5)[:-1]


def _bullets(dice: random.Random) -> str:
    lines = []
    for _ in range(dice.randint(3, 7)):
        lines.append(f"- {_sentence(dice)}")
        if dice.random() < 0.2:
            lines.append(f"  - {_sentence(dice)}")
    return "\n".join(lines)


def _steps(dice: random.Random) -> str:
    count = dice.randint(3, 6)
    return "\n".join(f"{i + 1}. **{dice.choice(_WORDS)}**: {_sentence(dice)}" for i in range(count))


def _fence(dice: random.Random) -> str:
    lines = _CODE[: dice.randint(5, len(_CODE))] * dice.randint(1, 2)
    return "\n".join(["```python", *lines, "```"])


def _rows(dice: random.Random, count: int) -> str:
    rows = [
        f"| {dice.choice(_WORDS)} | {dice.randint(1, 9999)} "
        f"| {dice.choice(_WORDS)} {dice.choice(_WORDS)} |"
        for _ in range(count)
    ]
    return "\n".join(["| name | value | note |", "|---|---:|---|", *rows])


def _table(dice: random.Random) -> str:
    return _rows(dice, dice.randint(3, 8))


def _quote(dice: random.Random) -> str:
    return f"> {_sentence(dice)}\n> {_sentence(dice)}"


_BLOCKS: Mapping[_Block, int] = {
    _paragraph: 45,
    _heading: 12,
    _bullets: 15,
    _steps: 8,
    _fence: 13,
    _table: 4,
    _quote: 3,
}
"""How often each comes, in hundredths."""


def worst_cases() -> dict[str, str]:
    """One construct each, so long that anything not incremental shows."""
    dice = random.Random(7)
    return {
        "200-row table": _rows(dice, 200),
        "400-item list": "\n".join(f"- {_sentence(dice)}" for _ in range(400)),
        "200-line quote": "\n".join(f"> {_sentence(dice)}" for _ in range(200)),
        "200-deep list": "\n".join("  " * deep + f"- level {deep}" for deep in range(200)),
        "16k-character paragraph": _long_paragraph(dice, 16_000),
        "1,000-line fence": "\n".join(["```python", *(_CODE * 59)[:1000], "```"]),
    }


def _long_paragraph(dice: random.Random, length: int) -> str:
    sentences: list[str] = []
    while sum(map(len, sentences)) + len(sentences) < length:
        sentences.append(_sentence(dice))
    return " ".join(sentences)[:length]
