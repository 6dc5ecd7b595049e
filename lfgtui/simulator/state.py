"""The state of a running simulator: its scenarios, and which faults are used up."""

import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import RefusalKind, Refused, Request
from lfgtui.simulator.scenario import CLOSING, Call, Scenario, Turn, bundled_scenarios
from lfgtui.simulator.wires.base import Json
from lfgtui.simulator.wires.prompt_cache import PromptCache

_KINDS: dict[int, RefusalKind] = {
    429: "rate_limit",
    500: "server",
    503: "overloaded",
    529: "overloaded",
}
# Texts of the generic answer.
_OPENINGS = (
    "Here is how I would go about it.",
    "Let me take this in three steps.",
    "This splits into a few small pieces.",
)
_STEPS = (
    ("Read what is there", "before anything changes, so that the change stays small"),
    ("Write down what must hold", "as a test that fails today"),
    ("Make the smallest change", "that turns the test green"),
    ("Look at the edges", "empty input, the first item, the last one"),
    ("Measure before and after", "with the same input and the same clock"),
    ("Say what was left out", "so that nobody has to guess"),
    ("Name things after what they are", "and not after how they are stored"),
)
_ENCLOSED = re.compile(r"\A.*^</\w+>$", re.DOTALL | re.MULTILINE)
"""Files and answers before a prompt, each in tags, up to the last closing tag on a line."""

_RISKS = ("low", "medium", "high")  # texts of the generic answer, too


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a simulator.

    `speed` divides all pauses; 0 means no pauses at all. `scenarios`, by model name,
    replace bundled ones of the same name. `require_key`: any other key is refused.
    `is_embedded`: lfg itself is the client; the server ends with its stdin, and does not
    check the shape of requests, as importing the SDKs for it takes a second of CPU.
    """

    seed: int = 0
    speed: float = 1.0
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    require_key: str | None = None
    is_embedded: bool = False


class SimulatorState:
    """Finds the scenario and turn of a request; counts faults, cuts and repeated requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ids = IdFactory(settings.seed)
        self.scenarios = {**bundled_scenarios(), **settings.scenarios}
        self._requests = 0
        self._prompt_cache = PromptCache()
        self._used: Counter[tuple[str, str, int]] = Counter()

    def next_request_id(self) -> str:
        """Return an id for the headers of a response."""
        self._requests += 1
        return self.ids.item("req_", self.ids.nonce("request", str(self._requests)), length=24)

    def find(self, request: Request) -> tuple[Scenario, Turn]:
        """Return the scenario of the request's model, and the turn to play.

        Raises `Refused` if the request is longer than the model's context.
        """
        scenario = self.scenarios.get(request.model)
        scenario = scenario or generic_scenario(request, self.settings.seed)
        most, size = scenario.context_window, request.input_tokens
        if most is not None and size > most:
            message = f"prompt is too long: {size} tokens > {most} maximum"
            raise Refused("invalid", message, code="context_length_exceeded")
        number, turns = len(request.conversation.turns), scenario.turn
        if request.conversation.is_follow_up and scenario.follow_up:
            turns = scenario.follow_up
        for told in scenario.when_told:
            if all(word in request.conversation.prompt for word in told.words):
                turns = told.turn
                break
        return scenario, turns[number] if number < len(turns) else CLOSING

    def with_cache(self, request: Request, body: Json) -> Request:
        """Return the request with the tokens that the prompt cache has of it, and now stores."""
        read, written = self._prompt_cache.use(body)
        read = min(read, request.input_tokens)
        written = min(written, request.input_tokens - read)
        return replace(request, cached_tokens=read, written_tokens=written)

    def use_fault(self, request: Request, turn: Turn) -> None:
        """Raise `Refused` if the turn has a fault left for this conversation; uses one up."""
        used = self.count("fault", request) - 1
        for fault in turn.fault:
            if used < fault.times:
                raise Refused(_KINDS[fault.status], retry_after=fault.retry_after)
            used -= fault.times

    def use_cut(self, request: Request, turn: Turn) -> bool:
        """Return True if the turn's cut happens this time; counts the time."""
        return turn.cut is not None and self.count("cut", request) <= turn.cut.times

    def count(self, kind: str, request: Request) -> int:
        """Count an event of that kind at this turn of the conversation; return how many so far."""
        conversation = request.conversation
        key = (kind, conversation.digest, len(conversation.turns))
        self._used[key] += 1
        return self._used[key]


def generic_scenario(request: Request, seed: int) -> Scenario:
    """Return a scenario for a model that has none, made from the prompt.

    So any tickets file can run on the simulator. The answer looks plausible, depends only on seed
    and prompt, and says that it is simulated. It lists the workspace first if `list_files` is
    offered.
    """
    prompt = _ENCLOSED.sub("", request.conversation.prompt)
    rng = random.Random(f"{seed} {prompt}")
    turns = [_answer(prompt, rng)]
    if "list_files" in request.tools:
        looking = "I will have a look at the workspace first."
        turns.insert(0, Turn(text=looking, call=(Call("list_files"),)))
    return Scenario(turn=tuple(turns), rate=rng.uniform(30, 90), first_token=rng.uniform(0.3, 1.2))


def _answer(prompt: str, rng: random.Random) -> Turn:
    """Return an answer with a list, a table, a quote and code, so that a pane shows all of them."""
    steps = rng.sample(_STEPS, 4)
    subject = " ".join(prompt.split())[:60] or "your request"
    numbered = "\n".join(f"{i}. **{name}**, {why}." for i, (name, why) in enumerate(steps, 1))
    rows = "\n".join(f"| {name} | {rng.choice(_RISKS)} |" for name, _ in steps)
    text = f"""## {subject}

{rng.choice(_OPENINGS)} I am a simulated model: the form is real, the thought is not.

{numbered}

| step | risk |
| --- | --- |
{rows}

> A step that cannot be undone comes last.

```python
def main() -> None:
    print({subject!r})
```

With a real provider in `config.toml` this answer would be about your question."""
    reasoning = f"The prompt has {len(prompt)} characters. I lay out steps, risks and an end."
    return Turn(reasoning=reasoning, text=text)
