"""What the streams say: Markdown with marks, by which a token is known again on a screen."""

import re
from functools import cache
from itertools import count

from bench import corpus

_MARK_EVERY = 9
"""Tokens between two marks, about."""

_DOCUMENTS = 8
"""Different ones; streams share them but for the marks."""

MARK = re.compile(r"\bk([a-z])([a-z])(\d{3,5})\b")
"""A mark in what a side wrote: see `stream_of`."""


def mark(stream: int, number: int) -> str:
    """The stream's mark of that number, a word that nothing else on a screen says."""
    return f"k{chr(97 + stream // 26)}{chr(97 + stream % 26)}{number:03d}"


def stream_of(found: re.Match[str]) -> tuple[int, int]:
    """The stream and the number of a mark."""
    return (ord(found[1]) - 97) * 26 + ord(found[2]) - 97, int(found[3])


def tokens(stream: int, length: int) -> list[str]:
    """The first tokens that the stream says."""
    numbers = count()
    slots = _slots(stream % _DOCUMENTS, length)
    return [f" {mark(stream, next(numbers))}" if slot is None else slot for slot in slots]


def marked(stream: int, length: int) -> list[int]:
    """Which of them are marks, in the order of the marks' numbers."""
    slots = _slots(stream % _DOCUMENTS, length)
    return [place for place, slot in enumerate(slots) if slot is None]


@cache
def _slots(document: int, length: int) -> list[str | None]:
    """Tokens of a document; None where a mark belongs, which is always behind a whole word."""
    slots: list[str | None] = []
    words: list[str] = []
    for word in corpus.wrapped(length, seed=document + 1).split(" "):
        words.append(word)
        if sum(map(len, words)) + len(words) >= _MARK_EVERY * corpus.TOKEN:
            slots += [*corpus.tokens(" " + " ".join(words)), None]
            words = []
    return slots[:length]
