"""All printing: everything lfg writes to stdout and stderr goes through this module.

Characters that a terminal would obey instead of showing are made visible here,
wherever they come from: a model, a file, an argument, a library that writes to
stderr. So no caller has to take care of it, and none can forget to. ruff refuses
`print` elsewhere. docs/decisions/0022-one-way-out-for-text.md says what pipes and
files get.
"""

import codecs
import contextlib
import io
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterable
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from lfgtui.errors import UsageError
from lfgtui.text.terminal_safe import json_safe, visible, visible_line

if TYPE_CHECKING:
    from rich.style import Style

_PATIENCE = 1.0
"""Seconds to wait for stderr to accept a line."""

_WIDTH = 80
"""Columns of a paragraph if stderr is not a terminal."""

_THREAD = "last-words"
"""The name of threads that write, by which `has_all_been_read` finds one that still waits."""

_LONGEST_ERROR = 2000
"""Most characters of an error message, which may quote megabytes of a file."""


class Styled(NamedTuple):
    """Text in a style: Rich's, the number of an ECMA-48 SGR as below, or None for plain text."""

    text: str
    style: "Style | int | None"


BOLD, RED, GREEN, YELLOW, CYAN = 1, 31, 32, 33, 36


class SafeStream(io.TextIOBase):
    """A text stream on which control characters are shown instead of sent.

    Its `isatty` is false, so that libraries do not send it escape sequences for
    colours.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]  # an attribute in typeshed
        return self.stream.encoding or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]  # as above
        return "backslashreplace"

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.stream.write(visible(text))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def fileno(self) -> int:
        return self.stream.fileno()


class Document:
    """Text on stdout that another program may read: an answer, Markdown, an HTML page.

    A file gets it exactly. A pipe may end on a terminal (`| cat`, `| less -R`,
    `watch`), so it gets symbols for control characters, unless `raw` is set;
    `close`, to be called last, reports on stderr how many there were.
    """

    def __init__(self, *, raw: bool = False) -> None:
        self._on_terminal = is_terminal(sys.stdout)
        self._is_exact = not self._on_terminal and (raw or _is_file(sys.stdout))
        self._shown = 0

    def write(self, text: str) -> None:
        """Write a piece of the text and flush."""
        if self._is_exact:
            _write_bytes(text.encode("utf-8", "replace"))
            return
        shown = visible(text)
        if shown != text:  # one symbol for each
            self._shown += sum(a != b for a, b in zip(text, shown, strict=True))
        print_text(shown)

    def write_bytes(self, data: bytes) -> None:
        """Write text of unknown encoding; unless it is written exactly, it is read as UTF-8."""
        if self._is_exact:
            _write_bytes(data)
        else:
            self.write(data.decode("utf-8", "replace"))

    def close(self, *, has_raw: bool = True) -> None:
        """Report on stderr how many control characters were replaced, if any were."""
        if self._shown and not self._on_terminal:
            plural = "" if self._shown == 1 else "s"
            advice = "use --raw, or write to a file," if has_raw else "write to a file"
            print_remark(
                f"replaced {self._shown:,} control character{plural} by symbols; {advice} to keep"
                f" {'them' if plural else 'it'}"
            )


def install() -> None:
    """Replace stdout and stderr by a `SafeStream` each, for libraries that write there.

    To be called first thing. They are never removed: threads and finalizers may print until
    the interpreter ends, which is when Python restores `sys.__stderr__`.
    """
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        stream: TextIO | SafeStream | None = getattr(sys, name)
        if stream is not None and not isinstance(stream, SafeStream):
            setattr(sys, name, SafeStream(stream))


def is_terminal(stream: TextIO | SafeStream | None) -> bool:
    """Return True if the stream, or the one inside a `SafeStream`, is a terminal."""
    own = _own(stream)
    return own is not None and own.isatty()


def prints_on_terminal() -> bool:
    """Return True if stdout is a terminal."""
    return is_terminal(sys.stdout)


def check_raw() -> None:
    """Raise `UsageError` for `--raw` if stdout is a terminal."""
    if prints_on_terminal():
        raise UsageError(
            "--raw needs a pipe or a file as output: a terminal would obey control characters"
        )


def is_interactive() -> bool:
    """Return True if a screen is possible: Textual reads keys from stdin and draws on stderr."""
    return can_draw() and is_terminal(sys.stdin)


def can_draw() -> bool:
    """Return True if a screen is possible once stdin is a terminal, too."""
    return is_terminal(sys.stdout) and is_terminal(sys.stderr)


def read_piped(most_bytes: int) -> bytes:
    """Return all that is piped in, or `most_bytes` of it and one more if there is more.

    stdin then becomes the controlling terminal, if there is one, for questions and the screen.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    descriptor = sys.stdin.fileno()
    with open(os.dup(descriptor), "rb") as piped:  # noqa: PTH123 - a handle has no path
        if not sys.stdin.isatty():
            with contextlib.suppress(OSError):
                terminal = os.open("/dev/tty", os.O_RDWR)
                os.dup2(terminal, descriptor)
                os.close(terminal)
        return piped.read(most_bytes + 1)


def can_ask() -> bool:
    """Return True if a person can answer `confirm`."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def print_line(*parts: str | Styled) -> None:
    """Write one line for people on stdout; without styles if that is not a terminal."""
    _write(sys.stdout, parts, is_line=True)


def print_text(text: str) -> None:
    """Write text for people on stdout, without adding a newline."""
    _write(sys.stdout, (text,))


def print_remark(text: str) -> None:
    """Write one line on stderr, waiting at most `_PATIENCE` for a terminal that hangs."""
    _attempt(lambda: _write(sys.stderr, (text,), is_line=True))


def print_paragraph(text: str) -> None:
    """Write a remark that may be long, wrapped at blanks: a terminal would break within words."""
    try:
        width = os.get_terminal_size(own.fileno()).columns if (own := _own(sys.stderr)) else 0
    except (OSError, ValueError):  # neither a terminal nor a file
        width = 0
    text = visible_line(text)
    indent = " " * (2 * (len(text) - len(text.lstrip())))
    rows = wrap(
        text,
        width or _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for row in rows:
        print_remark(row)


def print_error(message: str) -> None:
    """Write `lfg: message` on stderr, on one line."""
    line = re.sub(r"[ \n\t]+", " ", message).strip()
    if (more := len(line) - _LONGEST_ERROR) > 0:
        line = f"{line[:_LONGEST_ERROR]}… ({more:,} characters more)"
    print_remark(f"lfg: {line}")


def print_json(text: str) -> None:
    """Write JSON text on stdout, with control characters escaped."""
    text = json_safe(text)
    if not _is_unicode(sys.stdout):  # JSON is UTF-8, and ASCII is valid in both encodings
        text = json_safe(text, only_ascii=True)
    _write(sys.stdout, (text,))


def confirm(question: str, otherwise: str = "") -> bool:
    """Ask a yes-or-no question on stderr and return the answer; the default is no.

    After a no or the end of input, `otherwise` is printed. Ctrl-C raises `click.Abort`.
    """
    try:
        is_sure = click.confirm(visible(question), default=False, err=True)
    except click.Abort as abort:
        if not isinstance(abort.__context__, EOFError):  # it was Ctrl-C
            raise
        is_sure = False
        _write(sys.stderr, ("\n",))
        if otherwise and not is_terminal(sys.stdin):
            otherwise += "; without a terminal add --yes"
    if otherwise and not is_sure:
        print_remark(otherwise)
    return is_sure


def choose_letter(question: str, keys: str) -> str:
    """Ask on stderr for one of these letters; enter chooses the first."""
    shown = f"{visible(question)} [{'/'.join((keys[0].upper(), *keys[1:]))}]"
    kind = click.Choice(list(keys), case_sensitive=False)
    answer = click.prompt(
        shown,
        keys[0],
        type=kind,
        err=True,
        prompt_suffix=" ",
        show_default=False,
        show_choices=False,
    )
    return str(answer)


def discard() -> None:
    """Drop what stdout buffers and what follows: its reader is gone, or the disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def has_all_been_read() -> bool:
    """Flush stdout and stderr; return True if no line still waits for its reader.

    Otherwise the interpreter's own flush at exit would hang, too.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _attempt(stream.flush)
    return not _is_waiting()


def _is_waiting() -> bool:
    """Return True while something printed waits for a reader."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def _attempt(write: Callable[[], None]) -> None:
    """Write in a thread, waiting at most `_PATIENCE`: the terminal may be gone or hang."""
    thread = threading.Thread(target=_undisturbed, args=(write,), name=_THREAD, daemon=True)
    is_hung = _is_waiting()  # one wait is enough to know
    thread.start()
    thread.join(0 if is_hung else _PATIENCE)


def _undisturbed(write: Callable[[], None]) -> None:
    with contextlib.suppress(OSError, ValueError):  # a closed terminal, a closed stream
        write()


def _own(stream: TextIO | SafeStream | None) -> TextIO | None:
    """Return the underlying stream; None if lfg was started with it closed."""
    return stream.stream if isinstance(stream, SafeStream) else stream


def _write(stream: TextIO | None, parts: Iterable[str | Styled], *, is_line: bool = False) -> None:
    """Write the parts, made safe; as a line, newlines in them are shown and one is added."""
    if (own := _own(stream)) is None:
        return
    safe, end = (visible_line, "\n") if is_line else (visible, "")
    styled = own.isatty() and _has_styles()
    own.write("".join(_rendered(part, safe, styled=styled) for part in parts) + end)
    own.flush()


def _has_styles() -> bool:
    """Return False if the environment asks for no colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _rendered(part: str | Styled, safe: Callable[[str], str], *, styled: bool) -> str:
    """Return a part as it is written: made `safe`, then in its style."""
    if isinstance(part, str):
        return safe(part)
    text, style = safe(part.text), part.style
    if style is None or not styled:
        return text
    if isinstance(style, int):
        return f"\x1b[{style}m{text}\x1b[0m"
    return style.update_link(None).render(text)  # a link would be a sequence with others' text


def _write_bytes(data: bytes) -> None:
    """Write bytes as they are: documents are UTF-8, whatever the locale's encoding is."""
    if (own := _own(sys.stdout)) is None:
        return
    own.flush()
    own.buffer.write(data)
    own.buffer.flush()


def _is_file(stream: TextIO | None) -> bool:
    """Return True if the stream is a regular file, which nobody reads while it is written."""
    try:
        return stream is not None and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, io.UnsupportedOperation):  # not open, or no file at all
        return False


def _is_unicode(stream: TextIO | None) -> bool:
    return stream is None or codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
