"""What a secret looks like: one table.

A rule is what the secret begins with and the runs of characters that follow.
Runs take all they can and give nothing back. So of text that is still
arriving it is known whether it may become a secret (`opening` matches up to
its end) or is decided, and how it was cut into pieces changes nothing.

What keeps ordinary text out: a secret does not begin within a word, its last
run is as long as such secrets are, and where its beginning says little it must
look drawn by lot (`is_random`): `sk-learn` is a name and `task-2024-11` no key.
"""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from math import log2
from typing import NamedTuple

from lfgtui.text.redaction.encodings import encoded_forms

LONGEST = 8192
"""Characters that one run of a secret has at most."""

_ALNUM = "[A-Za-z0-9]"
_URLSAFE = "[A-Za-z0-9_-]"
_TOKEN = "[A-Za-z0-9._~+/=-]"
_BETWEEN = "[\\\\\"' \\t:=]"
"""What stands between a name and its value: in headers, JSON, JSON within JSON, shell."""

CONTEXT = 6
"""Characters that are looked at before a secret."""

_HEAD = 8
"""Characters of a known secret that are searched for; the rest is compared."""

_WORD_BEGINS = re.compile(r"(?:^|[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})\Z")


def is_boundary(before: str) -> bool:
    """Whether a word begins behind that; it does behind an escape of JSON's, as in `\\nsk-`."""
    return _WORD_BEGINS.search(before) is not None


class Run(NamedTuple):
    """So many of these characters; `kept`: they are shown, the secret stands behind them."""

    one: str
    least: int
    most: int
    kept: bool = False


class Rule(NamedTuple):
    """One kind of secret. `heads` are what it begins with, literally."""

    name: str
    heads: tuple[str, ...]
    runs: tuple[Run, ...] = ()
    check: Callable[[str], bool] | None = None
    keeps_head: bool = False
    ignores_case: bool = False
    within_words: bool = False
    literal: str = ""
    """The whole of it, where that is known; `heads` then holds how it begins."""


def is_random(text: str) -> bool:
    """Whether some part of it is drawn by lot rather than made of words and numbers."""
    return any(_is_drawn(part) for part in re.findall(f"{_ALNUM}{{16,}}", text))


def _is_drawn(part: str) -> bool:
    digits = len([*groupby(part, str.isdigit)]) - 1
    cases = len(re.findall("[a-z][A-Z]|[A-Z]{2}[a-z]", part))
    return (digits >= 2 or cases >= 3) and _entropy(part) >= 3.0


def _entropy(text: str) -> float:
    """Bits a character, as often as each of them occurs here."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _is_no_placeholder(text: str) -> bool:
    return _entropy(text) >= 2.5


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text) and _entropy(text) >= 3.0


def _is_mixed(text: str) -> bool:
    return text != text.lower() and text != text.upper() and _entropy(text) >= 3.5


def _is_password(text: str) -> bool:
    """No placeholder, as in `$PASSWORD`, `{password}`, `***`, `user:password@`."""
    return (
        any(map(str.isalnum, text)) and text[0] not in "${%[" and text.lower() not in _PLACEHOLDERS
    )


_PLACEHOLDERS = frozenset(("anonymous", "pass", "passwd", "password", "pwd", "secret", "xyz"))


def _is_private_key(text: str) -> bool:
    return "PRIVATE KEY" in text[:60]


def _is_private_key_cut_off(text: str) -> bool:
    return _is_private_key(text) and re.search("[A-Za-z0-9+/=]{40}", text) is not None


def _word(text: str) -> tuple[Run, ...]:
    return tuple(Run(f"(?ai:{re.escape(letter)})", 1, 1, kept=True) for letter in text)


def _literally(text: str) -> tuple[Run, ...]:
    return tuple(Run(re.escape(letter), 1, 1) for letter in text)


def _is_credential(text: str) -> bool:
    """No word of a sentence, and no placeholder (`YOUR_TOKEN`, `<token>`)."""
    if any(map(str.isdigit, text)) or len(text) >= 40:
        return _entropy(text) >= 2.5
    return len(re.findall("[a-z][A-Z]", text)) >= 3


def _is_basic(text: str) -> bool:
    try:
        return b":" in b64decode(text, validate=True)
    except ValueError:
        return False


def _authorization(scheme: str, check: Callable[[str], bool]) -> Rule:
    between = Run(_BETWEEN, 1, 12, kept=True)
    runs = (between, *_word(scheme), Run(" ", 1, 4, kept=True), Run(_TOKEN, 8, LONGEST))
    return Rule(f"{scheme} credentials", ("authorization",), runs, check, True, True)


_KEY_LINE = (Run("[A-Z0-9 ]", 1, 40), *_literally("-----"))
_LINE_END = "⏎␊␤"
"""The symbols that lfg itself writes for the end of a line (`visible`)."""

_KEY_BODY = f"(?:(?!-----)[A-Za-z0-9+/=\\s\\\\:,.()_|>{_LINE_END}-])"
"""With what stands before each line where it is quoted, numbered or found by a search."""

RULES: tuple[Rule, ...] = (
    Rule("anthropic key", ("sk-ant-",), (Run(_URLSAFE, 24, 512),), _is_no_placeholder),
    Rule("openai key", ("sk-proj-", "sk-svcacct-"), (Run(_URLSAFE, 24, 512),), _is_no_placeholder),
    Rule("api key", ("sk-",), (Run(_URLSAFE, 20, 512),), is_random),
    Rule("xai key", ("xai-",), (Run(_ALNUM, 40, 200),), _is_no_placeholder),
    Rule("groq key", ("gsk_",), (Run(_ALNUM, 40, 200),), _is_no_placeholder),
    Rule("google key", ("AIza",), (Run(_URLSAFE, 35, 35),), _has_digit),
    Rule(
        "github token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        (Run(_ALNUM, 36, 255),),
        _is_no_placeholder,
    ),
    Rule("github token", ("github_pat_",), (Run("[A-Za-z0-9_]", 50, 255),), _is_no_placeholder),
    Rule("gitlab token", ("glpat-",), (Run(_URLSAFE, 20, 255),), _is_no_placeholder),
    Rule("aws key id", ("AKIA", "ASIA"), (Run("[A-Z0-9]", 16, 16),)),
    Rule(
        "aws secret key",
        ("aws_secret_access_key",),
        (Run(_BETWEEN, 1, 12, kept=True), Run("[A-Za-z0-9/+]", 40, 40)),
        keeps_head=True,
        ignores_case=True,
        within_words=True,
    ),
    Rule(
        "slack token",
        ("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
        (Run("[A-Za-z0-9-]", 20, 255),),
        _has_digit,
    ),
    Rule(
        "stripe key",
        ("sk_live_", "rk_live_", "sk_test_", "rk_test_"),
        (Run(_ALNUM, 20, 255),),
        _is_no_placeholder,
    ),
    Rule("npm token", ("npm_",), (Run(_ALNUM, 36, 36),), _is_no_placeholder),
    Rule("pypi token", ("pypi-AgE",), (Run(_URLSAFE, 50, 1024),)),
    Rule("hugging face token", ("hf_",), (Run(_ALNUM, 34, 40),), _is_mixed),
    Rule(
        "jwt",
        ("eyJ",),
        (
            *(Run(_URLSAFE, 10, LONGEST), Run("[.]", 1, 1)),
            *(Run(_URLSAFE, 10, LONGEST), Run("[.]", 1, 1)),
            Run(_URLSAFE, 10, LONGEST),
        ),
    ),
    Rule(
        "private key",
        ("-----BEGIN ",),
        (*_KEY_LINE, Run(_KEY_BODY, 16, LONGEST), *_literally("-----END "), *_KEY_LINE),
        _is_private_key,
        within_words=True,
    ),
    Rule(
        "private key",
        ("-----BEGIN ",),
        (*_KEY_LINE, Run(f"[A-Za-z0-9+/=\\s\\\\{_LINE_END}]", 64, LONGEST)),
        _is_private_key_cut_off,
        within_words=True,
    ),
    _authorization("bearer", _is_credential),
    _authorization("basic", _is_basic),
    _authorization("token", _is_credential),
    Rule(
        "bearer credentials",
        ("bearer ",),
        (Run(_TOKEN, 20, LONGEST),),
        is_random,
        keeps_head=True,
        ignores_case=True,
    ),
    Rule(
        "password in a URL",
        ("://",),
        (
            Run("[^\\s/@:\"'`<>\\\\]", 0, 100, kept=True),
            Run(":", 1, 1, kept=True),
            Run("[^\\s/@\"'`<>\\\\]", 1, 200),
            Run("@", 1, 1, kept=True),
        ),
        _is_password,
        keeps_head=True,
        within_words=True,
    ),
)


def exactly(secrets: Iterable[str]) -> tuple[Rule, ...]:
    """Rules for these very texts and their encoded forms, wherever they stand; longest first."""
    texts = {form for secret in secrets for form in encoded_forms(secret)}
    return tuple(
        Rule("key in use", (text[:_HEAD],), within_words=True, literal=text)
        for text in sorted(texts, key=lambda text: (-len(text), text))
    )


class CompiledRule(NamedTuple):
    """`whole` matches a secret, its part to hide as group 1; `opening` what may become one."""

    name: str
    whole: re.Pattern[str]
    opening: re.Pattern[str]
    check: Callable[[str], bool] | None
    within_words: bool
    keeps_head: bool
    literal: str = ""

    def found_at(self, text: str, position: int) -> tuple[int, int] | None:
        """Return the span to hide, if such a secret stands there."""
        if self.literal:
            is_there = text.startswith(self.literal, position)
            return (position, position + len(self.literal)) if is_there else None
        found = self.whole.match(text, position)
        if found is None or not (self.check is None or self.check(found[1])):
            return None
        return found.span(1)

    def is_open(self, text: str, position: int) -> bool:
        """Return True if the text from there to its end may become such a secret."""
        if self.literal:
            left = len(text) - position
            return left < len(self.literal) and self.literal.startswith(text[position:])
        return self.opening.match(text, position) is not None

    def is_cut_off(self, text: str, position: int) -> bool:
        """Return True if such a secret begins there and the shortened text ends within it."""
        if self.keeps_head:
            return False
        before = text[max(0, position - CONTEXT) : position]
        return (self.within_words or is_boundary(before)) and self.is_open(text, position)


_NEVER = re.compile("(?!)")


def compiled(rule: Rule) -> CompiledRule:
    """Both patterns of a rule."""
    if rule.literal:
        return CompiledRule(rule.name, _NEVER, _NEVER, None, True, False, rule.literal)
    heads = "|".join(map(re.escape, rule.heads))
    head = f"(?ai:{heads})" if rule.ignores_case else f"(?:{heads})"
    before, hidden, behind = "", "" if rule.keeps_head else head, ""
    for run in rule.runs:
        part = f"{run.one}{{{run.least},{run.most}}}+"
        if not run.kept:
            hidden += behind + part
            behind = ""
        elif hidden:
            behind += part
        else:
            before += part
    if rule.runs and not rule.runs[-1].kept:
        hidden += f"(?!{rule.runs[-1].one})"
    kept = head if rule.keeps_head else ""
    whole = f"{kept}{before}({hidden}){behind}"
    opening = "(?!)"
    for run in reversed(rule.runs):
        opening = f"(?:{run.one}{{0,{run.most}}}+\\Z|{run.one}{{{run.least},{run.most}}}+{opening})"
    return CompiledRule(
        rule.name,
        re.compile(whole),
        re.compile(head + opening),
        rule.check,
        rule.within_words,
        rule.keeps_head,
    )
