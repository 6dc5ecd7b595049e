"""Secrets in texts: found in every surrounding and every cut, and nothing else found."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lfgtui.text.redactor import Redactor, TextStream, is_marked
from lfgtui.text.secret_rules import RULES, beginnings, literal_rules
from tests.text.secrets import GITHUB, IN_PLACE, JWT, ORDINARY, SECRETS, drawn, pem

WORDS = ("and ", "x", "\n", '"', "\\n", " = ", "sk-", "-----", "eyJ", "://", "bearer ", "Ï", ".")
pieces = st.lists(
    st.sampled_from((*SECRETS, *WORDS, *(place.replace("<", "") for place in IN_PLACE)))
    | st.text(max_size=8),
    max_size=6,
)
PATTERNS = ("ACME-[0-9]+", "(?i)internal.*$")
MARK = "[redacted: github token]"


def in_pieces(redactor: Redactor, text: str, cuts: list[int]) -> str:
    stream = TextStream(redactor)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    fed = [stream.feed(text[a:b]) for a, b in pairwise(places)]
    return "".join(fed) + stream.finish()


@pytest.mark.parametrize(("secret", "name"), SECRETS.items(), ids=lambda value: value[:12])
@pytest.mark.parametrize("around", ["{}", "KEY={}\n", 'x = "{}", y', "a\\n{}\\n", "({})", "`{}`"])
def test_a_secret_is_replaced_by_what_it_was(secret: str, name: str, around: str) -> None:
    redactor = Redactor()
    assert redactor.text(around.format(secret)) == around.format(f"[redacted: {name}]")
    assert redactor.counts == {name: 1}


@pytest.mark.parametrize(("place", "name"), IN_PLACE.items())
def test_what_stands_around_a_secret_stays(place: str, name: str) -> None:
    before, secret, behind = re.split("[<>]", place)
    text = f"{before}{secret}{behind}"
    assert Redactor().text(text) == f"{before}[redacted: {name}]{behind}"


@pytest.mark.parametrize("text", ORDINARY, ids=lambda text: text[:24])
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


RANDOM_LOOKING = "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLL"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("ACME-77, ok\ninternal: all\nof it", "[redacted: secret], ok\n[redacted: secret]\nof it"),
        (f"a\n{pem()[:300]}", "a\n[redacted: private key]"),  # cut off
        (f"use {RANDOM_LOOKING} now", "use [redacted: anthropic key] now"),
        (
            f"AKIAW02707BQ7X6EQITU{next(iter(SECRETS))}",
            "[redacted: aws key id][redacted: anthropic key]",
        ),
    ],
    ids=["own patterns", "cut off", "not random", "no gap"],
)
def test_it_is_found_by_own_patterns_cut_off_and_side_by_side(text: str, redacted: str) -> None:
    assert Redactor(PATTERNS).text(text) == redacted


@given(pieces, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
@example([JWT, " ", GITHUB], list(range(300)), False)
@example([pem()], list(range(700)), True)
@example(["my-sk-", "key and more"], [4], False)
def test_no_cut_of_a_text_matters(parts: list[str], cuts: list[int], has_patterns: bool) -> None:
    text = "".join(parts)
    patterns = PATTERNS if has_patterns else ()
    keys = ["my-sk-key-in-use", "eyJ and more"]
    whole = Redactor(patterns, keys).text(text)
    assert in_pieces(Redactor(patterns, keys), text, cuts) == whole


@given(pieces)
def test_what_is_redacted_is_not_redacted_again(parts: list[str]) -> None:
    redacted = Redactor().text(" ".join(parts))
    assert Redactor().text(redacted) == redacted


def test_text_goes_out_at_once_unless_it_may_become_a_secret() -> None:
    stream = TextStream(Redactor())
    for fed, given_out in (
        ("It is sk", "It is "),
        ("-learn, or ghp_12", "sk-learn, or "),
        (" it", "ghp_12 it"),
        (" -----BEGIN ", " "),
    ):
        assert stream.feed(fed) == given_out
    assert stream.finish() == "-----BEGIN "


@pytest.mark.parametrize("before", ["", "x", "a ", "\\n", "\\u00e9", "é"])
def test_wherever_a_head_begins_or_may_begin_it_is_looked_for(before: str) -> None:
    rules = (*RULES, *literal_rules(["İ[secret]", "key-1234"]))
    may_begin = beginnings(rules)
    for rule in rules:
        if before == "x" and not rule.within_words:
            continue
        for head in {*rule.heads, *(head.upper() for head in rule.heads if rule.ignores_case)}:
            assert may_begin.search(f"{before}{head} and more")
            for end in range(1, len(head) + 1):
                assert may_begin.search(before + head[:end]), head[:end]


def test_json_keeps_its_form_and_its_fields_stay_distinct() -> None:
    value = {"env": [f"T={GITHUB}", 7, None], GITHUB: {"deep": (True, GITHUB)}}
    redacted = Redactor().value(value)
    assert redacted == {"env": [f"T={MARK}", 7, None], MARK: {"deep": (True, MARK)}}
    assert is_marked(redacted) and not is_marked(value)
    assert Redactor().value({GITHUB: 1, "ghp_" + drawn(36, seed=9): 2}) == {MARK: 1, f"{MARK}'": 2}


@pytest.mark.parametrize(
    "text",
    ["eyJ" * 30_000, "://" * 30_000, "sk-" * 30_000, "-----BEGIN " * 3_000, "Bearer " * 10_000],
    ids=lambda text: text[:10],
)
def test_a_long_text_of_beginnings_is_read_in_time(text: str) -> None:
    """Runs give nothing back: otherwise this would take hours."""
    assert Redactor().text(text) == text
    assert Redactor().whole(f"{text}…").startswith(text[:-600])


@pytest.mark.parametrize("prefix", ["keys/id_rsa.pem:{}: ", "  {} | ", "> "])
def test_a_private_key_is_found_where_its_lines_are_numbered_or_quoted(prefix: str) -> None:
    body = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIE" + "Ab3d" * 12] * 7]
    lines = [*body, "-----END RSA PRIVATE KEY-----"]
    text = "\n".join(prefix.format(number) + line for number, line in enumerate(lines, 1))
    assert "MIIE" not in Redactor().text(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("clone it with ghp_16C7e42F292c6912…", "clone it with "),
        ("sk-ant-api03-AAAABBBBCCCC…", ""),
        ("export AWS_ID=AKIAIOSFODNN7E…", "export AWS_ID="),
        ("the risk-free way to ask…", None),
        ("see https://example.com/a/b…", None),
        ("sk…", None),
    ],
)
def test_of_a_shortened_text_half_a_secret_goes_too(text: str, kept: str | None) -> None:
    redacted = Redactor().whole(text)
    if kept is None:
        assert redacted == text
    else:
        assert redacted.startswith(f"{kept}[redacted: ") and redacted.endswith("]…")
