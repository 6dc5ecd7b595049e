"""read_file: a text file, or the part of it that fits."""

from pathlib import Path

from lfgtui.errors import ToolError
from lfgtui.tools import files, text
from lfgtui.tools.arguments import ReadFile
from lfgtui.tools.limits import ToolLimits, cut_middle, fitting


def read_file(arguments: ReadFile, workspace: Path, limits: ToolLimits) -> str:
    """The file's text with `\\n` endings, then a note in brackets where it is not all of it."""
    place = files.locate(workspace, arguments.path)
    found = text.decode(place.said, files.read_bytes(place, limits.max_file_bytes))
    lines = found.text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    notes = [] if found.encoding == "utf-8" else [f"[the file is {found.encoding}, not utf-8]"]
    if not lines:
        return "\n".join(["[the file is empty]", *notes])
    first = arguments.start_line
    if first > len(lines):
        raise ToolError(
            f'"{place.said}" has {len(lines)} lines; start_line {first} is after the last'
        )
    wanted = arguments.max_lines or len(lines)
    shown = fitting(lines[first - 1 : first - 1 + wanted], limits.output_characters)
    last = first - 1 + len(shown)
    if last < len(lines):
        notes.append(f"[lines {first}-{last} of {len(lines)}; go on with start_line={last + 1}]")
    elif first > 1:
        notes.append(f"[lines {first}-{last} of {len(lines)}]")
    body = cut_middle("\n".join(shown), limits.output_characters)
    if not notes and found.text.endswith("\n"):
        return body + "\n"
    return "\n".join([body, *notes])
