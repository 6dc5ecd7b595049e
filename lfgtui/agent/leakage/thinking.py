"""Reasoning between tags: `<think>` and its kin.

DeepSeek and Qwen write `<think>`, Anthropic's older prompts taught `<thinking>`,
Magistral has `[THINK]` (https://huggingface.co/mistralai/Magistral-Small-2507),
Seed `<seed:think>`, MiniMax `<mm:think>`, Command A `<|START_THINKING|>`,
Gemma `<|channel>thought`.

A chat template may have written the opening tag itself, so that the answer
begins in the middle of the reasoning and only `</think>` arrives. What came
before it has been shown by then and cannot be taken back; to hold back every
answer until it is sure to hold no such tag would cost all of them their
streaming. So the tag is taken out, the person is told what stands above it,
and what follows is an answer of its own.
"""

from lfgtui.agent.leakage.reading import Reading, Table, token
from lfgtui.agent.leakage.stream_buffer import Heads, Parsing

_NAMES = ("think", "thinking", "reasoning", "thought", "thoughts", "seed:think", "mm:think")
_SPELLINGS = [s for name in _NAMES for s in (name, name.capitalize(), name.upper())]
_CLOSING_TAGS = [f"</{name}>" for name in _SPELLINGS]
_TOKENS = {
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|channel>thought\n": "<channel|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
_QUOTED = [f"`{tag}`" for tag in _CLOSING_TAGS]
_TAG_ENDS = Heads([*_CLOSING_TAGS, *_QUOTED])
_MISTRAL_ENDS = Heads(["[/THINK]", "`[/THINK]`"])

LATE = "the text above was the model's reasoning: its opening tag was missing"


def _think(reading: Reading, head: str) -> Parsing[bool]:
    if head in _TOKENS:
        ends = Heads([_TOKENS[head]])
    else:
        ends = _MISTRAL_ENDS if head == "[THINK]" else _TAG_ENDS
    reading.tape.unmark()
    reading.has_thought = True
    yield from reading.tape.skip_space()
    while (end := (yield from reading.tape.copy_until(ends, reading.out.reason))) is not None:
        if end[0] != "`":
            break
        reading.out.reason(end)  # the model thinks about the tag
    return True


def _tag(reading: Reading, head: str) -> Parsing[bool]:
    """An opening tag where it counts; elsewhere the answer speaks about such tags."""
    if not reading.counts:
        reading.mentions_tags = True
        return False
    return (yield from _think(reading, head))


def _closed(reading: Reading, head: str) -> Parsing[bool]:
    """A closing tag without its opening one, unless it is spoken about."""
    if reading.mentions_tags or not (reading.counts or (yield from reading.tape.ends_line())):
        return False
    if reading.has_shown and not reading.has_thought:
        reading.out.remark(LATE)
    reading.has_thought = True
    return True


TAGS: Table = {"[THINK]": _think, "[/THINK]": _closed}
TOKENS: Table = {
    **dict.fromkeys((f"<{name}>" for name in _SPELLINGS), _tag),
    **dict.fromkeys(_CLOSING_TAGS, _closed),
    **dict.fromkeys(_TOKENS, _think),
    **dict.fromkeys(_TOKENS.values(), token),
}
