"""What the simulator keeps while it runs: its scenarios, and which faults are used up."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lfgtui.simulator.asked import Asked, RefusalKind, Refused
from lfgtui.simulator.generic import generic_scenario
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.scenario import CLOSING, Scenario, Turn, bundled_scenarios

_KINDS: dict[int, RefusalKind] = {
    429: "rate_limit",
    500: "server",
    503: "overloaded",
    529: "overloaded",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a simulator is started with.

    `speed` divides all waiting; 0 means none at all. `scenarios` come before
    the bundled ones of the same name. `require_key`: any other key is refused.
    """

    seed: int = 0
    speed: float = 1.0
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    require_key: str | None = None
    exit_on_stdin_eof: bool = False


class Stage:
    """What the server keeps while it runs: scenarios, and which faults are used up.

    `playing` counts replies on their way; `idle` is set while there are none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mint = Mint(settings.seed)
        self.scenarios = {**bundled_scenarios(), **settings.scenarios}
        self.playing = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._requests = 0
        self._used: Counter[tuple[str, str, int]] = Counter()

    def next_request_id(self) -> str:
        """The id that an answer carries in its headers."""
        self._requests += 1
        return self.mint.item("req_", self.mint.nonce("request", str(self._requests)), length=24)

    def find(self, asked: Asked) -> tuple[Scenario, Turn]:
        """The scenario of the request's model and the turn it is at."""
        scenario = self.scenarios.get(asked.model)
        if scenario is None:
            scenario = generic_scenario(asked, self.settings.seed)
        if asked.turn < len(scenario.turn):
            return scenario, scenario.turn[asked.turn]
        return scenario, CLOSING

    def trip(self, asked: Asked, turn: Turn) -> None:
        """Raise `Refused` while the turn has faults left for this conversation."""
        key = ("fault", asked.conversation, asked.turn)
        used = self._used[key]
        for fault in turn.fault:
            if used < fault.times:
                self._used[key] += 1
                raise Refused(fault.status, _KINDS[fault.status], retry_after=fault.retry_after)
            used -= fault.times

    def cut_due(self, asked: Asked, turn: Turn) -> bool:
        """Whether the turn's cut happens this time, and note that it did."""
        key = ("cut", asked.conversation, asked.turn)
        if turn.cut is None or self._used[key] >= turn.cut.times:
            return False
        self._used[key] += 1
        return True

    def play(self, asked: Asked) -> int:
        """How often this turn of this conversation has been played, this time included."""
        key = ("play", asked.conversation, asked.turn)
        self._used[key] += 1
        return self._used[key]

    @contextlib.contextmanager
    def on_stage(self) -> Iterator[None]:
        """While a reply is under way."""
        self.playing += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.playing -= 1
            if not self.playing:
                self.idle.set()
