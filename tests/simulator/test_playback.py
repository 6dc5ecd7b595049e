"""The steps of a reply, without a server."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Break, Pause, Piece, Ping, Reply, Step, compose, steps_of
from lfgtui.simulator.request import Conversation, Request
from lfgtui.simulator.scenario import Call, Content, Cut, Scenario, Split, Stall, Turn

SPLITS = st.sampled_from(("tokens", "characters", "awkward"))
CONTENT = Content(reasoning="hm " * 20, text="word " * 100, call=(Call("f", {"a": "b" * 50}),))


def request(*, max_tokens: int | None = None, reasoning: bool = True) -> Request:
    return Request(
        model="m",
        stream=True,
        conversation=Conversation(0, "p", "digest", turns=(), results=()),
        max_tokens=max_tokens,
        reasoning=reasoning,
        tools=frozenset({"f"}),
        input_tokens=10,
        cached_tokens=0,
    )


PACE = Scenario(rate=50, jitter=0, first_token=0.5)


def steps(
    reply: Reply,
    seed: int = 0,
    *,
    split: Split = "tokens",
    stall: Stall | None = None,
    cut: Cut | None = None,
) -> list[Step]:
    turn = Turn(split=split, stall=stall, cut=cut)
    return list(steps_of(reply, PACE, turn, random.Random(seed)))


@given(
    text=st.text(min_size=1).filter(str.strip),
    value=st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans())),
    split=SPLITS,
    seed=st.integers(0, 1000),
)
def test_pieces_are_the_whole(text: str, value: dict[str, object], split: Split, seed: int) -> None:
    content = Content(text=text, call=(Call("f", value),))
    reply = compose(request(), content, split, IdFactory(seed))
    pieces = [step for step in steps(reply, seed, split=split) if isinstance(step, Piece)]
    joined = ["".join(p.text for p in pieces if p.segment is part) for part in reply.segments]
    assert joined == [part.text for part in reply.segments]
    assert json.loads(joined[-1]) == value


@given(limit=st.integers(1, 400))
def test_max_tokens_is_never_passed(limit: int) -> None:
    reply = compose(request(max_tokens=limit), CONTENT, "tokens", IdFactory(0))
    written = sum(len(part.text) for part in reply.segments)
    assert written <= limit * 4
    assert (reply.stop == "length") == (
        not reply.segments or not reply.segments[-1].complete or (len(reply.segments) < 3)
    )


def test_the_pace_is_tokens_a_second() -> None:
    reply = compose(request(reasoning=False), Content(text="abcd" * 500), "tokens", IdFactory(0))
    total = sum(step.seconds for step in steps(reply) if isinstance(step, Pause))
    assert round(total, 6) == 0.5 + 500 / 50


def test_a_stall_comes_once_after_so_many_characters_of_text() -> None:
    reply = compose(request(), CONTENT, "tokens", IdFactory(0))
    played = steps(reply, stall=Stall(after=100, seconds=7))
    first = next(index for index, step in enumerate(played) if isinstance(step, Ping))
    before = [b.text for b in played[:first] if isinstance(b, Piece) and b.segment.kind == "text"]
    assert 100 <= len("".join(before)) < 108
    assert sum(isinstance(step, Ping) for step in played) == 2


def test_a_stall_without_pings_is_one_long_pause() -> None:
    reply = compose(request(), CONTENT, "tokens", IdFactory(0))
    played = steps(reply, stall=Stall(after=1, seconds=7, pings=False))
    assert Pause(7) in played
    assert Ping() not in played


def test_nothing_follows_a_cut() -> None:
    reply = compose(request(), CONTENT, "tokens", IdFactory(0))
    played = steps(reply, cut=Cut(after=10))
    assert played[-1] == Break("connection")
    assert not any(isinstance(step, Break) for step in played[:-1])


def test_a_cut_beyond_the_end_still_happens() -> None:
    reply = compose(request(), CONTENT, "tokens", IdFactory(0))
    assert steps(reply, cut=Cut(after=10**6, how="error"))[-1] == Break("error")


def test_calls_of_tools_that_are_not_offered_are_left_out() -> None:
    content = Content(text="x", call=(Call("not_offered"),))
    reply = compose(request(), content, "tokens", IdFactory(0))
    assert [part.kind for part in reply.segments] == ["text"]
    assert reply.stop == "end"
