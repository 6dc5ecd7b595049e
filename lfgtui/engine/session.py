"""The session: the recorder, limits, circuits and slots shared by a run's tickets."""

import sys
from collections.abc import Collection
from dataclasses import dataclass, field

from lfgtui.engine.admission import Admission
from lfgtui.engine.limits import Limits
from lfgtui.engine.recovery import Circuits
from lfgtui.engine.rules import Rules
from lfgtui.engine.slots import Slots
from lfgtui.history.recording.recorder import Recorder
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config
from lfgtui.text.redactor import Redactor


@dataclass(slots=True, kw_only=True)
class Session:
    """The parts of a run that its tickets share.

    `environment` is added to that of commands. What the `redactor` takes out goes neither to
    the history nor, since requests are made from it, to a model. `in_view` are the tickets that
    a person can see just now, whose answers are read sooner. `available_memory` in bytes is what
    `max_memory` is a share of.
    """

    run: str
    recorder: Recorder
    config: Config
    providers: Providers
    redactor: Redactor
    headless: bool = False
    in_view: Collection[str] = ()
    available_memory: int = sys.maxsize
    environment: dict[str, str] = field(default_factory=dict)
    circuits: Circuits = field(init=False)
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    slots: Slots = field(init=False)
    admission: Admission = field(init=False)

    def __post_init__(self) -> None:
        self.circuits = Circuits(self.config.breaker)
        self.slots = Slots(self.config.concurrency, are_kept=self.config.hold_slot)
        self.admission = Admission(self.config, self.providers.agents, self.available_memory)
