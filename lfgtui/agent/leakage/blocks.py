"""The markup that models write into their text: a table for each dialect, by head.

A block is a piece of markup; its head is the string with which it begins. `filter` reads the
tables. New markup is a row of one of them, or a new `Dialect`, which a provider's setting `leakage`
turns on.
Servers and models leave out parts of it: Qwen3-Coder the opening `<tool_call>`
(https://github.com/ollama/ollama/issues/16686), DeepSeek the section around its
calls (https://github.com/sgl-project/sglang/issues/40236), all of them an end
now and then. So nothing is required to nest: markup around calls is a mark that
is dropped, a call begins wherever its head does, and an end tag that belongs to no
call is dropped if it follows other markup. A block without an end lasts to the end
of the answer.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lfgtui.agent.leakage.shapes import Heads, Shape, repeated, shape, word
from lfgtui.settings.providers import Dialect

Kind: TypeAlias = Literal["reasoning", "call", "mark"]


@dataclass(slots=True)
class HeadContext:
    """The position of a head in its answer: which heads count there, and what came before it.

    The filter has one for each response and sets it before each head.
    """

    counts: bool = True
    """A tag counts here: at the beginning of a line, or where `is_fresh`."""
    is_fresh: bool = True
    """Only white space has come since the answer began or markup ended."""
    follows_markup: bool = False
    """The position `is_fresh`, after markup."""
    has_shown: bool = False
    """Visible text has come."""
    has_thought: bool = False
    """Reasoning has come, as markup or as such."""
    withheld: set[str] = field(default_factory=set)
    """Heads of the blocks so far."""
    has_call: bool = False
    mentioned: set[str] = field(default_factory=set)
    """Heads that were shown as text: the answer mentions them."""


class Block:
    """Markup that a head begins: reasoning, a call, or a mark, which has no content.

    It lasts to one of `ends`, which belongs to it, or of `stops`, where something
    else begins; `quoted` strings look like an end and are not. It begins only `when`
    the context allows it and the shape `follows`; its `kind` may depend on its header.
    """

    def __init__(
        self,
        kind: Kind | Callable[[str], Kind],
        *,
        ends: Iterable[str] = (),
        stops: Iterable[str] = (),
        quoted: Iterable[str] = (),
        follows: Shape | None = None,
        may_be_cut: bool = False,
        when: Callable[[HeadContext], bool] = lambda context: True,
        keeps_head: bool = False,
        remark: str = "",
    ) -> None:
        self.kind = kind
        self.stops, self.quoted = frozenset(stops), frozenset(quoted)
        self.heads = Heads({*ends, *self.stops, *self.quoted})
        self.follows = follows or _ANYTHING
        self.may_be_cut = may_be_cut
        """A beginning of `follows` is enough at the end of the text."""
        self.when = when
        self.keeps_head = keeps_head
        """The head of this reasoning is shown with it."""
        self.remark = remark
        """Shown as a `Status` where this block proves that the text above it was reasoning."""


Table: TypeAlias = Mapping[str, tuple[Block, ...]]
"""The blocks that each head may begin; the first that fits is taken."""

_ANYTHING = shape()
_SPACE = repeated(r"\s", 0, 200)
_NAME = (repeated("[A-Za-z_]", 1, 1), repeated(r"[\w.:\-]", 0, 99))  # a tool's


def _counts(context: HeadContext) -> bool:
    return context.counts


# Reasoning. DeepSeek and Qwen write `<think>`, Anthropic's older prompts taught `<thinking>`,
# Magistral has `[THINK]` (https://huggingface.co/mistralai/Magistral-Small-2507), Seed
# `<seed:think>`, MiniMax `<mm:think>`, Command A `<|START_THINKING|>`, Gemma `<|channel>thought`.

_NAMES = ("think", "thinking", "reasoning", "thought", "thoughts", "seed:think", "mm:think")
_SPELLINGS = [s for name in _NAMES for s in (name, name.capitalize(), name.upper())]
_OPENINGS = {f"<{name}>" for name in _SPELLINGS}
_CLOSINGS = {f"</{name}>" for name in _SPELLINGS}
_TOKENS = {
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|channel>thought\n": "<channel|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}

LATE = "the text above was the model's reasoning: its opening tag was missing"
"""A chat template may have written the opening tag itself, so that only the closing one
arrives. What came before it has been shown by then and cannot be taken back; to hold back
every answer until it is sure to hold no such tag would cost all of them their streaming."""


def _is_late(context: HeadContext) -> bool:
    """Return True if a closing tag means a missing opening one, not one that was mentioned."""
    return not context.mentioned & _OPENINGS


_THINK = Block("reasoning", ends=_CLOSINGS, quoted=[f"`{tag}`" for tag in _CLOSINGS], when=_counts)
_CLOSED = (
    Block("mark", when=lambda context: context.counts and _is_late(context), remark=LATE),
    Block(
        "mark",
        follows=shape(repeated(r"[\r\n]", 1, 1)),
        may_be_cut=True,
        when=_is_late,
        remark=LATE,
    ),
)
_THINK_TOKENS: Table = {
    **dict.fromkeys(_OPENINGS, (_THINK,)),
    **dict.fromkeys(_CLOSINGS, _CLOSED),
    **{begin: (Block("reasoning", ends=[end]),) for begin, end in _TOKENS.items()},
    **dict.fromkeys(_TOKENS.values(), (Block("mark"),)),
}
_THINK_TAGS: Table = {
    "[THINK]": (Block("reasoning", ends=["[/THINK]"], quoted=["`[/THINK]`"]),),
    "[/THINK]": (Block("mark", remark=LATE, when=_is_late),),
}

# Calls in tags: Anthropic's `<invoke name="f"><parameter name="a">1</parameter></invoke>` (with
# and without `antml:`), DeepSeek's DSML, which is the same in its own brackets, Qwen3-Coder's
# `<function=f><parameter=a>`, GLM's `<tool_call>f <arg_key>a</arg_key><arg_value>1</arg_value>`,
# LangChain's `<tool>f</tool><tool_input>x</tool_input>`; and as JSON in `<tool_call>`
# (https://github.com/NousResearch/Hermes-Function-Calling) or after Mistral's `[TOOL_CALLS]`.

_DSML = tuple(f"{bar}DSML{bar}" for bar in ("｜", "｜｜", "‖", "|"))
_PREFIXES = ("", "antml:")
_SECTIONS = ("function_calls", "tool_calls")
_TOOL_CALLS = ("tool_call", "function_call", "minimax:tool_call", "seed:tool_call", "tool")
_RESULTS = ("tool_response", "tool_result", "function_result", "function_results", "observation")
_INSIDE = shape(
    _SPACE, word("<function=", "<tool name=", *(f"<{p}invoke name=" for p in _PREFIXES))
)
_JSON = (shape(_SPACE, word("{")), shape(_SPACE, word("["), _SPACE, word("{")))
_BODY = (repeated(r"[^<>\n]", 1, 200), word(">"), _SPACE, repeated(r'[<{\["]', 1, 1))
"""The name in an opening tag and the beginning of what is in it, as `f">{"a": 1}`."""


def _wrapper(name: str, *named: Shape, end: str = "") -> tuple[Block, ...]:
    """Return the blocks of a tag around calls.

    It is a call itself if JSON follows, or one of `named`, which ends at `end`.
    """
    json = [Block("call", ends=[f"</{name}>"], follows=follows) for follows in _JSON]
    others = [Block("call", ends=[end or f"</{name}>"], follows=follows) for follows in named]
    return (Block("mark", follows=_INSIDE), *json, *others)


def _invoke(prefix: str) -> tuple[Block, ...]:
    """Return the block of a call in Anthropic's tags."""
    ends = [f"</{prefix}{name}>" for name in ("invoke", *_SECTIONS)]
    return (Block("call", ends=ends, stops=[f"<{prefix}invoke name="], follows=shape(*_BODY)),)


_STRAY = (Block("mark", when=lambda context: context.follows_markup),)
_ENDS = [
    *(f"</{name}>" for name in (*_TOOL_CALLS, "function", "parameter", "arg_value", "tool_input")),
    *(f"</{p}{name}>" for p in _PREFIXES for name in (*_SECTIONS, "invoke", "parameter")),
]
_TOOL_TAGS: Table = {
    **dict.fromkeys(_ENDS, _STRAY),
    **{f"<{name}>": _wrapper(name) for name in _TOOL_CALLS},
    **{f"<{p}{name}>": _wrapper(f"{p}{name}") for p in _PREFIXES for name in _SECTIONS},
    "<tool_call>": _wrapper(
        "tool_call", shape(_SPACE, *_NAME, _SPACE, word("<arg_key>", "</tool_call>"))
    ),
    "<tool>": _wrapper(
        "tool",
        shape(_SPACE, *_NAME, _SPACE, word("</tool>"), _SPACE, word("<tool_input>")),
        end="</tool_input>",
    ),
    "[TOOL_CALLS]": tuple(
        Block("call", stops=["[TOOL_CALLS]"], follows=follows)
        for follows in (*_JSON, shape(*_NAME, word("[ARGS]")))
    ),
    "<function=": (
        Block(
            "call",
            ends=["</function>", "</tool_call>"],
            stops=["<function="],
            follows=shape(*_BODY),
        ),
    ),
    "<tool name=": (Block("call", ends=["</tool>"], follows=shape(*_BODY[:2])),),
    **{f"<{p}invoke name=": _invoke(p) for p in _PREFIXES},
    **{  # a tool's answer that the model made up
        f"<{name}>": (
            Block(
                "reasoning",
                ends=[f"</{name}>"],
                when=lambda context: context.has_call and context.is_fresh,
            ),
        )
        for name in _RESULTS
    },
}

# DeepSeek. V3 and R1: `<｜tool▁call▁begin｜>function<｜tool▁sep｜>f`, the arguments in a fence;
# V3.1: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{...}`; V3.2 and V4: DSML.


def _spelled(words: str) -> list[str]:
    """Return the spellings of one of DeepSeek's tokens: the tokenizer's, and others in use."""
    bars = [f"<｜{words.replace(' ', gap)}｜>" for gap in ("▁", "_", " ")]
    return [*bars, f"<|{words.replace(' ', '▁')}|>"]


_HEADER = repeated("[^<]", 0, 300)
_MARK = (Block("mark"),)
_DEEPSEEK_MARKS = (
    *("tool calls begin", "tool call end", "tool calls end", "tool sep"),
    *("tool outputs begin", "tool output end", "tool outputs end"),
    *("begin of sentence", "end of sentence", "User", "Assistant"),
)
_DEEPSEEK_CALL = Block(
    "call",
    ends=_spelled("tool call end"),
    stops=[*_spelled("tool call begin"), *_spelled("tool calls end")],
    follows=shape(_HEADER, word(*_spelled("tool sep"))),
)
_DEEPSEEK_OUTPUT = Block(
    "reasoning", ends=[*_spelled("tool output end"), *_spelled("tool outputs end")]
)
_DEEPSEEK: Table = {
    **dict.fromkeys((s for mark in _DEEPSEEK_MARKS for s in _spelled(mark)), _MARK),
    **dict.fromkeys(_spelled("tool call begin"), (_DEEPSEEK_CALL, *_MARK)),
    **dict.fromkeys(_spelled("tool output begin"), (_DEEPSEEK_OUTPUT,)),
    **{f"<{p}{name}>": _MARK for p in _DSML for name in _SECTIONS},
    **{f"<{p}invoke name=": _invoke(p) for p in _DSML},
    **{f"</{p}{name}>": _MARK for p in _DSML for name in (*_SECTIONS, "invoke", "parameter")},
}

# Kimi (https://huggingface.co/moonshotai/Kimi-K2-Thinking/blob/main/docs/tool_call_guidance.md):
# `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{...}<|tool_call_end|>`.

_KIMI_ARGUMENTS = "<|tool_call_argument_begin|>"
_KIMI_STOPS = ("<|tool_call_begin|>", "<|tool_calls_section_end|>")
_KIMI: Table = {
    **dict.fromkeys(("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"), _MARK),
    **dict.fromkeys(("<|tool_call_end|>", "<|im_end|>"), _MARK),
    "<|tool_call_begin|>": (
        Block(
            "call",
            ends=["<|tool_call_end|>"],
            stops=_KIMI_STOPS,
            follows=shape(_HEADER, word(_KIMI_ARGUMENTS)),
        ),
        *_MARK,
    ),
    _KIMI_ARGUMENTS: (Block("call", ends=["<|tool_call_end|>"], stops=_KIMI_STOPS),),
}

# gpt-oss (https://github.com/openai/harmony/blob/main/docs/format.md):
# `<|start|>assistant<|channel|>analysis<|message|>...<|end|>`, where `final` and a
# `commentary` to nobody are meant to be seen, and `to=functions.f` is a call.

_CHANNEL = re.compile(r"<\|channel\|>\s*(\w*)")
_RECIPIENT = re.compile(r"\bto=(?!assistant\b)[\w.\-]")  # "to=functions.f"
_CUT_HEADER = re.compile(
    r"(?:assistant|analysis|commentary|final|json|code|<\|channel\|>|<\|constrain\|>"
    rf"|to=[\w.\-]{{0,99}}|\s){{0,40}}{word('assistant', 'analysis', 'commentary', 'final').begun}"
)


def _harmony_kind(header: str) -> Kind:
    """Return the kind of a message by its header, which ends with `<|message|>`."""
    if _RECIPIENT.search(header):
        return "call"
    match = _CHANNEL.search(header)
    is_own = header.startswith(("<|channel|>", "<|start|>assistant")) and "to=" not in header
    is_shown = match is None or match[1] in ("final", "commentary", "")
    return "mark" if is_own and is_shown else "reasoning"


_HARMONY_MESSAGE = (
    Block(
        _harmony_kind,
        ends=["<|end|>", "<|return|>", "<|call|>"],
        stops=["<|start|>", "<|channel|>"],
        follows=shape(repeated(r"[^\n]", 0, 300), word("<|message|>"), is_header=True),
    ),
    # A header that the text's end cuts off; any other without a message loses only its token.
    Block("mark", follows=Shape(re.compile("(?!)"), _CUT_HEADER), may_be_cut=True),
    *_MARK,
)
_HARMONY: Table = {
    **dict.fromkeys(("<|end|>", "<|return|>", "<|call|>", "<|message|>", "<|constrain|>"), _MARK),
    **dict.fromkeys(("<|start|>", "<|channel|>"), _HARMONY_MESSAGE),
}

# ReAct. The labels are words of plain prose, so none counts before an `Action:` line with one
# identifier and an `Action Input:` line after it; from there on all labels count. An
# observation in an answer is the model's invention, and is shown as reasoning with its label.

_ACTION = (
    *(repeated(r"[ \t]", 0, 20), repeated(r"[`*\[]", 0, 1), *_NAME, repeated(r"[`*\]]", 0, 1)),
    *(repeated(r"[ \t]", 0, 20), repeated(r"\r", 0, 1), word("\n"), _SPACE, word("Action Input:")),
)
_LABELS = [f"\n{label}:" for label in ("Thought", "Action", "Observation", "Final Answer")]


def _knows_react(context: HeadContext) -> bool:
    return "Action:" in context.withheld


_REACT: Table = {
    "Action:": (Block("call", stops=_LABELS, follows=shape(*_ACTION)),),
    "Thought:": (
        Block("reasoning", stops=_LABELS, when=_knows_react),
        Block(  # the thought that an answer begins with, up to a length
            "reasoning",
            stops=_LABELS,
            follows=shape(repeated(r"[\s\S]", 0, 1000), word("\nAction:"), *_ACTION),
            when=lambda context: context.is_fresh and not context.has_shown,
        ),
    ),
    "Observation:": (Block("reasoning", stops=_LABELS, when=_knows_react, keeps_head=True),),
    "Final Answer:": (Block("mark", when=_knows_react),),
}

TAGS: Mapping[Dialect, Table] = {"think": _THINK_TAGS, "tools": _TOOL_TAGS, "react": _REACT}
"""Heads that count at the beginning of a line and after other markup."""

TOKENS: Mapping[Dialect, Table] = {
    "think": _THINK_TOKENS,
    "deepseek": _DEEPSEEK,
    "kimi": _KIMI,
    "harmony": _HARMONY,
}
"""Heads that count anywhere outside code: special tokens, which prose does not contain, and the
tags of reasoning, whose blocks have conditions of their own."""
