"""The answer of a model that has no scenario, made from the prompt.

So any tickets file runs on the simulator. It is plausible in form, seeded by
the prompt, and honest in substance: it says that nobody thought about it.
"""

import random

from lfgtui.simulator.request import Request
from lfgtui.simulator.scenario import Call, Scenario, Turn

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
_RISKS = ("low", "medium", "high")


def generic_scenario(request: Request, seed: int) -> Scenario:
    """Return a look at the workspace where `list_files` is offered, then a Markdown answer."""
    rng = random.Random(f"{seed} {request.prompt}")
    turns = [_answer(request, rng)]
    if "list_files" in request.tools:
        looking = "I will have a look at the workspace first."
        turns.insert(0, Turn(text=looking, call=(Call("list_files"),)))
    return Scenario(turn=tuple(turns), rate=rng.uniform(30, 90), first_token=rng.uniform(0.3, 1.2))


def _answer(request: Request, rng: random.Random) -> Turn:
    steps = rng.sample(_STEPS, 4)
    subject = " ".join(request.prompt.split())[:60] or "your request"
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
    reasoning = (
        f"The prompt has {len(request.prompt)} characters. I lay out steps, risks and an end."
    )
    return Turn(reasoning=reasoning, text=text)
