"""Kinds of secrets: their form, and one table of them.

A secret has a head (`sk-ant-`) and runs of characters after it. Runs are possessive
patterns: they take all they can and give nothing back. So it can be told of text
that is still arriving whether it may become a secret (`Rule.is_open`) or is decided,
and the pieces in which it came make no difference.

What keeps ordinary text out: a secret does not begin within a word, its last
run is as long as such secrets are, and if its head says little it must look
random (`_is_random`): `sk-learn` is a name and `task-2024-11` no key.

`redactor` applies the rules. A new kind of secret is a row of `RULES`; the marks
that replace secrets show the name in that row.
"""

import json
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import log2
from typing import NamedTuple
from urllib.parse import quote

CONTEXT = 6
"""Characters before a secret that decide whether it begins a word: the longest is `\\u0041`."""

_HEAD = 8
"""Characters of a known secret that are searched for; the rest is compared."""

_FIRST = 4
"""Characters of a head that `beginnings` looks for: enough to pass over most texts."""

_WORD_BEGINS = re.compile(r"(?:^|[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})\Z")
_TO_URLSAFE = str.maketrans("+/", "-_")


def is_boundary(before: str) -> bool:
    """Return True if a word begins after the text `before`; also after an escape such as `\\n`."""
    return _WORD_BEGINS.search(before) is not None


class Run(NamedTuple):
    """From `least` to `most` characters of the class `one`; if `kept`, they are not hidden."""

    one: str
    least: int
    most: int
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Rule:
    """One kind of secret: one of `heads`, literally, and the `runs` after it.

    `check` gets the part to hide, and returns False if it is no secret. `keeps_head`: the head, a
    name such as `authorization`, is shown. `within_words`: it may begin within a word. `literal`
    is the whole secret if that is known; `heads` is then its beginning.
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
        """Pattern of the heads."""
        heads = "|".join(map(re.escape, self.heads))
        return f"(?ai:{heads})" if self.ignores_case else f"(?:{heads})"

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        """Pattern of the secret, its part to hide as group 1."""
        parts = [f"{one}{{{least},{most}}}+" for one, least, most, _ in self.runs]
        hidden = [number for number, run in enumerate(self.runs) if not run.kept]
        begin, end = hidden[0] if self.keeps_head else 0, hidden[-1] + 1
        if end == len(parts):
            parts.append(f"(?!{self.runs[-1].one})")
        before, secret, after = map("".join, (parts[:begin], parts[begin:end], parts[end:]))
        if self.keeps_head:
            return re.compile(f"{self.head}{before}({secret}){after}")
        return re.compile(f"({self.head}{secret}){after}")

    @cached_property
    def _opening(self) -> re.Pattern[str]:
        """Pattern of a beginning of the secret that the text's end cuts off."""
        rest = "(?!)"
        for one, least, most, _ in reversed(self.runs):
            rest = f"(?:{one}{{0,{most}}}+\\Z|{one}{{{least},{most}}}+{rest})"
        return re.compile(self.head + rest)

    def found_at(self, text: str, position: int) -> tuple[int, int] | None:
        """Return the span to hide if such a secret begins at the position, else None."""
        if self.literal:
            is_there = text.startswith(self.literal, position)
            return (position, position + len(self.literal)) if is_there else None
        match = self._whole.match(text, position)
        if match is None or not (self.check is None or self.check(match[1])):
            return None
        return match.span(1)

    def is_open(self, text: str, position: int) -> bool:
        """Return True if the text from the position to its end may become such a secret."""
        if self.literal:
            left = len(text) - position
            return left < len(self.literal) and self.literal.startswith(text[position:])
        return self._opening.match(text, position) is not None

    def is_cut_off(self, text: str, position: int) -> bool:
        """Return True if such a secret begins at the position and the text ends within it.

        For a text that was shortened, so that the rest will not come.
        """
        if self.keeps_head:
            return False
        before = text[max(0, position - CONTEXT) : position]
        return (self.within_words or is_boundary(before)) and self.is_open(text, position)


def beginnings(rules: Iterable[Rule]) -> re.Pattern[str]:
    """Return a pattern for places where a head may begin, also one that the end cuts off.

    It only rules texts out quickly: it looks at few characters of a head, and each of its
    alternatives begins with another letter.
    """
    rests: dict[str, set[str]] = {}
    anywhere: set[str] = set()
    for rule in rules:
        for head in rule.heads:
            for letter in {head[0], head[0].swapcase()} if rule.ignores_case else {head[0]}:
                rests.setdefault(letter, set()).add(head[1:_FIRST])
                if rule.within_words:
                    anywhere.add(letter)
    ways: list[str] = []
    for letter, known in rests.items():
        one, end = re.escape(letter), r"\Z"
        if letter not in anywhere:  # the same condition as in `is_boundary`
            end += rf"(?:(?<![A-Za-z0-9]{one})|(?<=\\.{one})|(?<=\\u....{one}))"
        ways.append(rf"{one}(?:(?!\Z)(?i:{_whole_or_cut_off(known)})|{end})")
    return re.compile("|".join(ways) or "(?!)")


def _whole_or_cut_off(texts: Collection[str]) -> str:
    """Return a pattern for the shortest of the texts, or for one that the end cuts off."""
    if "" in texts:
        return ""
    rests: dict[str, set[str]] = {}
    for text in texts:
        rests.setdefault(text[0], set()).add(text[1:])
    ways = (re.escape(letter) + _whole_or_cut_off(rest) for letter, rest in rests.items())
    return rf"(?:{'|'.join(ways)}|\Z)"


def literal_rules(secrets: Iterable[str]) -> tuple[Rule, ...]:
    """Return rules for known secrets and their encoded forms, also within words; longest first."""
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


_LONGEST = 8192
"""Most characters of one run of a secret."""

_ALNUM = "[A-Za-z0-9]"
_URLSAFE = "[A-Za-z0-9_-]"
_TOKEN = "[A-Za-z0-9._~+/=-]"
_GAP = Run("[\\\\\"' \\t:=]", 1, 12, kept=True)
"""Characters between a name and its value: in headers, JSON, JSON within JSON, shell."""

# Checks of the part to hide; tests/text/test_redactor.py has texts that they must tell apart.


def _is_random(text: str) -> bool:
    """Return True if some part of it is random rather than made of words and numbers."""
    return any(_looks_random(part) for part in re.findall(f"{_ALNUM}{{16,}}", text))


def _looks_random(part: str) -> bool:
    """Return True if digits and letters, or small and capital letters, alternate often."""
    digits = len([*groupby(part, str.isdigit)]) - 1
    cases = len(re.findall("[a-z][A-Z]|[A-Z]{2}[a-z]", part))
    return (digits >= 2 or cases >= 3) and _entropy(part) >= 3.0


def _entropy(text: str) -> float:
    """Return the bits per character, by how often each occurs."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _is_no_placeholder(text: str) -> bool:
    """Return False for a text of few different characters, as `sk-ant-xxxxxxxxxxxx`."""
    return _entropy(text) >= 2.5


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text)) and _entropy(text) >= 3.0


def _is_mixed(text: str) -> bool:
    return text != text.lower() and text != text.upper() and _entropy(text) >= 3.5


_PLACEHOLDERS = frozenset(("anonymous", "pass", "passwd", "password", "pwd", "secret", "xyz"))


def _is_password(text: str) -> bool:
    """Return False for a placeholder: `$PASSWORD`, `{password}`, `***`, `user:password@`."""
    is_literal = any(map(str.isalnum, text)) and text[0] not in "${%["
    return is_literal and text.lower() not in _PLACEHOLDERS


def _is_private_key(text: str) -> bool:
    """Return False for other blocks of PEM, as certificates."""
    return "PRIVATE KEY" in text[:60]


def _is_private_key_cut_off(text: str) -> bool:
    return _is_private_key(text) and re.search("[A-Za-z0-9+/=]{40}", text) is not None


def _is_credential(text: str) -> bool:
    """Return False for words of a sentence and placeholders (`YOUR_TOKEN`, `<token>`)."""
    if any(map(str.isdigit, text)) or len(text) >= 40:
        return _entropy(text) >= 2.5
    return len(re.findall("[a-z][A-Z]", text)) >= 3


def _is_basic(text: str) -> bool:
    try:
        return b":" in b64decode(text, validate=True)
    except ValueError:
        return False


def _token(
    name: str,
    heads: str,
    one: str,
    least: int,
    most: int,
    check: Callable[[str], bool] | None = _is_no_placeholder,
) -> Rule:
    """Return a rule for one of the heads and a single run of characters."""
    return Rule(name, tuple(heads.split()), (Run(one, least, most),), check)


def _value(
    name: str,
    head: str,
    *runs: Run,
    check: Callable[[str], bool] | None = None,
    within_words: bool = False,
) -> Rule:
    """Return a rule for the value after a name; the name is shown, and may be in any case."""
    return Rule(name, (head,), runs, check, True, True, within_words)


def _key_block(*runs: Run, check: Callable[[str], bool]) -> Rule:
    """Return a rule for a private key in PEM, with these runs after its first line."""
    return Rule("private key", ("-----BEGIN ",), (*_KEY_LINE, *runs), check, within_words=True)


def _authorization(scheme: str, check: Callable[[str], bool]) -> Rule:
    """Return a rule for the credentials in an `Authorization` header of that scheme."""
    word = (Run(f"(?ai:{re.escape(letter)})", 1, 1, kept=True) for letter in scheme)
    runs = (_GAP, *word, Run(" ", 1, 4, kept=True), Run(_TOKEN, 8, _LONGEST))
    return _value(f"{scheme} credentials", "authorization", *runs, check=check)


def _literally(text: str) -> tuple[Run, ...]:
    """Return runs that match exactly the text."""
    return tuple(Run(re.escape(letter), 1, 1) for letter in text)


_KEY_LINE = (Run("[A-Z0-9 ]", 1, 40), *_literally("-----"))
_LINE_END = "⏎␊␍␤"
"""The symbols that lfg itself writes for the end of a line (`terminal_safe`)."""

_KEY_BODY = Run(f"(?:(?!-----)[A-Za-z0-9+/=\\s\\\\:,.()_|>{_LINE_END}-])", 16, _LONGEST)
"""The lines of a key, also with the marks and numbers that quotes and searches put before them."""

_KEY_CUT_OFF = Run(f"[A-Za-z0-9+/=\\s\\\\{_LINE_END}]", 64, _LONGEST)
_AWS_SECRET = Run("[A-Za-z0-9/+]", 40, 40)
_JWT_PART = Run(_URLSAFE, 10, _LONGEST)
_SLACK = "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-"

RULES: tuple[Rule, ...] = (
    _token("anthropic key", "sk-ant-", _URLSAFE, 24, 512),
    _token("openai key", "sk-proj- sk-svcacct-", _URLSAFE, 24, 512),
    _token("api key", "sk-", _URLSAFE, 20, 512, _is_random),
    _token("xai key", "xai-", _ALNUM, 40, 200),
    _token("groq key", "gsk_", _ALNUM, 40, 200),
    _token("google key", "AIza", _URLSAFE, 35, 35, _has_digit),
    _token("github token", "ghp_ gho_ ghu_ ghs_ ghr_", _ALNUM, 36, 255),
    _token("github token", "github_pat_", "[A-Za-z0-9_]", 50, 255),
    _token("gitlab token", "glpat-", _URLSAFE, 20, 255),
    _token("aws key id", "AKIA ASIA", "[A-Z0-9]", 16, 16, None),
    _value("aws secret key", "aws_secret_access_key", _GAP, _AWS_SECRET, within_words=True),
    _token("slack token", _SLACK, "[A-Za-z0-9-]", 20, 255, _has_digit),
    _token("stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", _ALNUM, 20, 255),
    _token("npm token", "npm_", _ALNUM, 36, 36),
    _token("pypi token", "pypi-AgE", _URLSAFE, 50, 1024, None),
    _token("hugging face token", "hf_", _ALNUM, 34, 40, _is_mixed),
    Rule("jwt", ("eyJ",), (_JWT_PART, Run("[.]", 1, 1), _JWT_PART, Run("[.]", 1, 1), _JWT_PART)),
    _key_block(_KEY_BODY, *_literally("-----END "), *_KEY_LINE, check=_is_private_key),
    _key_block(_KEY_CUT_OFF, check=_is_private_key_cut_off),
    _authorization("bearer", _is_credential),
    _authorization("basic", _is_basic),
    _authorization("token", _is_credential),
    _value("bearer credentials", "bearer ", Run(_TOKEN, 20, _LONGEST), check=_is_random),
    _value(
        "password in a URL",
        "://",
        *(Run("[^\\s/@:\"'`<>\\\\]", 0, 100, kept=True), Run(":", 1, 1, kept=True)),
        *(Run("[^\\s/@\"'`<>\\\\]", 1, 200), Run("@", 1, 1, kept=True)),
        check=_is_password,
        within_words=True,
    ),
)
