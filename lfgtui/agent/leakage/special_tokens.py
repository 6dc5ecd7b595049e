"""The special tokens of DeepSeek, Kimi and gpt-oss, where a server lets them through as text.

They are single tokens of their models and occur in no prose, so they count
anywhere outside code. One that stands for itself is dropped.

DeepSeek V3 and R1: `<｜tool▁call▁begin｜>function<｜tool▁sep｜>f`, the arguments in
a fence; V3.1: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{...}`; V3.2 and V4: DSML. Kimi
(https://huggingface.co/moonshotai/Kimi-K2-Thinking/blob/main/docs/tool_call_guidance.md):
`<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{...}<|tool_call_end|>`.
gpt-oss (https://github.com/openai/harmony/blob/main/docs/format.md):
`<|start|>assistant<|channel|>analysis<|message|>...<|end|>`, where `final` and
a `commentary` to nobody are meant to be seen, and `to=functions.f` is a call.
"""

import re

from lfgtui.agent.leakage.reading import FALLBACK_NAME, Reading, Table, token
from lfgtui.agent.leakage.stream_buffer import Heads, Parsing
from lfgtui.agent.leakage.tag_calls import DSML_TOKENS

_HEADER_LIMIT = 300

# Kimi

_KIMI_ARGUMENTS = "<|tool_call_argument_begin|>"
_KIMI_ENDS = ("<|tool_call_end|>", "<|tool_calls_section_end|>")
_KIMI_STOPS = Heads([*_KIMI_ENDS, "<|tool_call_begin|>"])


def _kimi_call(reading: Reading, head: str) -> Parsing[bool]:
    name = FALLBACK_NAME
    if head != _KIMI_ARGUMENTS:
        header = yield from reading.tape.ahead(_KIMI_ARGUMENTS, _HEADER_LIMIT)
        if header is None:
            return True
        name = re.sub(r":\d+\Z", "", header.strip()).removeprefix("functions.") or name
    yield from _arguments(reading, name, _KIMI_STOPS)
    return True


def _arguments(reading: Reading, name: str, stops: Heads) -> Parsing[None]:
    """A call's arguments as they arrive. The stop is left: as a token it drops itself."""
    reading.tape.unmark()
    reading.out.begin_call(name)
    yield from reading.tape.skip_space()
    stop = yield from reading.tape.copy_until(stops, reading.out.argue)
    reading.tape.back(len(stop.lstrip("\n`")) if stop else 0)


KIMI: Table = {
    **dict.fromkeys([*_KIMI_ENDS, "<|tool_calls_section_begin|>", "<|im_end|>"], token),
    "<|tool_call_begin|>": _kimi_call,
    _KIMI_ARGUMENTS: _kimi_call,
}

# DeepSeek


def _spelled(words: str) -> list[str]:
    """The token as the tokenizer has it, and as servers and models have been seen to write it."""
    bars = [f"<｜{words.replace(' ', gap)}｜>" for gap in ("▁", "_", " ")]
    return [*bars, f"<|{words.replace(' ', '▁')}|>"]


_CALL_ENDS = [*_spelled("tool call end"), *_spelled("tool calls end")]
_DEEPSEEK_STOPS = Heads(
    [*_CALL_ENDS, *_spelled("tool call begin")]
    + [f"{fence}{end}" for fence in ("```", "\n```", "\n```\n", "```\n") for end in _CALL_ENDS]
)
_SEPARATORS = Heads(_spelled("tool sep"))
_FENCE = Heads(["```json\n", "```\n"])
_OUTPUT_ENDS = Heads([*_spelled("tool output end"), *_spelled("tool outputs end")])


def _deepseek_call(reading: Reading, head: str) -> Parsing[bool]:
    tape = reading.tape
    header = yield from tape.matched(_DEEPSEEK_HEADER, _HEADER_LIMIT)
    separator = yield from tape.starts_with(_SEPARATORS)
    if header is None or separator is None:
        tape.back(len(header or ""))
        return True
    tape.skip(len(separator))
    name = header.strip()
    if name == "function" and (yield from tape.upcoming()) not in ("{", None):
        line = yield from tape.ahead("\n", _HEADER_LIMIT, never="<")
        name = (line or name).strip()
    yield from tape.skip_space()
    if fence := (yield from tape.starts_with(_FENCE)):
        tape.skip(len(fence))
    yield from _arguments(reading, name or FALLBACK_NAME, _DEEPSEEK_STOPS)
    return True


_DEEPSEEK_HEADER = re.compile(r"[^<]*(?=<)")


def _deepseek_output(reading: Reading, head: str) -> Parsing[bool]:
    """A tool's answer that the model made up."""
    reading.tape.unmark()
    yield from reading.tape.copy_until(_OUTPUT_ENDS, reading.out.reason)
    return True


_DEEPSEEK_MARKS = (
    *("tool calls begin", "tool call end", "tool calls end", "tool sep"),
    *("tool outputs begin", "tool output end", "tool outputs end"),
    *("begin of sentence", "end of sentence", "User", "Assistant"),
)
DEEPSEEK: Table = {
    **dict.fromkeys((s for mark in _DEEPSEEK_MARKS for s in _spelled(mark)), token),
    **dict.fromkeys(_spelled("tool call begin"), _deepseek_call),
    **dict.fromkeys(_spelled("tool output begin"), _deepseek_output),
    **DSML_TOKENS,
}

# gpt-oss

_ENDS = ("<|end|>", "<|return|>", "<|call|>")
_HARMONY_STOPS = Heads([*_ENDS, "<|start|>", "<|channel|>"])
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w*)")
_RECIPIENT = re.compile(r"\bto=([\w.\-]+)")
_CUT_HEADER = re.compile(r"[^\n]*")
_HEADER_MARKS = re.compile(r"<\|(?:channel|constrain)\|>|\bto=[\w.\-]*|\s+")
_HEADER_WORDS = ("", "assistant", "analysis", "commentary", "final", "json", "code")


def _harmony_message(reading: Reading, head: str) -> Parsing[bool]:
    tape = reading.tape
    header = yield from tape.ahead("<|message|>", _HEADER_LIMIT, never="\n")
    if header is None:
        return (yield from _cut_header(reading))
    header = head + header
    found, recipient = _CHANNEL.search(header), _RECIPIENT.search(header)
    channel = found[1] if found else ""
    if recipient is not None and recipient[1] != "assistant":
        yield from _arguments(reading, recipient[1].removeprefix("functions."), _HARMONY_STOPS)
        return True
    is_own = head == "<|channel|>" or header.startswith("<|start|>assistant")
    if is_own and recipient is None and channel in ("final", "commentary", ""):
        return True
    tape.unmark()
    yield from tape.skip_space()
    stop = yield from tape.copy_until(_HARMONY_STOPS, reading.out.reason)
    tape.back(len(stop or ""))
    return True


def _cut_header(reading: Reading) -> Parsing[bool]:
    """A header without a message: withheld if the text ends in it, else only its token is."""
    rest = reading.tape.take(_CUT_HEADER, _HEADER_LIMIT)
    *words, last = _HEADER_MARKS.sub(" ", rest).split(" ")
    is_known = all(word in _HEADER_WORDS for word in words)
    is_known = is_known and any(word.startswith(last) for word in _HEADER_WORDS)
    if reading.tape.next or not is_known:
        reading.tape.back(len(rest))
    yield from ()
    return True


HARMONY: Table = {
    **dict.fromkeys([*_ENDS, "<|message|>", "<|constrain|>"], token),
    "<|start|>": _harmony_message,
    "<|channel|>": _harmony_message,
}
