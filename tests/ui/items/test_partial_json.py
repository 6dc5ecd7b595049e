import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lfgtui.model.call_summary import HEAD, Member, members_of
from lfgtui.providers import lenient_json
from lfgtui.ui.items.partial_json import PartialObject

CHARACTERS = st.characters(codec="utf-8") | st.sampled_from('"\\/\n\t{}[]:,u😀é')
STRINGS = st.text(CHARACTERS, max_size=12)
VALUES = st.recursive(
    STRINGS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(STRINGS, VALUES | st.none(), max_size=4)
ESCAPED = st.lists(
    st.sampled_from(
        ("a", "\\n", "\\\\", '\\"', "\\/", "\\u00e9", "\\ud83d", "\\ude00", "\\uD83D\\uDE00", "é")
    ),
    max_size=8,
).map("".join)
TEXTS = st.one_of(
    OBJECTS.map(json.dumps),
    OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1)),
    st.lists(ESCAPED, min_size=1, max_size=3).map(
        lambda parts: "{" + ",".join(f'"{n}":"{part}"' for n, part in enumerate(parts)) + "} "
    ),
)
CUTS = st.lists(st.integers(0, 60), max_size=6)


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


def read(text: str) -> PartialObject:
    partial = PartialObject()
    partial.feed(text)
    return partial


def whole_values(partial: PartialObject) -> dict[str, object]:
    return {member.name: member.value for member in partial.members.values() if member.is_complete}


def strings(partial: PartialObject) -> dict[str, str]:
    return {
        member.name: str(member.text) for member in partial.members.values() if member.is_string
    }


@settings(max_examples=200, deadline=None)
@given(TEXTS, CUTS)
@example('{"a": "\\ud83d\\ud83d\\ude00"}', [9, 10, 14, 16, 22])
@example('{"a": "\\ud83d\\n\\ude00"}', [13, 14])
@example('{"a\\u00e9": 12, "b": [1, "]"]}', [5, 13, 24])
def test_at_every_cut_names_are_true_and_strings_begin_true(text: str, cuts: list[int]) -> None:
    whole = lenient_json.parse_object(text)
    assert whole is not None
    partial, before = PartialObject(), dict[str, str]()
    for piece in pieces(text, cuts):
        partial.feed(piece)
        now = {member.name: str(member.text) for member in partial.members.values()}
        assert not partial.is_broken
        assert now.keys() <= whole.keys()
        for name, said in strings(partial).items():
            assert str(whole[name]).startswith(said)
        assert all(now[name].startswith(said) for name, said in before.items())
        assert all(whole[name] == value for name, value in whole_values(partial).items())
        before = now
    assert partial.is_complete
    assert whole_values(partial) == whole
    assert list(whole_values(partial)) == list(whole)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('{}[]":, \\u0de9x1-\nnul'), max_size=25), CUTS)
def test_whatever_comes_is_broken_only_if_it_is_no_object(text: str, cuts: list[int]) -> None:
    partial = PartialObject()
    for piece in pieces(text, cuts):
        partial.feed(piece)
    whole = lenient_json.parse_object(text)
    assert partial.is_complete == (whole is not None)
    assert whole is None or not partial.is_broken
    assert (partial.is_broken, whole_values(partial)) == (
        read(text).is_broken,
        whole_values(read(text)),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {}),
        ("{", {}),
        ('{"pat', {}),
        ('{"path": "src/a', {"path": "src/a"}),
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude0', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude00', {"a": "x😀"}),
        ('{"a": "x\\ud83d!', {"a": "x\ufffd!"}),
        ('{"a": "x\\\\ud83d', {"a": "x\\ud83d"}),
        ('{"a": "one\ntwo', {"a": "one\ntwo"}),
    ],
)
def test_what_may_still_turn_out_otherwise_waits(text: str, shown: dict[str, str]) -> None:
    assert strings(read(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["[", '"', "n", "<", "{1", "{,", '{"a" "', '{"a":}', '{"a":]', '{"a":1]', '{"a":tru,',
     '{"a":"\\q', '{"a":"\\u00x', '{"a":"\\ud83d\\u0x', '{"a":"b" "', '{"a":"b"} x',
     '{"a":[1}}', '{"a":1,}'],
)  # fmt: skip
def test_it_is_broken_from_the_character_that_broke_it(text: str) -> None:
    whole, before = read(text), read(text[:-1])
    assert whole.is_broken
    assert not before.is_broken


def test_a_number_counts_once_it_is_over() -> None:
    assert whole_values(read('{"a": 12')) == {}
    assert whole_values(read('{"a": 12,')) == {"a": 12}


def test_of_a_name_that_comes_twice_the_last_value_holds() -> None:
    partial = read('{"a": "first", "b": 1, "a": "se')
    assert strings(partial) == {"a": "se"}
    partial.feed('cond"}')
    assert whole_values(partial) == {"a": "second", "b": 1}


def test_a_nested_value_is_its_json_without_half_an_escape() -> None:
    (member,) = read('{"edits": [{"old": "a\\n\\u00').members.values()
    assert str(member.text) == '[{"old": "a\\n'
    assert not member.is_complete


def test_a_member_knows_its_beginning_and_its_lines() -> None:
    text = "line\n" * 1000
    partial = read(json.dumps({"content": text}))
    (member,) = partial.members.values()
    (whole,) = members_of({"content": text})
    assert (member.head, member.breaks) == (text[:HEAD], 1000)
    assert (whole.head, whole.breaks, whole.value) == (text, 1000, text)


def test_what_was_nested_too_deeply_is_an_ellipsis() -> None:
    value: object = "x"
    for _ in range(100_000):
        value = [value]
    assert Member.whole("a", value).head == "…"


def test_what_is_nested_too_deeply_to_be_run_is_read_no_further() -> None:
    partial = read('{"a":' * 200)
    assert partial.is_broken
    assert len(str(next(iter(partial.members.values())).text)) < 1000


def test_each_character_is_read_once() -> None:
    partial = PartialObject()
    partial.feed('{"content": "')
    for number in range(20_000):
        partial.feed("a\\n\\u00")
        (member,) = partial.members.values()
        assert member.text.since(3 * number) == "a\n"  # but for the escape nothing waits
        partial.feed("e9")
    partial.feed('"}')
    assert whole_values(partial) == {"content": "a\né" * 20_000}


def test_a_lone_surrogate_that_is_no_escape_is_no_reason_to_stop() -> None:
    partial = read('{"a\ud800": "\ude00\\n\ud83d", "b": ["\udfff"], "c": 1}')
    assert partial.is_complete
    assert whole_values(partial)["c"] == 1
