"""Kinds of secrets: one table.

What keeps ordinary text out: a secret does not begin within a word, its last
run is as long as such secrets are, and where its beginning says little it must
look random (`_is_random`): `sk-learn` is a name and `task-2024-11` no key.
"""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from math import log2

from lfgtui.text.redaction.rule import Rule, Run

_LONGEST = 8192
"""Characters that one run of a secret has at most."""

_ALNUM = "[A-Za-z0-9]"
_URLSAFE = "[A-Za-z0-9_-]"
_TOKEN = "[A-Za-z0-9._~+/=-]"
_GAP = Run("[\\\\\"' \\t:=]", 1, 12, kept=True)
"""Characters between a name and its value: in headers, JSON, JSON within JSON, shell."""


def _is_random(text: str) -> bool:
    """Return True if some part of it is random rather than made of words and numbers."""
    return any(_looks_random(part) for part in re.findall(f"{_ALNUM}{{16,}}", text))


def _looks_random(part: str) -> bool:
    digits = len([*groupby(part, str.isdigit)]) - 1
    cases = len(re.findall("[a-z][A-Z]|[A-Z]{2}[a-z]", part))
    return (digits >= 2 or cases >= 3) and _entropy(part) >= 3.0


def _entropy(text: str) -> float:
    """Return the bits per character, by how often each occurs."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _is_no_placeholder(text: str) -> bool:
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


def _value(name: str, head: str, *runs: Run, check: Callable[[str], bool] | None = None) -> Rule:
    """Return a rule for the value behind a name, which stays and is written in any case."""
    return Rule(name, (head,), runs, check, keeps_head=True, ignores_case=True)


def _authorization(scheme: str, check: Callable[[str], bool]) -> Rule:
    word = (Run(f"(?ai:{re.escape(letter)})", 1, 1, kept=True) for letter in scheme)
    runs = (_GAP, *word, Run(" ", 1, 4, kept=True), Run(_TOKEN, 8, _LONGEST))
    return _value(f"{scheme} credentials", "authorization", *runs, check=check)


def _literally(text: str) -> tuple[Run, ...]:
    return tuple(Run(re.escape(letter), 1, 1) for letter in text)


_KEY_LINE = (Run("[A-Z0-9 ]", 1, 40), *_literally("-----"))
_LINE_END = "⏎␊␤"
"""The symbols that lfg itself writes for the end of a line (`visible`)."""

_KEY_BODY = f"(?:(?!-----)[A-Za-z0-9+/=\\s\\\\:,.()_|>{_LINE_END}-])"
"""With what stands before each line where it is quoted, numbered or found by a search."""

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
    Rule(
        "aws secret key",
        ("aws_secret_access_key",),
        (_GAP, Run("[A-Za-z0-9/+]", 40, 40)),
        keeps_head=True,
        ignores_case=True,
        within_words=True,
    ),
    _token("slack token", _SLACK, "[A-Za-z0-9-]", 20, 255, _has_digit),
    _token("stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", _ALNUM, 20, 255),
    _token("npm token", "npm_", _ALNUM, 36, 36),
    _token("pypi token", "pypi-AgE", _URLSAFE, 50, 1024, None),
    _token("hugging face token", "hf_", _ALNUM, 34, 40, _is_mixed),
    Rule("jwt", ("eyJ",), (_JWT_PART, Run("[.]", 1, 1), _JWT_PART, Run("[.]", 1, 1), _JWT_PART)),
    Rule(
        "private key",
        ("-----BEGIN ",),
        (*_KEY_LINE, Run(_KEY_BODY, 16, _LONGEST), *_literally("-----END "), *_KEY_LINE),
        _is_private_key,
        within_words=True,
    ),
    Rule(
        "private key",
        ("-----BEGIN ",),
        (*_KEY_LINE, Run(f"[A-Za-z0-9+/=\\s\\\\{_LINE_END}]", 64, _LONGEST)),
        _is_private_key_cut_off,
        within_words=True,
    ),
    _authorization("bearer", _is_credential),
    _authorization("basic", _is_basic),
    _authorization("token", _is_credential),
    _value("bearer credentials", "bearer ", Run(_TOKEN, 20, _LONGEST), check=_is_random),
    Rule(
        "password in a URL",
        ("://",),
        (
            *(Run("[^\\s/@:\"'`<>\\\\]", 0, 100, kept=True), Run(":", 1, 1, kept=True)),
            *(Run("[^\\s/@\"'`<>\\\\]", 1, 200), Run("@", 1, 1, kept=True)),
        ),
        _is_password,
        keeps_head=True,
        within_words=True,
    ),
)
