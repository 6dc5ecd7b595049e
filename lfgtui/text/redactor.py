"""Redaction: text with marks in place of its secrets.

One law holds: however a text is cut into pieces, the joined output of a
`TextStream` equals `Redactor.text` of the whole. So text is redacted the same
whether it is redacted while it arrives or when it is exported.

A stream holds back only text that may still become a secret. A person's own
patterns may be any regular expressions, of which that cannot be known, so with
them a line is held until it ends. `model/redaction.py` applies this to events.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from lfgtui.text.marking import Marking, MarkingStream
from lfgtui.text.secret_rules import CONTEXT, RULES, Rule, beginnings, is_boundary, literal_rules

MARK = "[redacted: "
"""The beginning of all marks, by which `is_marked` knows them, also in stored runs."""

_LONGEST_LINE = 16_384
"""Characters; a longer line is searched for the person's patterns in pieces of this length."""

_LEAST_KEY = 8
_LONGEST_WORDS = 20
"""Characters. A shorter key, or one of words (`not-needed`), would be found in ordinary text."""

_CUT = "…"  # at the end of a text that was shortened
_LEAST_CUT = 6
"""Least characters of a secret, after its beginning, that are worth hiding."""


def mark(name: str) -> str:
    """Return the mark that replaces a secret; nothing in it needs escaping in JSON."""
    return f"{MARK}{name}]"


def is_key(text: str) -> bool:
    """Return True for a key, False for a placeholder for servers that need none."""
    letters = re.sub("[-_ ]", "", text)
    is_of_words = letters.isalpha() and (letters.islower() or letters.isupper())
    return len(text) >= (_LONGEST_WORDS if is_of_words else _LEAST_KEY)


def is_marked(value: object) -> bool:
    """Return True if something was redacted in a JSON value."""
    match value:
        case str():
            return MARK in value
        case dict():
            return any(is_marked(key) or is_marked(item) for key, item in value.items())
        case list() | tuple():
            return any(map(is_marked, value))
        case _:
            return False


class Redactor:
    """Replaces secrets in texts. `counts` has the number of replacements by name.

    `patterns` are a person's own regular expressions, matched within lines;
    `keys` are secrets themselves, to which `learn` adds; `rules` are
    the forms of other secrets; `marking` are guards' patterns, matched in one pass.

    For `TextStream`: `begins` finds a head, and `may_begin` rules most texts out before. `openings`
    are the beginnings of heads in lower case, by their last two letters and longest first, each
    with True if it may be within a word; `longest_head` is in characters.
    """

    def __init__(
        self,
        patterns: Sequence[str] = (),
        keys: Iterable[str] = (),
        rules: Sequence[Rule] = RULES,
        marking: Marking | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.patterns = tuple(map(re.compile, patterns))
        self.marking = marking
        self._kinds = tuple(rules)
        self._narrower: list[Redactor] = []
        self._keys: set[str] = set()
        self._compile()
        self.learn(keys)

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to look for, so that no text needs to be fed."""
        return not self._rules and not self.patterns and self.marking is None

    def narrowed(self, marking: Marking | None, rules: Sequence[Rule] = ()) -> "Redactor":
        """Return a redactor that replaces all that this one does, and more.

        It learns the same keys, and has counts of its own.
        """
        patterns = [pattern.pattern for pattern in self.patterns]
        kinds = (*self._kinds, *(rule for rule in rules if rule not in self._kinds))
        narrower = Redactor(patterns, self._keys, kinds, marking)
        self._narrower.append(narrower)
        return narrower

    def learn(self, keys: Iterable[str]) -> None:
        """Replace these texts as well, from here on; those that are no `is_key` are ignored."""
        known = self._keys | set(filter(is_key, keys))
        if known != self._keys:
            self._keys = known
            self._compile()
            for narrower in self._narrower:
                narrower.learn(known)

    def _compile(self) -> None:
        """Make the tables of all rules, again after each change of the keys."""
        table = (*literal_rules(self._keys), *self._kinds)
        self._rules: dict[str, list[Rule]] = {}
        known: dict[str, bool] = {}
        for rule in table:
            letters = {head[0] for head in rule.heads}
            if rule.ignores_case:
                letters |= {letter.swapcase() for letter in letters}
            for letter in letters:
                self._rules.setdefault(letter, []).append(rule)
            openings = (head[:n].lower() for head in rule.heads for n in range(1, len(head) + 1))
            for opening in openings:
                known[opening] = rule.within_words or known.get(opening, False)
        self.longest_head = max(map(len, known), default=1)
        self.openings: dict[str, list[tuple[str, bool]]] = {}
        for opening, is_anywhere in sorted(known.items(), key=lambda item: -len(item[0])):
            self.openings.setdefault(opening[-2:], []).append((opening, is_anywhere))
        self.begins = re.compile("|".join(dict.fromkeys(rule.head for rule in table)) or "(?!)")
        self.may_begin = beginnings(table)

    def text(self, text: str) -> str:
        """Return a whole text without secrets."""
        if not self.patterns and not self.marking and self.begins.search(text) is None:
            return text
        stream = TextStream(self)
        return stream.feed(text) + stream.finish()

    def whole(self, text: str) -> str:
        """Return a complete text without secrets.

        If it was shortened (ends in `…`), a part of a secret at its end is replaced, too.
        """
        redacted = self.text(text)
        if not redacted.endswith(_CUT):
            return redacted
        kept = redacted.removesuffix(_CUT)
        for begun in self.begins.finditer(kept):
            for rule in self.rules_at(kept, begun.start()):
                least = begun.end() + _LEAST_CUT
                if least <= len(kept) and rule.is_cut_off(kept, begun.start()):
                    return redacted[: begun.start()] + self.replacement(rule.name) + _CUT
        return redacted

    def value(self, value: object) -> object:
        """Return a JSON value without secrets, also in names of fields, which stay distinct."""
        match value:
            case str():
                return self.whole(value)
            case dict():
                redacted: dict[object, object] = {}
                for key, item in value.items():
                    name = self.text(key) if isinstance(key, str) else key
                    while name in redacted:
                        name = f"{name}'"
                    redacted[name] = self.value(item)
                return redacted
            case list():
                return [self.value(item) for item in value]
            case tuple():
                return tuple(self.value(item) for item in value)
            case _:
                return value

    def rules_at(self, text: str, position: int) -> Sequence[Rule]:
        """Return the rules whose heads begin with the letter there: a few of some thirty."""
        return self._rules.get(text[position], ())

    def replacement(self, name: str) -> str:
        """Return the mark, and count it."""
        self.counts[name] += 1
        return mark(name)

    def own_patterns(self, line: str) -> str:
        """Return a line redacted by the person's patterns."""
        for pattern in self.patterns:
            line = pattern.sub(lambda m: self.replacement("secret") if m.group() else "", line)
        return line


class TextStream:
    """A text that arrives in pieces: `feed` returns what is decided, `finish` the rest."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""  # what may still become a secret
        self._before = ""  # the `CONTEXT` before it
        self._line = ""  # what is held for the person's patterns
        marking = redactor.marking
        self._marks = MarkingStream(marking, redactor.replacement) if marking else None

    def feed(self, text: str) -> str:
        """Add a piece; return what is decided by now and was not returned yet."""
        text = self._decided(text, is_over=False)
        if self._redactor.patterns:
            text = self._lines(text, is_over=False)
        return text if self._marks is None else self._marks.feed(text)

    def finish(self) -> str:
        """End the text; return what was held."""
        rest = self._lines(self._decided("", is_over=True), is_over=True)
        self._before = ""
        return rest if self._marks is None else self._marks.feed(rest) + self._marks.finish()

    def _decided(self, text: str, *, is_over: bool) -> str:
        """Return the text up to what may still become a secret by the rules, redacted."""
        held = self._held
        source, position = self._before + held + text, len(self._before)
        if self._redactor.may_begin.search(source, position) is None:  # true for nearly all text
            self._before, self._held = source[-CONTEXT:], ""
            return held + text
        parts: list[str] = []
        begin, search_from = 0, position
        longest = self._redactor.longest_head
        while True:
            head = self._redactor.begins.search(source, search_from)
            end = len(source)
            if not is_over and (head is None or head.start() >= end - longest):
                end = self._head_at_end(source, begin, search_from)
            if head is None or end <= head.start():
                break
            end = head.start()
            secret = self._secret_at(source, begin, end, is_over=is_over)
            if secret == "open":
                break
            if secret is None:
                search_from = end + 1
                continue
            name, (first, after) = secret
            parts += (source[position:first], self._redactor.replacement(name))
            begin = position = search_from = after  # after a secret a word begins
        parts.append(source[position:end])
        self._before, self._held = source[max(begin, end - CONTEXT) : end], source[end:]
        return "".join(parts)

    def _secret_at(
        self, source: str, begin: int, position: int, *, is_over: bool
    ) -> tuple[str, tuple[int, int]] | Literal["open"] | None:
        """Return the name and span of a secret that begins at the position; None if none does.

        "open" if more text may make it one. `begin` is where text after the last secret begins.
        """
        begins_word = _begins_word(source, begin, position)
        for rule in self._redactor.rules_at(source, position):
            if not (begins_word or rule.within_words):
                continue
            if not is_over and rule.is_open(source, position):
                return "open"
            if (span := rule.found_at(source, position)) is not None:
                return rule.name, span
        return None

    def _head_at_end(self, source: str, begin: int, least: int) -> int:
        """Return where a head begins that the end cuts off, from `least` on; else the end."""
        end, openings = len(source), self._redactor.openings
        tail = source[-self._redactor.longest_head :].lower()
        for ending in (tail[-2:], tail[-1:]):
            for opening, is_anywhere in openings.get(ending, ()):
                begun = end - len(opening)
                if begun < least or not tail.endswith(opening):
                    continue
                if is_anywhere or _begins_word(source, begin, begun):
                    return begun
        return end

    def _lines(self, text: str, *, is_over: bool) -> str:
        """Return the complete lines, redacted by the person's patterns; hold the last one."""
        if not self._redactor.patterns:
            return text
        self._line += text
        done: list[str] = []
        while self._line:
            end = self._line.find("\n", 0, _LONGEST_LINE) + 1
            if not end and len(self._line) < _LONGEST_LINE and not is_over:
                break
            end = end or _LONGEST_LINE
            done.append(self._redactor.own_patterns(self._line[:end]))
            self._line = self._line[end:]
        return "".join(done)


def _begins_word(source: str, begin: int, position: int) -> bool:
    return is_boundary(source[max(begin, position - CONTEXT) : position])
