"""Matching in one pass, against `re` and against any cut of the text."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lfgtui.text.marking import LONGEST, Marking, MarkingStream
from lfgtui.text.matching import Match, Matcher, MatchStream
from lfgtui.text.patterns import PatternError, phrase_pattern
from tests.helpers.effort import times

_ATOMS = st.sampled_from(
    ["a", "b", "A", ".", r"\w", r"\d", "[ab]", "[^a]", r"\s", r"\b", r"\B", "^", "$", r"\Z", "é"]
)
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: "".join(map(_grouped, parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{2,}", "*?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
        inner.map(lambda one: f"(?i:{one})"),
    ),
    max_leaves=6,
)
_TEXTS = st.text(alphabet="abAé1 \n", max_size=12)


def _grouped(part: str) -> str:
    return f"(?:{part})"


def _matcher(*patterns: str) -> Matcher | None:
    try:
        return Matcher(patterns)
    except PatternError as error:
        assert "empty text" in str(error)
        return None


def found(matcher: Matcher, *pieces: str, limit: int = 0) -> list[Match]:
    stream = MatchStream(matcher, limit)
    return [match for piece in pieces for match in stream.feed(piece)] + stream.finish()


def marked(pattern: str, *pieces: str) -> str:
    stream = MarkingStream(Marking([("x", pattern)]), lambda name: f"<{name}>")
    return "".join(map(stream.feed, pieces)) + stream.finish()


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


def _covered_by_re(pattern: str, text: str) -> set[int]:
    """All characters that some match covers, by trying each span, with what is around it."""
    covered: set[int] = set()
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            whole = rf"(?s:.{{{start}}})(?:{pattern})(?s:.{{{len(text) - end}}})"
            if re.compile(whole, re.MULTILINE).fullmatch(text):
                covered.update(range(start, end))
    return covered


@given(_PATTERNS, _TEXTS)
@settings(max_examples=times(150), deadline=None)
def test_what_is_found_is_what_re_could_find(pattern: str, text: str) -> None:
    if (matcher := _matcher(pattern)) is None:
        return
    covered = {at for match in found(matcher, text) for at in range(match.start, match.end)}
    assert covered == _covered_by_re(pattern, text)


@given(st.lists(_PATTERNS, min_size=1, max_size=3), _TEXTS, st.lists(st.integers(0), max_size=5))
@settings(max_examples=times(150), deadline=None)
@example([r"a\b", r"\b "], "a a", [1, 2])
def test_any_cut_finds_the_same(patterns: list[str], text: str, places: list[int]) -> None:
    if (matcher := _matcher(*patterns)) is None:
        return
    pieces = cut(text, places)
    assert found(matcher, *pieces) == found(matcher, text)
    assert found(matcher, *pieces, limit=3) == found(matcher, text, limit=3)
    assert marked("|".join(patterns), *pieces) == marked("|".join(patterns), text)


@given(_PATTERNS, _TEXTS, st.lists(st.integers(0), max_size=5))
@settings(max_examples=times(100), deadline=None)
def test_nothing_that_matches_is_left_and_nothing_else_is_gone(
    pattern: str, text: str, places: list[int]
) -> None:
    if _matcher(pattern) is None:
        return
    covered = _covered_by_re(pattern, text)
    kept = "".join(char for at, char in enumerate(text) if at not in covered)
    assert marked(pattern, *cut(text, places)).replace("<x>", "") == kept


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a*)*b", "a" * 20_000),
        ("(a|a)*b", "a" * 20_000),
        (r"(.*)(.*)(.*)(.*)[0-9]", "x" * 20_000),
        ("a[^b]*b|a", "a" * 20_000),
        ("(a|b)*a(a|b){12}c", "abbabaaabbab" * 1600),
        ("(?:a?){30}a{30}", "ab" * 10_000),
    ],
)
def test_work_grows_with_the_text_and_no_faster(pattern: str, text: str) -> None:
    matcher = Matcher([pattern])
    steps = matcher.size
    pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
    found(matcher, *pieces)
    assert matcher.steps_taken <= 3 * steps * (len(text) + 1)
    assert matcher._kept <= 200_000 + 2 * steps
    stream = MarkingStream(Marking([("x", pattern)]), str)
    for piece in pieces:
        stream.feed(piece)
        assert len(stream._held) <= LONGEST + 3


def test_a_match_longer_than_the_limit_is_not_marked() -> None:
    inside = "x" * (LONGEST - 2)
    assert marked("ax*b", f"a{inside}b.") == "<x>."
    assert marked("ax*b", f"a{inside}xb, axb") == f"a{inside}xb, <x>"


def test_only_what_may_still_match_is_held_back() -> None:
    stream = MarkingStream(Marking([("key", "key-[0-9]{4}")]), lambda name: f"<{name}>")
    pieces = ["the ke", "y", "s, a ", "key-12", "3", "4 and ke", "e"]
    assert [stream.feed(piece) for piece in pieces] == [
        *("the ", "", "keys, a ", "", "", "<key> and ", "kee")
    ]


def test_matches_that_overlap_share_a_mark_and_neighbours_do_not() -> None:
    assert marked("aa|b", "aaab b bb") == "<x><x> <x> <x><x>"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)", "(?=...) cannot be matched in one pass"),
        ("(?<!a)b", "(?<...) cannot be matched in one pass"),
        (r"(a)\1", r"\1 refers to a group, which cannot be matched in one pass"),
        ("a*+", "*+ is possessive, which cannot be matched in one pass"),
        ("(", "missing ), unterminated subpattern at position 0"),
        ("a*", "it matches empty text"),
        (r"\b", "it matches empty text"),
        ("(a{100}){100}", "it has more than 1000 steps when repetitions are written out"),
        ("(?:(?:(?:){1000}){1000}){1000}", "it matches empty text"),
        ("(?x: a b)", "the flag x is not supported"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_why(pattern: str, why: str) -> None:
    with pytest.raises(PatternError) as refused:
        Matcher([pattern])
    assert str(refused.value) == why


def test_a_phrase_is_found_in_any_case_and_over_lines() -> None:
    matcher = Matcher([phrase_pattern("rm  -rf /")])
    assert found(matcher, "do RM -rf\n/ now") == [Match(0, 3, 11)]
