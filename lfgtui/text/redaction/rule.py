"""The form of a secret: how it begins, and the runs of characters that follow.

Runs take all they can and give nothing back. So of text that is still
arriving it is known whether it may become a secret (`Rule.is_open`) or is
decided, and how it was cut into pieces changes nothing.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote

CONTEXT = 6
"""Characters that are looked at before a secret."""

_HEAD = 8
"""Characters of a known secret that are searched for; the rest is compared."""

_WORD_BEGINS = re.compile(r"(?:^|[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})\Z")
_TO_URLSAFE = str.maketrans("+/", "-_")


def is_boundary(before: str) -> bool:
    """Return True if a word begins after that text; it does after `\\n` and other escapes."""
    return _WORD_BEGINS.search(before) is not None


class Run(NamedTuple):
    """From `least` to `most` characters of a class; if `kept`, they are shown, not hidden."""

    one: str
    least: int
    most: int
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Rule:
    """One kind of secret. `heads` are what it begins with, literally.

    `literal` is the whole of it, where that is known; `heads` is then its beginning.
    """

    name: str
    heads: tuple[str, ...]
    runs: tuple[Run, ...] = ()
    check: Callable[[str], bool] | None = None
    keeps_head: bool = False
    ignores_case: bool = False
    within_words: bool = False
    literal: str = ""

    @cached_property
    def head(self) -> str:
        """Pattern of how it begins."""
        heads = "|".join(map(re.escape, self.heads))
        return f"(?ai:{heads})" if self.ignores_case else f"(?:{heads})"

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        """Pattern of the secret, its part to hide as group 1."""
        before, hidden, behind = "", "" if self.keeps_head else self.head, ""
        for run in self.runs:
            part = f"{run.one}{{{run.least},{run.most}}}+"
            if not run.kept:
                hidden += behind + part
                behind = ""
            elif hidden:
                behind += part
            else:
                before += part
        if self.runs and not self.runs[-1].kept:
            hidden += f"(?!{self.runs[-1].one})"
        kept = self.head if self.keeps_head else ""
        return re.compile(f"{kept}{before}({hidden}){behind}")

    @cached_property
    def _opening(self) -> re.Pattern[str]:
        """Pattern of what may become the secret, up to the text's end."""
        rest = "(?!)"
        for one, least, most, _ in reversed(self.runs):
            rest = f"(?:{one}{{0,{most}}}+\\Z|{one}{{{least},{most}}}+{rest})"
        return re.compile(self.head + rest)

    def found_at(self, text: str, position: int) -> tuple[int, int] | None:
        """Return the span to hide, if such a secret begins there."""
        if self.literal:
            is_there = text.startswith(self.literal, position)
            return (position, position + len(self.literal)) if is_there else None
        found = self._whole.match(text, position)
        if found is None or not (self.check is None or self.check(found[1])):
            return None
        return found.span(1)

    def is_open(self, text: str, position: int) -> bool:
        """Return True if the text from there to its end may become such a secret."""
        if self.literal:
            left = len(text) - position
            return left < len(self.literal) and self.literal.startswith(text[position:])
        return self._opening.match(text, position) is not None

    def is_cut_off(self, text: str, position: int) -> bool:
        """Return True if such a secret begins there and the shortened text ends within it."""
        if self.keeps_head:
            return False
        before = text[max(0, position - CONTEXT) : position]
        return (self.within_words or is_boundary(before)) and self.is_open(text, position)


def literal_rules(secrets: Iterable[str]) -> tuple[Rule, ...]:
    """Return rules for these very texts and their encoded forms, anywhere; longest first."""
    texts = {form for secret in secrets for form in _encoded_forms(secret)}
    return tuple(
        Rule("key in use", (text[:_HEAD],), within_words=True, literal=text)
        for text in sorted(texts, key=lambda text: (-len(text), text))
    )


def _encoded_forms(secret: str) -> Iterator[str]:
    """Yield the secret as it is and escaped as in JSON and URLs, in hexadecimal and in base64.

    In base64, at each of the three offsets in a group of three bytes, it may be part of a
    longer text, as in `user:key`; encoded characters that it shares with its neighbours are
    not searched for. Base64 over several lines is not found.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    in_json, in_url = json.dumps(secret)[1:-1], quote(raw, safe="")
    yield from (secret, in_json, in_json.replace("/", "\\/"))
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from (in_url, quote(raw), re.sub("%..", lambda escape: escape[0].lower(), in_url))
    yield from (raw.hex(), raw.hex().upper())
    for before in range(3):
        text = b64encode(b"\0" * before + raw).decode()
        core = text[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from (core, core.translate(_TO_URLSAFE))
