"""Gauges: how fast a ticket is and whether it is stalled; and the health of a run.

A `Meter` is fed the same entries as the transcript and read with a clock: the
transcript records what happened, the meter measures what happens now.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from lfgtui.model import events as e
from lfgtui.model.fold.tokens import TokenCount
from lfgtui.model.pieces import text_of
from lfgtui.model.ticket_keys.run_limits import RunLimit

WINDOW = 2.0
"""Seconds that the live rate looks back."""

_BACKLOG = 1.0
"""Seconds after a suspension (ctrl+z) in which lfg reads the data that came meanwhile: it would
look like a burst."""

TOOL_PATIENCE = 6
"""A tool may be silent this many times longer than a model: builds and installations often are."""

_SLICES = 10  # per second; characters are counted in each slice
_BAR, _BARS = 5, 24  # slices in a bar of the sparkline (half a second), and number of its bars


class OpenCircuit(NamedTuple):
    """A provider or model that keeps failing: seconds until the next try, and the cause.

    The cause is in words, as `HTTP 500` or `timeout`.
    """

    retry_after: float
    cause: str


class AgentUsage(NamedTuple):
    """Use of an agent's processes: bytes of memory, and cores (1.0 for all of one)."""

    memory: int
    cpu: float


class HistoryTrouble(msgspec.Struct, frozen=True):
    """Why the history cannot be written; if `is_saved`, all is in another file, which it names."""

    reason: str
    is_saved: bool = False

    @property
    def in_words(self) -> str:
        """The rest of a sentence that begins with "history"."""
        return f"{'saved elsewhere' if self.is_saved else 'not saved'}: {self.reason}"


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run's troubles at the moment: the engine makes it, viewers get it over the run's socket.

    `behind`: why the history is not saved, or not where it belongs; None if it is. `open_circuits`:
    the providers and the models (`sim/slow`) that keep failing, by name, the gravest first.
    `queued_bytes` have arrived and are not in the history yet. `slots`: tickets that may work at
    the same time, 0 if unknown; `waiting_for_slot`: those that have begun and wait for a slot.
    `held_back`: what a ticket that could begin still waits for, in words, such as memory. `agents`:
    use of their processes, by ticket. `held_at`: the limit of the run at which nothing more is
    sent; `asks_at_limit`: the person is asked how to go on. `without_sandbox`: the number of
    tickets whose programs run as the user, chosen or not. `lost`: why a run in another process, or
    the workers, cannot be reached; "" while they can.
    """

    behind: HistoryTrouble | None = None
    open_circuits: Mapping[str, OpenCircuit] = {}
    queued_bytes: int = 0
    slots: int = 0
    slots_in_use: int = 0
    waiting_for_slot: frozenset[str] = frozenset()
    held_back: Mapping[str, str] = {}
    agents: Mapping[str, AgentUsage] = {}
    held_at: RunLimit | None = None
    asks_at_limit: bool = False
    without_sandbox: int = 0
    lost: str = ""


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the seconds that the spans (begin, end) cover; overlaps count once."""
    total, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total


class Meter:
    """The live figures of one ticket; `apply` its entries in `seq` order.

    Times are seconds since the epoch. `connect`, `first_byte` and `ttft` are seconds of the newest
    attempt's first response, as in `Attempt`; `retry_at` is when the last retry was due.
    """

    def __init__(self) -> None:
        self.connect: float | None = None
        self.first_byte: float | None = None
        self.ttft: float | None = None
        self.paint: float | None = None
        """Seconds from content to the screen, of the last response for which they are known."""
        self.retries = 0
        self.retry_at: float | None = None
        self._spans: list[tuple[float, float]] = []  # times at work, without the open one
        self._since: float | None = None  # when the open one began
        self._is_paused = False
        self._is_reused = False
        """True after an answer from the history: it says nothing about the model's pace."""
        self._sent_at: float | None = None
        self._last_token_at: float | None = None
        self._gaps: deque[float] = deque(maxlen=64)  # seconds between two pieces of a response
        self._tools: dict[str, float] = {}
        """When each running tool began, by the ids of their calls."""
        self._asked: set[str] = set()
        """Agents' calls that wait for approval."""
        self._is_tools_turn = False  # a tool was the last to do something, not the model
        self._tool_heard_at: float | None = None
        self._last_beat_at: float | None = None
        self._beats: deque[float] = deque(maxlen=64)  # seconds from a sign of life to a heartbeat
        self._recent: dict[int, int] = {}  # characters by slice of time
        self._rated_from = 0.0  # what came before does not count for the rate
        self._tokens = TokenCount()

    def apply(self, entry: e.Entry) -> None:
        """Take one entry into account."""
        at, event = entry.at, entry.event
        if event.facets.is_generated:
            if not self._is_reused:
                self._stream(at, len(text_of(event)))
            return
        match event:
            case e.Heartbeat() if self._sent_at is not None:
                self._beat(at)
            case e.ToolOutputDelta() | e.HostedOutputDelta() | e.Heartbeat():
                self._tool_heard_at = at
                self._is_tools_turn = bool(self._tools)
            case e.ToolRunStarted(call_id) | e.ToolCallRequested(call_id, origin="agent"):
                self._begin_tool(call_id, at)  # an agent may not say when it begins
            case e.ApprovalRequested(call_id) if call_id in self._tools:
                self._asked.add(call_id)
                self._end_tool(call_id)
            case e.ApprovalGiven(call_id) if call_id in self._asked:
                self._asked.discard(call_id)
                self._begin_tool(call_id, at)
            case e.HostedTool(output=""):
                self._begin_tool("", at)
            case e.HostedTool():
                self._end_tool("")
                self._tool_heard_at = at
            case e.ToolCallFinished(call_id):
                self._end_tool(call_id)
            case e.AnswerReused():
                self._is_reused = True
            case e.RequestSent():
                self._is_reused = False
                self._sent_at, self._last_token_at = at, None
                self._last_beat_at = None
                self._beats.clear()
            case e.Usage():
                self._tokens.report(event.output)
            case e.ResponseFinished(_, stop_reason, _, paint):
                self.paint = self.paint if paint is UNSET else paint
                self._close_turn(is_finished=stop_reason != e.STOPPED)
            case e.AttemptStarted():
                self._start_clock(at)
                self.connect = self.first_byte = self.ttft = None
            case e.ResponseStarted(connect) if self._sent_at and self.first_byte is None:
                self.connect, self.first_byte = connect, at - self._sent_at
            case e.Retrying():
                self.retries += 1
                self.retry_at = at + event.delay
                self._close_turn()
            case e.Paused() if self._since is not None:
                self._stop_clock(at)
                self._is_paused = True
            case e.Resumed() if self._is_paused:
                self._start_clock(at)
            case e.Parked() | e.Ending():
                self._stop_clock(at)
                self._close_turn()
            case _:
                pass

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the first attempt, pauses and parking left out; None before."""
        spans = self.spans(now)
        return covered(spans) if spans else None

    def spans(self, now: float) -> list[tuple[float, float]]:
        """Return the spans of time in which the ticket worked, the open one until `now`."""
        return self._spans if self._since is None else [*self._spans, (self._since, now)]

    @property
    def is_working(self) -> bool:
        """True while its clock runs."""
        return self._since is not None

    def rate(self, now: float) -> float:
        """Return tokens per second over the last `WINDOW` seconds, estimated from characters."""
        newest, slices = int(now * _SLICES), int(WINDOW * _SLICES)
        return self._streamed_in(newest - slices + 1, slices) / self._tokens.ratio / WINDOW

    def leave_out(self, since: float, at: float) -> None:
        """Leave a suspension of lfg out of the clock, and data that came during it out of the rate.

        It lasted from `since` until `at`. The screen calls this when it goes on.
        """
        if self._since is not None and self._since < since:
            self._spans.append((self._since, since))
            self._since = at
        self._recent.clear()
        self._rated_from = at + _BACKLOG

    def output_tokens(self) -> tuple[int, bool]:
        """Return the output tokens so far, and True if a part of them is estimated."""
        return self._tokens.total

    def history(self, now: float) -> list[float]:
        """Return tokens per second in each of the last 24 half-seconds, oldest first."""
        bars = _shown(now)[::_BAR]
        return [self._streamed_in(bar, _BAR) / self._tokens.ratio / _BAR * _SLICES for bar in bars]

    def has_history(self, now: float) -> bool:
        """Return True if `history` has a number above zero; cheap enough for each frame."""
        slices = _shown(now)
        return any(n in slices for n in reversed(self._recent))

    def _streamed_in(self, first: int, slices: int) -> int:
        return sum(self._recent.get(n, 0) for n in range(first, first + slices))

    @property
    def tool_since(self) -> float | None:
        """When the newest running tool, lfg's or an agent's, began; None if none is running."""
        return max(self._tools.values(), default=None) if self._is_tools_turn else None

    @property
    def waiting_since(self) -> float | None:
        """The time of the last sign of life: request sent, token received, or tool output."""
        heard = (self._sent_at, self._last_token_at, self._tool_heard_at)
        return max((at for at in heard if at is not None), default=None)

    def waiting_for(self, now: float) -> float | None:
        """Return the seconds since `waiting_since`; None without it."""
        since = self.waiting_since
        return None if since is None else max(0.0, now - since)

    def is_stalled(self, now: float, stall_after: float) -> bool:
        """Return True if a sign of life is overdue.

        A running tool has `TOOL_PATIENCE` times `stall_after` to print something. A model has
        `stall_after` for its next token, or 5 median gaps between tokens if that is longer. On a
        stream with heartbeats, a heartbeat counts as well, since an agent may think for minutes;
        it then has twice the median time between a sign of life and a heartbeat if that is longer,
        so that slow but regular heartbeats are no stall.
        """
        waiting, is_tool = self.waiting_for(now), bool(self._tools)
        bound = stall_after * (TOOL_PATIENCE if is_tool else 1)
        if waiting is None or waiting <= bound:
            return False
        usual = 5 * _median(self._gaps) if self._gaps and not is_tool else 0.0
        if self._last_beat_at is not None:
            waiting = min(waiting, now - self._last_beat_at)
            usual = max(usual, 2 * _median(self._beats))
        return waiting > max(bound, usual)

    def _start_clock(self, at: float) -> None:
        """Start the ticket's clock."""
        self._is_paused = False
        if self._since is None:
            self._since = at

    def _stop_clock(self, at: float) -> None:
        """Stop the ticket's clock."""
        self._is_paused = False
        if self._since is not None:
            self._spans.append((self._since, at))
            self._since = None

    def _stream(self, at: float, characters: int) -> None:
        """Take a piece from the model: its time for the gaps, its length for tokens and rate."""
        if self._sent_at is not None and self._last_token_at is None:
            if self.ttft is None:
                self.ttft = at - self._sent_at
        elif self._last_token_at is not None:
            self._gaps.append(at - self._last_token_at)
        self._last_token_at, self._is_tools_turn = at, False
        self._tools.pop("", None)
        self._tokens.stream(characters)
        if at < self._rated_from:
            return
        newest = int(at * _SLICES)
        self._recent[newest] = self._recent.get(newest, 0) + characters
        if len(self._recent) > 2 * _BAR * _BARS:
            kept = newest - _BAR * _BARS
            self._recent = {n: count for n, count in self._recent.items() if n > kept}

    def _begin_tool(self, call_id: str, at: float) -> None:
        self._tools.setdefault(call_id, at)
        self._tool_heard_at, self._is_tools_turn = at, True

    def _end_tool(self, call_id: str) -> None:
        self._tools.pop(call_id, None)
        self._is_tools_turn = bool(self._tools)
        self._tool_heard_at = self._tool_heard_at if self._tools else None

    def _beat(self, at: float) -> None:
        """Take a heartbeat, and measure the time since the last sign of life."""
        before = [t for t in (self._sent_at, self._last_token_at, self._last_beat_at) if t]
        if before:
            self._beats.append(at - max(before))
            self._last_beat_at = at

    def _close_turn(self, *, is_finished: bool = False) -> None:
        """End the running response: nothing is awaited any more."""
        self._tokens.close(is_finished=is_finished)
        self._sent_at = self._last_token_at = self._last_beat_at = None
        self._tools.clear()
        self._asked.clear()
        self._tool_heard_at = None


def _median(values: Iterable[float]) -> float:
    """Return the median; the module `statistics` takes longer to import than all gauges to draw."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[-1 - middle]) / 2


def _shown(now: float) -> range:
    """Return the slices of time that the sparkline shows."""
    end = (int(now * _SLICES) // _BAR + 1) * _BAR
    return range(end - _BARS * _BAR, end)
