"""The state of a running simulator: its scenarios, and which faults are used up."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lfgtui.simulator.generic import generic_scenario
from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import RefusalKind, Refused, Request
from lfgtui.simulator.scenario import CLOSING, Scenario, Turn, bundled_scenarios

_KINDS: dict[int, RefusalKind] = {
    429: "rate_limit",
    500: "server",
    503: "overloaded",
    529: "overloaded",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a simulator.

    `speed` divides all waiting; 0 means none at all. `scenarios` come before
    the bundled ones of the same name. `require_key`: any other key is refused.
    `is_embedded`: lfg itself is the client; the server ends with its standard input, and
    does not import the SDKs, a second of CPU, to check the shape of lfg's requests.
    """

    seed: int = 0
    speed: float = 1.0
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    require_key: str | None = None
    is_embedded: bool = False


class SimulatorState:
    """`replies` counts those on their way; `idle` is set while there are none."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ids = IdFactory(settings.seed)
        self.scenarios = {**bundled_scenarios(), **settings.scenarios}
        self.replies = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._requests = 0
        self._used: Counter[tuple[str, str, int]] = Counter()

    def next_request_id(self) -> str:
        """Return the id for an answer's headers."""
        self._requests += 1
        return self.ids.item("req_", self.ids.nonce("request", str(self._requests)), length=24)

    def find(self, request: Request) -> tuple[Scenario, Turn]:
        """Return the scenario of the request's model and the turn it is at."""
        scenario = self.scenarios.get(request.model)
        if scenario is None:
            scenario = generic_scenario(request, self.settings.seed)
        if request.turn < len(scenario.turn):
            return scenario, scenario.turn[request.turn]
        return scenario, CLOSING

    def use_fault(self, request: Request, turn: Turn) -> None:
        """Raise `Refused` while the turn has faults left for this conversation."""
        used = self._count("fault", request) - 1
        for fault in turn.fault:
            if used < fault.times:
                raise Refused(_KINDS[fault.status], retry_after=fault.retry_after)
            used -= fault.times

    def use_cut(self, request: Request, turn: Turn) -> bool:
        """Return True if the turn's cut happens this time."""
        return turn.cut is not None and self._count("cut", request) <= turn.cut.times

    def count_reply(self, request: Request) -> int:
        """Return how often this turn of this conversation has been played, now included."""
        return self._count("reply", request)

    def _count(self, kind: str, request: Request) -> int:
        key = (kind, request.conversation, request.turn)
        self._used[key] += 1
        return self._used[key]

    @contextlib.contextmanager
    def replying(self) -> Iterator[None]:
        """Count a reply while it is under way."""
        self.replies += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.replies -= 1
            if not self.replies:
                self.idle.set()
