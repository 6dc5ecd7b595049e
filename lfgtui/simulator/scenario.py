'''Scenario files: the text and the tool calls of a simulated agent, turn by turn.

A scenario is a TOML file; its file name is the name of the model that plays it.
One `[[turn]]` is one model response. The request tells which turn is played (by
the number of model responses after the last plain user message), so the server
keeps no conversation, and either side may crash and continue.

    title = "Say hello"          # optional, for people
    rate = 60                    # tokens per second; a token is about four characters
    jitter = 0.3                 # 0 = even, 0.3 = each gap up to 30 % shorter or longer
    first_token = 0.6            # seconds from request to first content
    context_window = 8000        # tokens; longer requests are refused, as real servers do

    [[turn]]
    rate = 90                    # rate, jitter, first_token: instead of those above
    split = "awkward"            # how arguments are cut: tokens | characters | awkward (default)
    fault = [{ status = 529, retry_after = 2, times = 1 }]
    stall = { after = 120, seconds = 12, pings = true }
    cut = { after = 200, how = "connection", times = 1 }
    reasoning = "..."            # sent only if the request asks for reasoning
    text = """..."""
    [[turn.call]]                # tool calls, in order, after the text
    name = "run_command"
    arguments = { command = "python3 -m unittest" }
    [turn.when_failed]           # replaces reasoning, text and call when one of
    text = "..."                 # the tool results before this turn failed
    [turn.when_ok]               # ... when all of them went well
    [[follow_up]]                # turns instead of those above, for a plain user message
    text = "..."                 # that follows an answer
    [[when_told]]                # turns instead of any of those; the first table is used whose
    words = ["port 9090"]        # words are all in the last plain user message
    [[when_told.turn]]
    text = "..."

`fault` refuses the request before the turn: 429, 500, 503 or 529 (an overload
is 529 on Anthropic's wire and 503 on OpenAI's, whichever is written); several
are used up one after the other, counted for each conversation. `after` counts
characters of the text and then of the arguments; reasoning is not counted. A
`stall` is silence for that many seconds, with or without pings (Anthropic) or
comments (OpenAI). A `cut` ends the stream there: `connection` closes the socket
in the middle of the body, `reset` does so by RST, as a crashing process or a
firewall does, `half-open` sends nothing more and keeps the socket open until the
client closes it, and `error` reports an error within the response of status 200.
A cut happens `times` times, so that a retry succeeds.

`awkward` cuts at random places, and often between a backslash and what it escapes.
Calls of tools that the request does not offer are left out. A turn beyond the
last one is a short closing line.
'''

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from lfgtui.errors import SourceError
from lfgtui.text import toml_file

Rate = Annotated[float, msgspec.Meta(gt=0)]
Jitter = Annotated[float, msgspec.Meta(ge=0, le=1)]
Split = Literal["tokens", "characters", "awkward"]
CutHow = Literal["connection", "reset", "half-open", "error"]


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool call."""

    name: str
    arguments: dict[str, object] = {}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal before the turn. `retry_after` is in seconds."""

    status: Literal[429, 500, 503, 529]
    retry_after: float | None = None
    times: int = 1


class Stall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pause in the stream after `after` characters, with or without `pings`."""

    after: int = 0
    seconds: float = 12.0
    pings: bool = True


class Cut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of the stream after `after` characters, the first `times` times."""

    after: int = 0
    how: CutHow = "connection"
    times: int = 1


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The reasoning, the text and the calls of one turn."""

    reasoning: str = ""
    text: str = ""
    call: tuple[Call, ...] = ()


class Turn(Content, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model response; None leaves a value to the scenario."""

    rate: Rate | None = None
    jitter: Jitter | None = None
    first_token: float | None = None
    split: Split = "awkward"
    fault: tuple[Fault, ...] = ()
    stall: Stall | None = None
    cut: Cut | None = None
    when_failed: Content | None = None
    when_ok: Content | None = None

    def content(self, *, failed: bool | None) -> Content:
        """Return the content to play; `failed` is `Conversation.has_failed`."""
        if failed is True and self.when_failed is not None:
            return self.when_failed
        if failed is False and self.when_ok is not None:
            return self.when_ok
        return self


class WhenTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Turns for a plain user message that has all of the words."""

    words: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    turn: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1)]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scenario file; see the module's docstring."""

    turn: tuple[Turn, ...] = ()
    follow_up: tuple[Turn, ...] = ()
    when_told: tuple[WhenTold, ...] = ()
    title: str = ""
    rate: Rate = 60.0
    jitter: Jitter = 0.3
    first_token: float = 0.6
    context_window: int | None = None


CLOSING = Turn(text="There is nothing left to do here.")
"""Played for turns beyond the scenario's last."""


def load_scenario(path: Path) -> Scenario:
    """Read and check one file; raises `SourceError` with the line of a mistake."""
    text = toml_file.read_text(path)
    scenario = toml_file.convert(path, text, toml_file.parse(path, text), Scenario)
    if not scenario.turn:
        raise SourceError(path, None, "a scenario needs at least one [[turn]]")
    places: dict[tuple[str | int, ...], tuple[Turn, ...]] = {
        ("turn",): scenario.turn,
        ("follow_up",): scenario.follow_up,
    }
    for number, told in enumerate(scenario.when_told):
        places["when_told", number, "turn"] = told.turn
    for place, turns in places.items():
        for index, turn in enumerate(turns):
            line = toml_file.line_of(text, (*place, index))
            if not (turn.reasoning or turn.text or turn.call or turn.when_ok or turn.when_failed):
                raise SourceError(path, line, "a turn needs text, reasoning or a call")
            if turn.call and index == len(turns) - 1:
                message = "the last turn calls tools, so a turn for their results must follow"
                raise SourceError(path, line, message)
    return scenario


def bundled_scenarios() -> Mapping[str, Scenario]:
    """Return the scenarios that ship with lfg, by name."""
    folder = Path(__file__).parent / "scenarios"
    return {path.stem: load_scenario(path) for path in sorted(folder.glob("*.toml"))}
