"""Keys that lfg holds: taken out whole, in every form and cut, and nothing else with them."""

import json
import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.text.redactor import Redactor, TextStream
from tests.text.secrets import URLSAFE, drawn

KEY = "sk-ant-api03-" + drawn(60, URLSAFE)
ODD = 'corp/4 "key"+%é\\=' + drawn(20)
MARK = "[redacted: key in use]"
REPOSITORY = Path(__file__).parents[3]


def forms(key: str) -> dict[str, str]:
    raw = key.encode()
    return {
        "plain": key,
        "JSON": json.dumps({"a": key}),
        "JSON in JSON": json.dumps(json.dumps({"a": KEY})),
        "JSON as UTF-8": json.dumps({"a": key}, ensure_ascii=False),
        "URL": f"https://a.b/?k={quote(key, safe='')}&x",
        "path": quote(key),
        "hexadecimal": f"0x{raw.hex()}",
        "base64": b64encode(raw).decode(),
        "basic": b64encode(b"me:" + raw).decode(),
        "basic, one more": b64encode(b"you:" + raw + b"\n").decode(),
        "urlsafe": urlsafe_b64encode(b"a long text before " + raw + b" and behind").decode(),
    }


@pytest.mark.parametrize("key", [KEY, ODD], ids=["usual", "odd"])
@pytest.mark.parametrize("form", forms(KEY))
def test_a_key_is_taken_out_however_it_is_written_and_cut(key: str, form: str) -> None:
    text = f"It is {forms(key)[form]}, of course."
    redactor = Redactor(keys=[KEY, key], rules=())
    whole = redactor.text(text)
    assert MARK in whole
    assert all(part not in whole for part in (key[-16:], key[8:24], key.encode().hex()[8:40]))
    for first in range(0, len(text), 7):
        stream = TextStream(redactor)
        cut = (text[:first], text[first : first + 3], text[first + 3 :])
        assert "".join(map(stream.feed, cut)) + stream.finish() == whole


@given(st.lists(st.sampled_from([KEY, KEY[:20], KEY[:8], "sk-", "s", " ", "x", ODD]), max_size=6))
def test_what_only_begins_like_a_key_stays(parts: list[str]) -> None:
    text = "".join(parts)
    redactor = Redactor(keys=[KEY, ODD], rules=())
    whole = text.replace(KEY, MARK).replace(ODD, MARK)
    stream = TextStream(redactor)
    assert redactor.text(text) == "".join(map(stream.feed, text)) + stream.finish() == whole


def test_of_two_keys_that_begin_alike_the_longer_one_is_taken_whole() -> None:
    stream = TextStream(Redactor(keys=["abcd1234", "abcd1234-and-more"], rules=()))
    assert (stream.feed("abcd1234"), stream.feed("-and")) == ("", "")
    assert stream.feed("-more, abcd1234-an ") == f"{MARK}, {MARK}-an "


def test_a_key_may_be_learnt_while_texts_arrive() -> None:
    redactor = Redactor(rules=())
    stream = TextStream(redactor)
    assert stream.feed(KEY) == KEY
    redactor.learn([KEY, "short"])
    assert stream.feed(f" {KEY[:30]}") == " "
    assert stream.feed(f"{KEY[30:]} short") == f"{MARK} short"


@pytest.mark.parametrize("keys", [[], ["short"], ["password", "not-needed", "PLACEHOLDER"]])
def test_without_a_key_nothing_is_looked_at(keys: list[str]) -> None:
    assert Redactor(keys=keys, rules=()).is_idle


@pytest.mark.parametrize("key", [KEY, "abcd1234", "correct-horse-battery-staple"])
def test_with_one_it_is(key: str) -> None:
    assert not Redactor(keys=[key], rules=()).is_idle


def test_prose_code_and_recorded_streams_stay_as_they_are() -> None:
    redactor = Redactor(keys=[KEY])
    patterns = ("*.md", "docs/**/*.md", "lfgtui/**/*.py", "examples/*")
    files = [file for pattern in patterns for file in REPOSITORY.glob(pattern)]
    if (recordings := os.environ.get("LFG_RECORDINGS")) is not None:
        files += filter(Path.is_file, Path(recordings).rglob("*"))
    for file in files:
        text = file.read_text("utf-8", "replace")
        assert redactor.text(text) == text, file


def test_the_cost_of_a_piece_does_not_grow_with_the_length_of_the_keys() -> None:
    """What is looked at when a piece arrives is the piece and the head of a key before it."""
    redactor = Redactor(keys=[drawn(4_000, seed=n) for n in range(8)], rules=())
    assert redactor.longest_head <= 8
    stream = TextStream(redactor)
    for _ in range(100):
        assert stream.feed("and so on. ") == "and so on. "
