"""Tools that run on the provider's side, in the form of the Responses wire.

Each call is an item of its own type, with its input and its result in fields that
differ by type. Its event comes when the item is added, again with the input when
that is complete, and again with the result when the item is done. If the result
is an item of its own (`shell_call_output` after `shell_call`), both are one call:
they share a `call_id`, or follow each other.
"""

import shlex
from collections import defaultdict
from collections.abc import Sequence

from lfgtui.model.events import HostedOutputDelta, HostedTool, ProviderItem, Status, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.wire import hosted_tools

WIRE = "openai-responses"
"""The wire of its `ProviderItem`s: histories hold both, so neither name nor form may change."""

# Fields of an item with the input or the result; the first that is not empty counts.
_INPUT_KEYS = ("action", "arguments", "code", "queries", "input", "operation", "revised_prompt")
_OUTPUT_KEYS = ("outputs", "output", "results", "result", "tools", "sources")
_COMPLETED = {
    "response.code_interpreter_call_code.done": "code",
    "response.mcp_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
    "response.shell_call_command.done": "command",
}
"""Types of records that complete an input, and the field that has it."""

_ENDED_BADLY = ("failed", "incomplete", "cancelled")
_ANSWERED_BY_US = ("tool_search_call", "program", "mcp_approval_request")
_ANSWERED_APART = ("shell_call", "local_shell_call", "apply_patch_call", "computer_call")
"""Calls that the client would have to answer, and calls whose result is an item of its own: they
go on when their item is done."""

_XAI = ("x_keyword_search", "x_semantic_search", "x_user_search", "x_thread_fetch")
"""Searches that xAI runs itself, although it sends them as calls of custom tools."""

# Types of items that are no hosted calls.
_NO_TOOL = frozenset({"", "message", "reasoning", "function_call", "compaction"})


class HostedItems:
    """The hosted calls of one response."""

    def __init__(self) -> None:
        self._cards = hosted_tools.HostedCalls()
        self._at: dict[object, str] = {}  # ids of calls under way, by place
        self._last: dict[str, str] = {}  # ids of the last calls, by tool
        self._commands: dict[str, list[str]] = defaultdict(list)  # of a shell, by call

    def __contains__(self, place: object) -> bool:
        """Return True if a call is under way at the place."""
        return place in self._at

    def begin(self, place: object, item: JsonObject) -> Sequence[WireEvent]:
        """Return the event of an item that was added, with as much of its input as is known."""
        kind = lenient_json.text(item, "type")
        if kind in _NO_TOOL:
            return ()
        card = self._card(place, item, _input(item, begun=True))
        return () if kind.endswith("_output") else (card,)  # its call has an event already

    def end(self, place: object, item: JsonObject) -> Sequence[WireEvent]:
        """Return the event of an item that is done, and the item itself for the next request."""
        kept = ProviderItem(WIRE, item)
        kind = lenient_json.text(item, "type")
        if kind == "compaction":
            return (Status("the provider compacted the conversation"), kept)
        if kind in _NO_TOOL:
            return (kept,)
        card = self._card(place, item, _input(item), _output(item))
        del self._at[place]
        return (card, kept)

    def grow(self, kind: str, place: object, record: JsonObject) -> Sequence[WireEvent]:
        """Return what a record adds to a call under way: its input, or what it prints."""
        if (call_id := self._at.get(place)) is None:
            return ()
        if kind == "response.shell_call_output_content.delta":
            printed = lenient_json.child(record, "delta")
            text = lenient_json.text(printed, "stdout") + lenient_json.text(printed, "stderr")
            return (HostedOutputDelta(call_id, text),) if text else ()
        given = lenient_json.text(record, _COMPLETED.get(kind, ""))
        if kind == "response.shell_call_command.done":
            self._commands[call_id].append(given)
            given = "\n".join(self._commands[call_id])
        card = self._cards.card(call_id, given)
        return (card,) if card.input else ()

    def _card(self, place: object, item: JsonObject, given: str, output: str = "") -> HostedTool:
        """Return the event of an item; a result of its own belongs to the call before it."""
        kind = lenient_json.text(item, "type")
        base = kind.removesuffix("_output").removesuffix("_call")
        own = self._at.get(place) or lenient_json.text(item, "call_id", "id") or f"{base}_{place}"
        if kind.endswith("_output") and not lenient_json.text(item, "call_id"):
            own = self._last.get(base, own)
        self._last[base] = own
        self._at[place] = own
        return self._cards.card(own, given, output, name=_name(item, base))


def is_for_us(item: JsonObject) -> bool:
    """Return True for a call that lfg is to run."""
    kind = lenient_json.exact_text(item, "type")
    is_custom = kind == "custom_tool_call" and lenient_json.text(item, "name") not in _XAI
    return is_custom or kind == "function_call"


def _name(item: JsonObject, base: str) -> str:
    server = lenient_json.text(item, "server_label")
    tool = lenient_json.text(item, "name")
    if base == "mcp_list_tools":
        tool = "list_tools"
    return hosted_tools.tool_name(server, tool) or base


def _input(item: JsonObject, *, begun: bool = False) -> str:
    """Return the input of a call. `begun`: it may be incomplete, so JSON is not shown yet."""
    value = next((item[key] for key in _INPUT_KEYS if item.get(key) is not None), None)
    record = lenient_json.as_object(value)
    if record is None:
        if isinstance(value, list):
            return "\n".join(lenient_json.strings(value))
        return hosted_tools.given(value)
    return _action(record) or ("" if begun else hosted_tools.given(record))


def _action(action: JsonObject) -> str:
    """Write an action: a page, commands, a file with its diff, queries; "" for any other."""
    pattern, url = lenient_json.text(action, "pattern"), lenient_json.text(action, "url")
    if url:
        return f"{pattern} in {url}" if pattern else url
    if commands := lenient_json.strings(action.get("commands")):
        return "\n".join(commands)
    if command := lenient_json.strings(action.get("command")):
        return shlex.join(command)
    if path := lenient_json.text(action, "path"):
        words = f"{lenient_json.text(action, 'type')} {path}"
        return f"{words}\n{lenient_json.text(action, 'diff')}".rstrip("\n")
    queries = lenient_json.strings(action.get("queries"))
    return lenient_json.text(action, "query") or "\n".join(queries)


def _output(item: JsonObject) -> str:
    """Return the result of an item that is done; "" for a call whose result is another item."""
    if error := item.get("error"):
        return hosted_tools.failure(error)
    kind, status = lenient_json.text(item, "type"), lenient_json.text(item, "status")
    if kind == "image_generation_call":
        base64, size = lenient_json.text(item, "result"), lenient_json.text(item, "size")
        form = lenient_json.text(item, "output_format")
        output = hosted_tools.picture(form, base64, size) if base64 else ""
    else:
        result = next((item[key] for key in _OUTPUT_KEYS if item.get(key)), None)
        output = hosted_tools.summary(result or lenient_json.child(item, "action").get("sources"))
    if status in _ENDED_BADLY:
        return "\n".join(filter(None, (output, status)))
    return output or ("" if kind in _ANSWERED_APART + _ANSWERED_BY_US else "done")
