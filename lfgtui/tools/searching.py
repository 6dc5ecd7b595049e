"""search_files: with ripgrep where it is installed, with Python where it is not.

Both get the same files, as arguments, and print the same form, so they differ
only in speed and in the finer points of the two dialects of regular
expressions. Ripgrep refuses look-around and back references; such a pattern
goes to Python, whose refusal is final.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from lfgtui.errors import ToolError
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools import grep
from lfgtui.tools.arguments import SearchFiles
from lfgtui.tools.limits import ToolLimits, cut_line, fitting
from lfgtui.tools.listing import files_below
from lfgtui.tools.programs import Deadline, ProgramOutput, run_program

_RIPGREP = (
    "--null --with-filename --line-number --no-heading --no-messages --no-config --color=never"
    " --crlf"
)
_MOST_BYTES = 8_000_000
"""Most bytes that are read of the output about one portion of the files."""

_FILES_AT_ONCE = 500
_ARGUMENT_BYTES = 60_000
"""Most files, and bytes of their names, of a portion: an argument list has limits."""


async def search_files(arguments: SearchFiles, workspace: Path, limits: ToolLimits) -> str:
    """Return `file:line: text` for each matching line, sorted by file and line."""
    pattern, most = arguments.pattern, limits.max_matches
    if "\0" in pattern:
        raise ToolError('search_files: "pattern" has a NUL character in it; write \\x00')
    deadline = Deadline(limits.search_seconds)
    names = await files_below(arguments.path, arguments.glob, workspace, deadline)
    root, ripgrep = await asyncio.to_thread(lambda: (workspace.resolve(), shutil.which("rg")))

    async def run(program: list[str], some: list[str]) -> ProgramOutput:
        return await run_program([*program, *some], root, deadline, most_bytes=_MOST_BYTES)

    python = program = [sys.executable, "-I", grep.__file__, pattern, str(most + 1)]
    if ripgrep is not None:
        program = [
            ripgrep,
            *_RIPGREP.split(),
            f"--max-count={most + 1}",
            f"--regexp={pattern}",
            "--",
        ]
    if (await run(program, [os.devnull])).exit_code == 2:  # ripgrep refuses the pattern
        program = python
        if (refusal := await run(python, [])).exit_code == 2:
            raise ToolError(
                f'search_files: "pattern" is not a valid regular expression: {refusal.stderr};'
                " put a \\ before a character that is meant literally"
            )
    lines: list[str] = []
    is_cut = False
    for some in _portions(names):
        output = await run(program, some)
        is_cut = is_cut or not output.complete
        lines += await asyncio.to_thread(_lines_in, output.stdout, some, limits.line_characters)
        if len(lines) > most:
            break
    if not lines:
        return f"[no line matches in {len(names)} file{'s' * (len(names) != 1)}]"
    shown = fitting(lines[:most], limits.output_characters)
    if len(shown) < len(lines) or is_cut:
        shown = [*shown, f"[the first {len(shown)} matches; narrow it with path or glob]"]
    return "\n".join(shown)


def _lines_in(output: bytes, names: list[str], width: int) -> list[str]:
    """Return the lines that a program printed about the files, sorted by file and line."""
    order = {os.fsencode(name): index for index, name in enumerate(names)}
    matches: list[tuple[int, int, bytes]] = []
    name, *rest = output.split(b"\0")  # between two NULs stand a line and the next name
    for piece in rest:
        # A line about a binary file may stand before a name, and a name may have line ends.
        while name not in order and b"\n" in name:
            name = name.partition(b"\n")[2]
        line, is_whole, following = piece.partition(b"\n")
        number, _, text = line.partition(b":")
        if name in order and is_whole:
            matches.append((order[name], int(number), text))
        name = following
    return [
        f"{escaped(names[index])}:{number}: "
        + cut_line(text.decode("utf-8", "replace").rstrip("\r"), width)
        for index, number, text in sorted(matches)
    ]


def _portions(names: list[str]) -> Iterator[list[str]]:
    """Yield the names in portions that fit into a command line."""
    portion: list[str] = []
    size = 0
    for name in names:
        if portion and (len(portion) == _FILES_AT_ONCE or size + len(name) > _ARGUMENT_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(name)
        size += len(name)
    if portion:
        yield portion
