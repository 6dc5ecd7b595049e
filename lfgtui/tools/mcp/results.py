"""The result of a server's tool as the model gets it: text.

Pictures, sounds and other bytes become a remark with their size: not every wire takes them in the
result of a call.
"""

from collections.abc import Mapping

import msgspec

from lfgtui.tools.limits import HeadAndTail, ToolOutcome, one_line, sendable
from lfgtui.tools.mcp.definitions import shown

_FAILED = "the tool reported an error"


def outcome_of(result: Mapping[str, object], most_characters: int) -> ToolOutcome:
    """Return the outcome of a `CallToolResult`, given as in JSON.

    Structured content counts only without text, since servers repeat it as text.
    """
    content = result.get("content")
    blocks = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    structured = result.get("structuredContent")
    parts = [_in_words(block) for block in blocks]
    if structured is not None and not any(block.get("type") == "text" for block in blocks):
        parts.append(msgspec.json.encode(structured).decode())
    kept = HeadAndTail(most_characters)
    for place, part in enumerate(parts):
        kept.add(f"\n{part}" if place else part)
    output = sendable(str(kept))
    if result.get("isError") is not True:
        return ToolOutcome(output)
    return ToolOutcome(output or _FAILED, one_line(output) or _FAILED)


def _in_words(block: Mapping[str, object]) -> str:
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "resource", "resource": {"text": str(text), "uri": str(uri)}}:
            return f"[resource {shown(uri)}]\n{text}"
        case {"type": "resource", "resource": {"blob": str(data), "uri": str(uri)}}:
            return f"[resource {shown(uri)}, {_size(data)}; not shown]"
        case {"type": "resource_link", "uri": str(uri)}:
            return f"[link to the resource {shown(uri)}]"
        case {"type": str(kind), "data": str(data), "mimeType": str(mime)}:
            return f"[{shown(kind)} {shown(mime)}, {_size(data)}; not shown]"
        case {"type": str(kind)}:
            return f"[{shown(kind)}; not shown]"
        case _:
            return "[content of no known kind]"


def _size(base64: str) -> str:
    return f"{len(base64.rstrip('=')) * 3 // 4:,} bytes"
