"""Calls of a provider's own tools, with input and result in a few lines for a person.

This is for the screen; a wire that wants the whole result back keeps it as a
`ProviderItem`. So pictures are described by kind and size, encrypted results are
only marked, and the text of a failed call begins with "failed".
"""

from lfgtui.errors import shortened
from lfgtui.model.events import HostedTool
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject

_LONGEST = 2000  # characters of a summary, and items of a list that are read for it
_LONGEST_VALUE = 200  # characters of a string inside JSON that is shown as such


class HostedCalls:
    """The hosted calls of one response. It remembers their names and last inputs, by id."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._inputs: dict[str, str] = {}

    def card(
        self, call_id: str, given: str = "", output: str = "", *, name: str = "", fallback: str = ""
    ) -> HostedTool:
        """Return the event of a call; it has the input only if that changed, as records repeat it.

        A call keeps its last `name`; `fallback` is for one that never had any.
        """
        name = self._names[call_id] = name or self._names.get(call_id) or fallback
        given = "" if given == self._inputs.get(call_id) else given
        if given:
            self._inputs[call_id] = given
        return HostedTool(name, given, output, call_id)


def tool_name(server: str, tool: str) -> str:
    """Name an MCP tool by its server and its name, any other by its name alone."""
    return f"{server}/{tool}" if server and tool else tool or server


def given(value: object) -> str:
    """Write the input of a tool: text as it is, "" for an empty one, all else as JSON."""
    if isinstance(value, str):
        return value
    return lenient_json.compact(value) if value else ""


def summary(result: object) -> str:
    """Write the result of a hosted tool: titles and addresses, output, or the JSON."""
    if isinstance(result, list):
        lines = "\n".join(filter(None, (_line(item) for item in result[:_LONGEST])))
    else:
        lines = "" if result is None else _line(result)
    return shortened(lines, _LONGEST)


def outcome(result: object) -> str:
    """Summarize a call that ended, never as "": a call without output is shown as running."""
    return summary(result) or "no output"


def failure(error: object) -> str:
    """Describe a failed call by its error: a message, a code, or a list of texts."""
    record = lenient_json.as_object(error)
    if record is None:
        why = summary(error)
    else:
        keys = ("error_code", "code", "error_message", "message")
        why = ": ".join(filter(None, (lenient_json.text(record, key) for key in keys)))
        why = why or summary(record.get("content")) or lenient_json.compact(_shortened(record))
    return f"failed: {why}" if why else "failed"


def picture(kind: str, base64: str, size: str = "") -> str:
    """Describe a picture by its kind, its size in pixels where known, and in bytes."""
    return ", ".join(filter(None, (kind or "image", size, _bytes(len(base64) * 3 // 4))))


def _line(item: object) -> str:
    """Write one result by the first field that tells its form; JSON if none does."""
    record = lenient_json.as_object(item)
    if record is None:
        return item if isinstance(item, str) else lenient_json.compact(item)
    kind = lenient_json.text(record, "type")
    if kind.endswith("_error") or "error_code" in record:
        return failure(record)
    if "stdout" in record or "stderr" in record:
        return _printed(record)
    if text := lenient_json.text(record, "logs", "text"):
        name = lenient_json.text(record, "filename")
        return f"{name}: {text}" if name else text
    if url := lenient_json.text(record, "url"):
        return _addressed(record, url)
    if "tool_references" in record:
        tools = lenient_json.children(record, "tool_references")
        return ", ".join(lenient_json.text(tool, "tool_name") for tool in tools) or "no tools"
    name = lenient_json.text(record, "name")
    if name and ("input_schema" in record or "parameters" in record):
        return name
    if "is_file_update" in record:
        return "file changed" if record["is_file_update"] else "file created"
    if kind.startswith("text_editor_code_execution_"):
        lines = lenient_json.strings(record.get("lines"))
        return "\n".join(lines) or lenient_json.text(record, "content")
    if any(key.startswith("encrypted_") for key in record):
        return "(encrypted)"
    return lenient_json.compact(_shortened(record))


def _printed(record: JsonObject) -> str:
    """Write the output of a program, its exit code if it failed, and the files it left."""
    lines = [lenient_json.text(record, key).rstrip("\n") for key in ("stdout", "stderr")]
    outcome = lenient_json.child(record, "outcome")
    code = lenient_json.number(record, "return_code") or lenient_json.number(outcome, "exit_code")
    if code:
        lines.append(f"failed: exit code {code}")
    elif lenient_json.text(outcome, "type") == "timeout":
        lines.append("failed: timeout")
    for file in lenient_json.children(record, "content"):
        lines.append(f"file {lenient_json.text(file, 'file_id')}")
    return "\n".join(filter(None, lines))


def _addressed(record: JsonObject, url: str) -> str:
    """Write a page by title and address; a picture in a `data:` address by kind and size."""
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        return picture(head.removeprefix("data:").partition(";")[0], data)
    title = lenient_json.text(record, "title")
    title = title or lenient_json.text(lenient_json.child(record, "content"), "title")
    return f"{title} {url}" if title else url


def _shortened(value: object) -> object:
    """Return JSON with its long strings shortened, which no person would read."""
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"{value[: _LONGEST_VALUE // 4]}… ({_bytes(len(value))})"
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    return value


def _bytes(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.3g} kB" if count < 1_000_000 else f"{count / 1_000_000:.3g} MB"
