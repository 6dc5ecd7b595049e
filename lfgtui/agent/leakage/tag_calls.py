"""Calls in tags: `<invoke name="f"><parameter name="a">1</parameter></invoke>` and its kin.

Anthropic's form (with and without `antml:`), DeepSeek's DSML, which is the
same in its own brackets, Qwen3-Coder's `<function=f><parameter=a>`, GLM's
`<tool_call>f <arg_key>a</arg_key><arg_value>1</arg_value>`, LangChain's
`<tool>f</tool><tool_input>x</tool_input>`.

Servers and models leave out parts of it: Qwen3-Coder the opening `<tool_call>`
(https://github.com/ollama/ollama/issues/16686), DeepSeek the section around
its calls (https://github.com/sgl-project/sglang/issues/40236), all of them an
end now and then. So nothing is required to nest: what stands around calls is a
mark that is dropped, a call is read wherever one begins, and an end that
belongs to no call is dropped where it follows one.
"""

import json
import re

from lfgtui.agent.leakage.json_calls import copy_value, read_calls
from lfgtui.agent.leakage.reading import Block, Reading, Table, token
from lfgtui.agent.leakage.stream_buffer import Heads, Parsing

DSML = tuple(f"{bar}DSML{bar}" for bar in ("｜", "｜｜", "‖", "|"))
_PREFIXES = ("", "antml:", *DSML)
_WRAPPERS = ("function_calls", "tool_calls")
_TOOL_CALLS = ("tool_call", "function_call", "minimax:tool_call", "seed:tool_call", "tool")
_RESULTS = ("tool_response", "tool_result", "function_result", "function_results", "observation")

_CALL_OPENINGS = Heads(["<function=", "<tool name=", *(f"<{p}invoke " for p in _PREFIXES)])
_CALL_ENDS = Heads(["</function>", *(f"</{p}invoke>" for p in _PREFIXES)])
_OUTER = Heads(
    [f"</{name}>" for name in _TOOL_CALLS] + [f"</{p}{w}>" for p in _PREFIXES for w in _WRAPPERS]
)
_PARAMETERS = Heads(["<parameter=", "<arg_key>", *(f"<{p}parameter " for p in _PREFIXES)])
_ENDS = _CALL_ENDS | _OUTER
_INSIDE = _PARAMETERS | _ENDS | _CALL_OPENINGS
_BODIES = _CALL_OPENINGS | Heads(["{", "["])
_NAME_ATTRIBUTE = re.compile(r"""\bname\s*=\s*["']?([^"'<>]+?)["']?(?:\s|/?$)""")
_RAW_ATTRIBUTE = re.compile(r"""\bstring\s*=\s*["']?false\b""")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.:\-]{0,99}\Z")
_TAG_LIMIT = 200
_GLM_GOES_ON, _ARG_VALUE = Heads(["<arg_key>", "</tool_call>"]), Heads(["<arg_value>"])
_TOOL_INPUT, _TOOL_INPUT_END = Heads(["<tool_input>"]), Heads(["</tool_input>"])
_LINE_END = Heads(["\n"])


def _value_ends(head: str) -> Heads:
    """What ends a parameter's value: its own tag, or where that is missing the call's on a line."""
    name = "arg_value" if head == "<arg_key>" else head[1:].rstrip(" =")
    return Heads([f"</{name}>", *(f"\n{end}" for end in _ENDS)])


_VALUE_ENDS = {head: _value_ends(head) for head in _PARAMETERS}
_OWN_LINE_ENDS = _VALUE_ENDS["<parameter="] | Heads(["\n</parameter>"])


def escaped(text: str) -> str:
    """The text as the inside of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _body(reading: Reading, head: str) -> Parsing[bool]:
    """What announces a call, if one follows: JSON, tags, or GLM's and LangChain's bare name."""
    tape = reading.tape
    offset = yield from tape.past_space()
    if offset is None:
        return False
    body = yield from tape.starts_with(_BODIES, offset)
    if body == "{":
        tape.skip(offset)
        return (yield from read_calls(reading))
    if body == "[":
        tape.skip(offset + 1)
        char = yield from tape.upcoming()
        return char == "{" and (yield from read_calls(reading))
    if body is not None:
        tape.skip(offset)
        return True
    if head == "<tool>":
        return (yield from _named_in_tag(reading))
    if head == "[TOOL_CALLS]":
        return (yield from _named_before_arguments(reading))
    return head == "<tool_call>" and (yield from _named_in_line(reading))


def _named_before_arguments(reading: Reading) -> Parsing[bool]:
    """Mistral: `[TOOL_CALLS]f[ARGS]{...}`."""
    name = yield from reading.tape.ahead("[ARGS]", _TAG_LIMIT, never=" \n<")
    if name is None or not _IDENTIFIER.match(name):
        reading.tape.back(0 if name is None else len(name) + len("[ARGS]"))
        return False
    reading.tape.unmark()
    reading.out.begin_call(name)
    yield from reading.tape.skip_space()
    yield from copy_value(reading.tape, reading.out.argue)
    return True


def _named_in_tag(reading: Reading) -> Parsing[bool]:
    tape, out = reading.tape, reading.out
    name = yield from tape.ahead("</tool>", _TAG_LIMIT, never="<")
    if name is None or not _IDENTIFIER.match(name.strip()):
        tape.back(0 if name is None else len(name) + len("</tool>"))
        return False
    tape.unmark()
    out.begin_call(name.strip())
    offset = yield from tape.past_space()
    if offset is None or not (yield from tape.starts_with(_TOOL_INPUT, offset)):
        return True
    tape.skip(offset + len("<tool_input>"))
    yield from copy_input(reading, _TOOL_INPUT_END)
    return True


def copy_input(reading: Reading, ends: Heads) -> Parsing[str | None]:
    """A call's one input: JSON as it came, or text up to one of `ends` as the argument `input`."""
    tape, out = reading.tape, reading.out
    yield from tape.skip_space()
    if tape.next in ("", "{", "["):
        yield from copy_value(tape, out.argue)
        return None
    out.argue('{"input": "')
    end = yield from tape.copy_until(ends, lambda text: out.argue(escaped(text)))
    out.argue('"}')
    return end


def _named_in_line(reading: Reading) -> Parsing[bool]:
    """GLM: the name stands behind `<tool_call>`, its arguments in pairs of tags."""
    tape = reading.tape
    name = yield from tape.ahead("<", _TAG_LIMIT, never=" `>")
    if name is None:
        return False
    tape.back(1)
    if not _IDENTIFIER.match(name.strip()) or not (yield from tape.starts_with(_GLM_GOES_ON)):
        tape.back(len(name))
        return False
    return (yield from _read_call(reading, name.strip()))


def _invoke(reading: Reading, head: str) -> Parsing[bool]:
    tag = yield from reading.tape.ahead(">", _TAG_LIMIT, never="<\n")
    name = _NAME_ATTRIBUTE.search(f" name={tag}" if head == "<tool name=" else f" {tag}")
    if tag is None or name is None:
        reading.tape.back(0 if tag is None else len(tag) + 1)
        return False
    if tag.endswith("/"):
        reading.out.begin_call(name[1])
        reading.out.argue("{}")
        return True
    if head != "<tool name=" and not (yield from _has_body(reading)):
        return False
    return (yield from _read_call(reading, name[1]))


def _function(reading: Reading, head: str) -> Parsing[bool]:
    name = yield from reading.tape.ahead(">", _TAG_LIMIT, never="<\n ")
    if not name:
        reading.tape.back(0 if name is None else 1)
        return False
    if not (yield from _has_body(reading)):
        return False
    return (yield from _read_call(reading, name.strip("\"'")))


def _has_body(reading: Reading) -> Parsing[bool]:
    """Whether what follows an opening may stand in a call: tags or JSON, no prose."""
    offset = yield from reading.tape.past_space()
    return offset is None or reading.tape.peek(offset) in '<{["'


def _read_call(reading: Reading, name: str) -> Parsing[bool]:
    """What is inside a call: parameters, or else its arguments in one piece."""
    tape, out = reading.tape, reading.out
    tape.unmark()
    out.begin_call(name)
    is_empty = True
    while True:
        yield from tape.skip_space()
        if not tape.next:
            return True  # cut off: the arguments stay open as well
        head = yield from tape.starts_with(_INSIDE)
        if head is not None and head in _PARAMETERS:
            tape.skip(len(head))
            key = yield from _key(reading, head)
            if key is None:
                out.reason(head)
                continue
            out.argue(("{" if is_empty else ", ") + json.dumps(key[0], ensure_ascii=False) + ": ")
            is_empty = False
            yield from _copy_argument(reading, head, is_raw=key[1])
        elif head is not None:
            tape.skip(len(head) if head in _CALL_ENDS else 0)
            out.argue("{}" if is_empty else "}")
            return True
        elif is_empty and tape.next in "{[":
            yield from _copy_json(reading)
            return True
        elif is_empty:
            end = yield from tape.copy_until(_ENDS, out.argue)
            tape.back(len(end) if end is not None and end in _OUTER else 0)
            return True
        else:
            end = yield from tape.copy_until(_INSIDE, out.reason)
            tape.back(len(end or ""))


def _copy_json(reading: Reading) -> Parsing[None]:
    tape = reading.tape
    if not (yield from copy_value(tape, reading.out.argue)):
        end = yield from tape.copy_until(_ENDS, reading.out.reason)
        tape.back(len(end or ""))
    offset = (yield from tape.past_space()) or 0
    end = yield from tape.starts_with(_CALL_ENDS, offset)
    tape.skip(offset + len(end) if end else 0)


def _key(reading: Reading, head: str) -> Parsing[tuple[str, bool] | None]:
    """A parameter's name, and whether its value is JSON already."""
    if head == "<arg_key>":
        key = yield from reading.tape.ahead("</arg_key>", _TAG_LIMIT, never="\n")
        offset = (yield from reading.tape.past_space()) or 0
        if key is None or not (yield from reading.tape.starts_with(_ARG_VALUE, offset)):
            reading.out.reason(key or "")
            return None
        reading.tape.skip(offset + len("<arg_value>"))
        return key.strip(), False
    tag = yield from reading.tape.ahead(">", _TAG_LIMIT, never="<\n")
    if tag is None:
        return None
    if head == "<parameter=":
        return tag.strip(" \"'"), False
    name = _NAME_ATTRIBUTE.search(f" {tag}")
    if name is None:
        reading.tape.back(len(tag) + 1)
        return None
    return name[1], _RAW_ATTRIBUTE.search(tag) is not None


def _copy_argument(reading: Reading, head: str, *, is_raw: bool) -> Parsing[None]:
    """A value as it arrives. Qwen sets it on lines of its own, which are no part of it."""
    tape, out = reading.tape, reading.out
    ends = _VALUE_ENDS[head]
    if head == "<parameter=" and (yield from tape.starts_with(_LINE_END)):
        tape.skip(1)
        ends = _OWN_LINE_ENDS
    out.argue("" if is_raw else '"')
    end = yield from tape.copy_until(
        ends, lambda text: out.argue(text if is_raw else escaped(text))
    )
    if end is not None:
        out.argue("" if is_raw else '"')
        end = end.lstrip("\n")
        tape.back(len(end) if end in _ENDS else 0)


def _end(reading: Reading, head: str) -> Parsing[bool]:
    """An end that belongs to no call."""
    yield from ()
    return reading.follows_markup


def _result(reading: Reading, head: str) -> Parsing[bool]:
    """A tool's answer that the model made up; it can only follow a call."""
    if not reading.out.calls or not reading.is_fresh:
        return False
    reading.tape.unmark()
    yield from reading.tape.skip_space()
    yield from reading.tape.copy_until(Heads([f"</{head[1:]}"]), reading.out.reason)
    return True


def _wrappers(prefixes: tuple[str, ...], block: Block) -> Table:
    return {f"<{p}{wrapper}>": block for p in prefixes for wrapper in _WRAPPERS}


TAGS: Table = {
    **{f"<{name}>": _body for name in _TOOL_CALLS},
    "[TOOL_CALLS]": _body,
    **_wrappers(("", "antml:"), _body),
    "<function=": _function,
    "<tool name=": _invoke,
    **{f"<{p}invoke ": _invoke for p in ("", "antml:")},
    **dict.fromkeys([*_ENDS, *(f"</{p}parameter>" for p in _PREFIXES)], _end),
    **dict.fromkeys(["</arg_value>", "</tool_input>"], _end),
    **{f"<{name}>": _result for name in _RESULTS},
}
DSML_TOKENS: Table = {
    **_wrappers(DSML, token),
    **{f"<{p}invoke ": _invoke for p in DSML},
    **{f"</{p}{name}>": token for p in DSML for name in (*_WRAPPERS, "invoke", "parameter")},
}
