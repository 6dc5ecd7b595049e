"""search_files: with ripgrep where it is installed, with Python where it is not.

Both are given the same files, as arguments, and print the same form, so what
comes back differs in nothing but speed and the finer points of the two
dialects of regular expressions. Ripgrep refuses look-around and back
references; such a pattern goes to Python, whose refusal is the last word.
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
from lfgtui.tools.programs import Deadline, Printed, run_program

_RIPGREP = (
    "--null",
    "--with-filename",
    "--line-number",
    "--no-heading",
    "--no-messages",
    "--no-config",
    "--color=never",
    "--crlf",
)
_MOST_BYTES = 8_000_000
_FILES_AT_ONCE = 500
_ARGUMENT_BYTES = 60_000


async def search_files(arguments: SearchFiles, workspace: Path, limits: ToolLimits) -> str:
    """Return `file:line: text` for each matching line, by file and line."""
    if "\0" in arguments.pattern:
        raise ToolError('search_files: "pattern" has a NUL character in it; write \\x00')
    deadline = Deadline(limits.search_seconds)
    names = await files_below(arguments.path, arguments.glob, workspace, deadline)
    root, ripgrep = await asyncio.to_thread(lambda: (workspace.resolve(), shutil.which("rg")))
    search = _Search(arguments.pattern, root, limits, ripgrep, deadline)
    lines: list[str] = []
    await search.check()
    for some in _portions(names):
        lines.extend(await search.lines(some))
        if len(lines) > limits.max_matches:
            break
    if not lines:
        return f"[no line matches in {len(names)} file{'s' * (len(names) != 1)}]"
    shown = fitting(lines[: limits.max_matches], limits.output_characters)
    if len(shown) < len(lines) or search.is_cut:
        shown = [*shown, f"[the first {len(shown)} matches; narrow it with path or glob]"]
    return "\n".join(shown)


class _Search:
    """One search with one program; `is_cut` where that was stopped for printing too much."""

    def __init__(
        self,
        pattern: str,
        root: Path,
        limits: ToolLimits,
        ripgrep: str | None,
        deadline: Deadline,
    ) -> None:
        self._root = root
        self._limits = limits
        most = str(limits.max_matches + 1)
        self._python = [sys.executable, "-I", grep.__file__, pattern, most]
        self._program = self._python
        if ripgrep is not None:
            self._program = [ripgrep, *_RIPGREP, f"--max-count={most}", f"--regexp={pattern}", "--"]
        self._deadline = deadline
        self.is_cut = False

    async def check(self) -> None:
        """Find a program that takes the pattern; raises `ToolError` where none does."""
        empty = await self._run([os.devnull])
        if empty.exit_code != 2:
            return
        self._program = self._python
        empty = await self._run([])
        if empty.exit_code == 2:
            raise ToolError(
                f'search_files: "pattern" is not a valid regular expression: {empty.stderr};'
                " put a \\ before a character that is meant literally"
            )

    async def lines(self, names: list[str]) -> list[str]:
        """Return the matching lines of these files, by file and line."""
        printed = await self._run(names)
        self.is_cut = self.is_cut or not printed.complete
        return await asyncio.to_thread(self._lines_in, printed.stdout, names)

    def _lines_in(self, printed: bytes, names: list[str]) -> list[str]:
        order = {os.fsencode(name): index for index, name in enumerate(names)}
        found: list[tuple[int, int, bytes]] = []
        name, *rest = printed.split(b"\0")  # what stands between two names is a line and a name
        for piece in rest:
            # A line about a binary file may stand before a name, and a name may have line ends.
            while name not in order and b"\n" in name:
                name = name.partition(b"\n")[2]
            line, is_whole, following = piece.partition(b"\n")
            number, _, text = line.partition(b":")
            if name in order and is_whole:
                found.append((order[name], int(number), text))
            name = following
        return [
            f"{escaped(names[index])}:{number}: {self._text(text)}"
            for index, number, text in sorted(found)
        ]

    def _text(self, line: bytes) -> str:
        return cut_line(line.decode("utf-8", "replace").rstrip("\r"), self._limits.line_characters)

    async def _run(self, names: list[str]) -> Printed:
        command = [*self._program, *names]
        return await run_program(command, self._root, self._deadline, most_bytes=_MOST_BYTES)


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
