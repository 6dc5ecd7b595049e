"""Search files for a regular expression, as ripgrep does, where it is not installed.

    python grep.py PATTERN MOST FILE...

A program of its own, since a pattern can keep `re` busy forever and only a
process can be stopped. `searching` starts it with `-I`, so it may import only
the standard library. It prints `file NUL line:text`, at most MOST lines of each
file, as `rg --null` does, and exits with 2 if the pattern is not a regular
expression.
"""

import codecs
import os
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

LINE = 1_000_000
"""Most characters of a line that are searched."""

CPU_SECONDS = 120
"""More CPU time than a search gets, so that it ends by itself if lfg was killed."""


def lines(path: str) -> Iterator[str]:
    """Yield the lines of a file, each up to `LINE` characters; none if it is binary or unreadable.

    They end at a NUL: text has none, but a sparse file may have gigabytes of them.
    """
    with suppress(OSError), Path(path).open("rb") as binary:
        begin = binary.read(8_192)
        is_utf_16 = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if b"\0" in begin and not is_utf_16:
            return
        encoding = "utf-16" if is_utf_16 else "utf-8-sig"
        with Path(path).open(encoding=encoding, errors="replace", newline="\n") as file:
            while line := file.readline(LINE):
                rest = line
                while "\0" not in rest and len(rest) == LINE and not rest.endswith("\n"):
                    rest = file.readline(LINE)
                if "\0" in rest:
                    return
                yield line.rstrip("\r\n")


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit code."""
    with suppress(ValueError):  # raised if a lower limit is in force already
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    wanted, most, *paths = arguments
    try:
        pattern = re.compile(wanted)
    except (re.error, OverflowError, RecursionError) as error:
        sys.stderr.write(str(error))
        return 2
    for path in paths:
        matching = ((n, line) for n, line in enumerate(lines(path), 1) if pattern.search(line))
        for number, line in islice(matching, int(most)):
            sys.stdout.buffer.write(os.fsencode(path) + f"\0{number}:{line}\n".encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
