"""A model response as a sequence of steps, which every wire's writer reads.

A reply is complete before its first byte is sent: its segments (reasoning, text,
calls), cut to `max_tokens`, and its usage. `compose` makes it, and `steps_of`
divides it into steps; the pauses between them are steps, too. There is no clock
and no I/O here, so the same seed gives the same bytes; `player` waits and sends.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import CHARACTERS_PER_TOKEN, Request, tokens
from lfgtui.simulator.scenario import Content, CutHow, Scenario, Split, Stall, Turn

SegmentKind = Literal["reasoning", "text", "call"]
Stop = Literal["end", "tool_use", "length"]

PING_EVERY = 3.0
"""Seconds between two pings while a turn stalls."""

_TOKEN = re.compile(r"\s*\w{1,7}|\s*[^\w\s]{1,3}|\s+")  # text of about a token's size, as " world"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a reply. `text` is the reasoning, the answer, or a call's arguments as JSON.

    `index` is its place in the reply; a call also has a `name` and its `place` among the calls.
    `complete` is False if `max_tokens` cut it.
    """

    kind: SegmentKind
    text: str
    index: int = 0
    name: str = ""
    place: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """One model response. `nonce` is the part that its ids share; `created` is its time stamp, in
    seconds since the epoch. `cached_tokens` and `written_tokens` are parts of `input_tokens`."""

    model: str
    nonce: str
    created: int
    segments: Sequence[Segment]
    stop: Stop
    input_tokens: int
    cached_tokens: int
    written_tokens: int = 0

    @property
    def reasoning(self) -> str:
        """The reasoning before the answer, "" if there is none."""
        return "".join(part.text for part in self.segments if part.kind == "reasoning")

    @property
    def reasoning_tokens(self) -> int:
        """The part of `output_tokens` that is reasoning."""
        return tokens(len(self.reasoning))

    @property
    def output_tokens(self) -> int:
        """The tokens of all segments, and eight for each call's name."""
        return sum(tokens(len(p.text)) + (8 if p.kind == "call" else 0) for p in self.segments)


class Started(NamedTuple):
    """A segment begins."""

    segment: Segment


class Piece(NamedTuple):
    """A part of a segment's text."""

    segment: Segment
    text: str


class Ended(NamedTuple):
    """A segment is complete."""

    segment: Segment


class Ping(NamedTuple):
    """A record without content, which shows that the connection is alive."""


class Pause(NamedTuple):
    """A wait; the speed of the simulator divides its seconds."""

    seconds: float


class Break(NamedTuple):
    """The stream ends here."""

    how: CutHow


WireStep: TypeAlias = Started | Piece | Ended | Ping
Step: TypeAlias = WireStep | Pause | Break


def compose(
    request: Request, content: Content, split: Split, ids: IdFactory, *, count: int = 1
) -> Reply:
    """Return the reply to a request: the turn's content, as far as it was asked for.

    Reasoning is left out unless requested, and calls of tools that are not offered; the rest is
    cut to `max_tokens`. `count` numbers repetitions of a request, which must have other ids.
    """
    parts: list[Segment] = []
    if request.reasoning and content.reasoning:
        parts.append(Segment("reasoning", content.reasoning.strip()))
    if content.text.strip():
        parts.append(Segment("text", content.text.strip()))
    offered = [call for call in content.call if call.name in request.tools]
    for place, call in enumerate(offered):
        arguments = json.dumps(call.arguments, ensure_ascii=split != "tokens")
        parts.append(Segment("call", arguments, name=call.name, place=place))
    kept = list(_within(parts, request.max_tokens))
    is_whole = kept == parts
    conversation = request.conversation
    nonce = ids.nonce(request.model, conversation.digest, str(len(conversation.turns)), str(count))
    return Reply(
        model=request.model,
        nonce=nonce,
        # Not from the clock, so that the same seed gives the same bytes.
        created=1_760_000_000 + int(nonce[:6], 16),
        segments=[replace(part, index=index) for index, part in enumerate(kept)],
        stop="length" if not is_whole else "tool_use" if offered else "end",
        input_tokens=request.input_tokens,
        cached_tokens=request.cached_tokens,
        written_tokens=request.written_tokens,
    )


def _within(parts: Sequence[Segment], max_tokens: int | None) -> Iterator[Segment]:
    """Yield the segments, up to where the limit cuts one."""
    left = float("inf") if max_tokens is None else max_tokens * CHARACTERS_PER_TOKEN
    for part in parts:
        if len(part.text) > left:
            if left:
                yield replace(part, text=part.text[: int(left)], complete=False)
            return
        yield part
        left -= len(part.text)


def steps_of(
    reply: Reply, scenario: Scenario, turn: Turn, rng: random.Random, *, is_cut: bool = True
) -> Iterator[Step]:
    """Yield the steps of a reply, beginning with the delay of the first token.

    `is_cut` says whether the turn's cut happens this time. `rng` varies pauses and pieces.
    """
    counted = 0
    rate = turn.rate or scenario.rate
    jitter = scenario.jitter if turn.jitter is None else turn.jitter
    first_token = scenario.first_token if turn.first_token is None else turn.first_token
    stall, cut = turn.stall, turn.cut if is_cut else None
    yield Pause(_vary(first_token, jitter, rng))
    for segment in reply.segments:
        yield Started(segment)
        for text in _pieces(segment, turn.split, rng):
            yield Pause(_vary(len(text) / CHARACTERS_PER_TOKEN / rate, jitter, rng))
            yield Piece(segment, text)
            if segment.kind == "reasoning":
                continue
            counted += len(text)
            if cut is not None and counted >= cut.after:
                yield Break(cut.how)
                return
            if stall is not None and counted >= stall.after:
                yield from _stalled(stall)
                stall = None
        yield Ended(segment)
    if cut is not None:
        yield Break(cut.how)


def _stalled(stall: Stall) -> Iterator[Step]:
    """Yield the pause of a stall, with or without pings."""
    left = stall.seconds
    while stall.pings and left > PING_EVERY:
        yield Pause(PING_EVERY)
        yield Ping()
        left -= PING_EVERY
    yield Pause(left)


def _vary(seconds: float, jitter: float, rng: random.Random) -> float:
    """Return the seconds, changed at random by up to this share of them."""
    return seconds * (1 + jitter * rng.uniform(-1, 1))


def _pieces(segment: Segment, split: Split, rng: random.Random) -> Iterator[str]:
    if segment.kind != "call" or split == "tokens":
        yield from _TOKEN.findall(segment.text)
    elif split == "characters":
        yield from segment.text
    else:
        yield from _awkward(segment.text, rng)


def _awkward(text: str, rng: random.Random) -> Iterator[str]:
    """Yield pieces of JSON that end where a careless reader fails: in escapes, keys, numbers."""
    start = 0
    while start < len(text):
        end = min(len(text), start + rng.randint(1, 9))
        backslash = text.find("\\", start, end)
        if backslash != -1 and rng.random() < 0.5:
            end = backslash + 1
        yield text[start:end]
        start = end
