"""Search files for a regular expression, as ripgrep does, where it is not installed.

    python grep.py PATTERN MOST FILE...

A program of its own, with nothing but the standard library, because a
pattern can take `re` forever and only a process can be stopped. It prints
`file NUL line:text`, at most MOST lines a file, as `rg --null` does, and
exits with 2 where the pattern is no regular expression.
"""

import codecs
import os
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

LINE = 1_000_000
"""Most characters of a line that are searched."""

CPU_SECONDS = 120
"""More than any search is given, so that one whose lfg was killed ends by itself."""


def matches(pattern: re.Pattern[str], path: str, most: int) -> Iterator[tuple[int, str]]:
    """Yield number and text of matching lines; none where the file is binary or unreadable."""
    try:
        with Path(path).open("rb") as file:
            begin = file.read(8_192)
        utf_16 = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if b"\0" in begin and not utf_16:
            return
        encoding = "utf-16" if utf_16 else "utf-8-sig"
        with Path(path).open(encoding=encoding, errors="replace", newline="\n") as file:
            for number, line in enumerate(_lines(file), 1):
                text = line.rstrip("\r\n")
                if pattern.search(text):
                    yield number, text
                    most -= 1
                    if not most:
                        return
    except OSError:
        return


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines, each up to a bound; stop at a NUL, which no text has but a hole does."""
    while line := file.readline(LINE):
        rest = line
        while "\0" not in rest and len(rest) == LINE and not rest.endswith("\n"):
            rest = file.readline(LINE)
        if "\0" in rest:
            return
        yield line


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit code."""
    with suppress(ValueError):  # a lower limit is in force
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    wanted, most, *paths = arguments
    try:
        pattern = re.compile(wanted)
    except (re.error, OverflowError, RecursionError) as error:
        sys.stderr.write(str(error))
        return 2
    out = sys.stdout.buffer
    for path in paths:
        for number, text in matches(pattern, path, int(most)):
            out.write(os.fsencode(path) + f"\0{number}:{text}\n".encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
