"""Secrets in texts: found in every surrounding and every cut, and nothing else found."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lfgtui.text.redaction.redactor import Redactor, TextStream, is_marked
from tests.text.redaction.secrets import GITHUB, IN_PLACE, JWT, ORDINARY, SECRETS, drawn, pem

WORDS = ("and ", "x", "\n", '"', "\\n", " = ", "sk-", "-----", "eyJ", "://", "bearer ", "Ï", ".")
pieces = st.lists(
    st.sampled_from((*SECRETS, *WORDS, *(place.replace("<", "") for place in IN_PLACE)))
    | st.text(max_size=8),
    max_size=6,
)
PATTERNS = ("ACME-[0-9]+", "(?i)internal.*$")


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
    assert redactor.found == {name: 1}


@pytest.mark.parametrize(("place", "name"), IN_PLACE.items())
def test_what_stands_around_a_secret_stays(place: str, name: str) -> None:
    before, secret, behind = re.split("[<>]", place)
    text = f"{before}{secret}{behind}"
    assert Redactor().text(text) == f"{before}[redacted: {name}]{behind}"


@pytest.mark.parametrize("text", ORDINARY, ids=lambda text: text[:24])
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_persons_own_patterns_hold_within_a_line() -> None:
    redactor = Redactor(PATTERNS)
    assert redactor.text("ACME-77, ok\ninternal: all\nof it") == (
        "[redacted: secret], ok\n[redacted: secret]\nof it"
    )


def test_a_private_key_that_is_cut_off_is_still_one() -> None:
    cut = pem()[:300]
    assert Redactor().text(f"a\n{cut}") == "a\n[redacted: private key]"


@given(pieces, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
@example([JWT, " ", GITHUB], list(range(300)), False)
@example([pem()], list(range(700)), True)
@example(["my-sk-", "key and more"], [4], False)
def test_how_a_text_is_cut_changes_nothing(
    parts: list[str], cuts: list[int], has_patterns: bool
) -> None:
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
    assert stream.feed("It is sk") == "It is "
    assert stream.feed("-learn, or ghp_12") == "sk-learn, or "
    assert stream.feed(" it") == "ghp_12 it"
    assert stream.feed(" -----BEGIN ") == " "
    assert stream.finish() == "-----BEGIN "


def test_json_keeps_its_form() -> None:
    value = {"env": [f"T={GITHUB}", 7, None], GITHUB: {"deep": (True, GITHUB)}}
    mark = "[redacted: github token]"
    redacted = Redactor().value(value)
    assert redacted == {"env": [f"T={mark}", 7, None], mark: {"deep": (True, mark)}}
    assert is_marked(redacted)
    assert not is_marked(value)


def test_fields_with_secret_names_stay_distinct() -> None:
    other = "ghp_" + drawn(36, seed=9)
    redacted = Redactor().value({GITHUB: 1, other: 2})
    assert isinstance(redacted, dict)
    assert sorted(redacted.values()) == [1, 2]


def test_secrets_may_follow_each_other_directly() -> None:
    first, *_ = SECRETS
    text = f"AKIAW02707BQ7X6EQITU{first}"
    assert Redactor().text(text) == "[redacted: aws key id][redacted: anthropic key]"


@pytest.mark.parametrize(
    "text",
    ["eyJ" * 30_000, "://" * 30_000, "sk-" * 30_000, "-----BEGIN " * 3_000, "Bearer " * 10_000],
    ids=lambda text: text[:10],
)
def test_a_long_text_of_beginnings_is_read_in_time(text: str) -> None:
    """Runs give nothing back: otherwise this would take hours."""
    assert Redactor().text(text) == text
    assert Redactor().whole(f"{text}…").startswith(text[:-600])


KEY_LINES = "\n".join(f"keys/id_rsa.pem:{n}: MIIE{'Ab3d' * 12}" for n in range(2, 9))


@pytest.mark.parametrize("prefix", ["keys/id_rsa.pem:1: ", "  1 | ", "> "])
def test_a_private_key_is_found_where_its_lines_are_numbered_or_quoted(prefix: str) -> None:
    body = KEY_LINES if "pem" in prefix else KEY_LINES.replace("keys/id_rsa.pem:", prefix)
    text = f"{prefix}-----BEGIN RSA PRIVATE KEY-----\n{body}\n{prefix}-----END RSA PRIVATE KEY-----"
    assert "MIIE" not in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "clone it with ghp_16C7e42F292c6912…",
        "sk-ant-api03-AAAABBBBCCCC…",
        "export AWS_ID=AKIAIOSFODNN7E…",
    ],
)
def test_of_a_shortened_text_half_a_secret_goes_too(text: str) -> None:
    redacted = Redactor().whole(text)
    assert redacted.endswith("]…") and "[redacted: " in redacted
    assert redacted.split("[")[0] == text[: len(redacted.split("[")[0])]


@pytest.mark.parametrize(
    "text", ["the risk-free way to ask…", "see https://example.com/a/b…", "sk…"]
)
def test_of_a_shortened_text_nothing_else_goes(text: str) -> None:
    assert Redactor().whole(text) == text


def test_a_key_need_not_look_random_where_its_beginning_says_enough() -> None:
    key = "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLL"
    assert Redactor().text(f"use {key} now") == "use [redacted: anthropic key] now"
