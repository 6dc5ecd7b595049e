"""Messages from the bytes that a terminal sends, whatever they are.

Textual's parser raises for some escape sequences, and hands on the characters
of those it does not know as keys, of which one may approve a call. So bytes
are cut into whole sequences first (ECMA-48, section 5.4). The parser sees
those that have the form of a key, a mouse event or a change of focus, one at
a time and of a bounded length; what it makes of one cannot spoil the next.
"""

import codecs
import re
from collections.abc import Iterator

from textual import constants, events, messages
from textual._xterm_parser import XTermParser
from textual.message import Message

LONGEST = 32
"""Most bytes of a control sequence; the longest meaningful one has about 20."""

LONGEST_PASTE = 1 << 16
"""Most bytes taken of a paste, which goes into one line of input."""

PASTE_SILENCE = 5.0
"""Seconds without a byte after which an unterminated paste is over."""

STRING_SILENCE = 1.0
"""Seconds without a byte after which an unterminated string (a title, a reply) is over."""

_ESC = b"\x1b"
_PASTE, _PASTE_END = b"\x1b[200~", b"\x1b[201~"

_WHOLE = re.compile(
    rb"\x1b\[M[\x00-\xff]{3}"  # an old mouse report: three bytes of anything
    rb"|\x1b\[\[[ -~]"  # function keys of the Linux console
    rb"|\x1b\[[0-?]*[ -/]*[@-LN-Z\\-~]"
    rb"|\x1b\[(?:[0-?]+[ -/]*|[ -/]+)[M\[]"
    rb"|\x1bO[ -~]"
    rb"|\x1b[^\x1b\[OP\]X^_]"
)
_BEGUN = re.compile(rb"\x1b(\[(M[\x00-\xff]{0,2}|\[|[0-?]*[ -/]*)|O)?\Z")
_STRING = re.compile(rb"\x1b[P\]X^_]")
_STRING_END = re.compile(rb"\x07|\x1b\\?|\x9c|\x18|\x1a")
_OLD_MOUSE = b"\x1b[M"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TerminalInput:
    """A reader of bytes: `feed` it those that arrive, call `tick` while none do."""

    def __init__(self) -> None:
        self._buffer = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._parser = _Parser()
        self._paste: bytearray | None = None
        self._in_string = False
        self._is_overlong = False
        self._heard_at = 0.0

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """Yield the messages in the data, at `now` in seconds of a monotonic clock."""
        self._heard_at = now
        self._buffer += data
        before: object = None
        while self._buffer and before != (before := self._state):
            if self._paste is not None:
                yield from self._pasted(self._paste)
            elif self._in_string:
                self._skip_string()
            elif self._is_overlong:
                self._skip_overlong()
            else:
                yield from self._next()

    @property
    def _state(self) -> object:
        return len(self._buffer), self._paste is None, self._in_string, self._is_overlong

    def tick(self, now: float) -> Iterator[Message]:
        """Yield what a silence completes: the escape key, an unterminated paste."""
        silence = now - self._heard_at
        if self._paste is not None:
            if silence >= PASTE_SILENCE:
                self._paste += self._buffer
                self._buffer = b""
                yield from self._end_paste(self._paste)
        elif self._in_string:
            if silence >= STRING_SILENCE:
                self._in_string, self._buffer = False, b""
        elif silence >= constants.ESCAPE_DELAY:
            self._is_overlong = False
            begun, self._buffer = self._buffer, b""
            if begun.startswith(_OLD_MOUSE):
                return
            yield from self._parser.messages(begun.decode("latin-1"))

    # One token

    def _next(self) -> Iterator[Message]:
        """Take the text up to the next escape, one sequence, or bytes that cannot be one."""
        buffer = self._buffer
        if (at := buffer.find(_ESC)) != 0:
            text, self._buffer = (buffer, b"") if at < 0 else (buffer[:at], buffer[at:])
            yield from self._text(self._decoder.decode(text))
            return
        if self._decoder.getstate()[0]:
            yield from self._text(self._decoder.decode(b"", final=True))
        if buffer.startswith(_PASTE):
            self._buffer = buffer[len(_PASTE) :]
            self._paste = bytearray()
        elif whole := _WHOLE.match(buffer):
            self._buffer = buffer[whole.end() :]
            yield from self._sequence(whole.group())
        elif _STRING.match(buffer):
            if len(buffer) > 2:  # else it may be alt and a key, which a silence decides
                self._in_string, self._buffer = True, buffer[2:]
        elif _BEGUN.match(buffer):
            if len(buffer) > LONGEST:
                self._is_overlong, self._buffer = True, b""
        elif buffer[1:2] == _ESC:
            self._buffer = buffer[1:]
            yield from self._parser.messages("\x1b")
        else:  # cut short by a byte that cannot belong to it, which is read on its own
            broken = re.match(rb"\x1b(\[[0-?]*[ -/]*|O)", buffer)
            self._buffer = buffer[broken.end() if broken else 1 :]

    def _text(self, text: str) -> Iterator[Message]:
        for character in text:
            yield from self._parser.messages(character)

    def _sequence(self, sequence: bytes) -> Iterator[Message]:
        if len(sequence) <= LONGEST and not sequence.startswith(_OLD_MOUSE):
            yield from self._parser.messages(sequence.decode("latin-1"))

    # Longer than a token

    def _pasted(self, paste: bytearray) -> Iterator[Message]:
        end = self._buffer.find(_PASTE_END)
        kept = len(self._buffer) - len(_PASTE_END) + 1 if end < 0 else end
        if kept > 0:
            paste += self._buffer[: min(kept, max(0, LONGEST_PASTE - len(paste)))]
            self._buffer = self._buffer[kept:]
        if end >= 0:
            self._buffer = self._buffer[len(_PASTE_END) :]
            yield from self._end_paste(paste)

    def _end_paste(self, paste: bytearray) -> Iterator[Message]:
        self._paste = None
        text = re.sub("\r\n?", "\n", paste[:LONGEST_PASTE].decode("utf-8", "replace"))
        yield events.Paste(_CONTROLS.sub("", text))

    def _skip_string(self) -> None:
        end = _STRING_END.search(self._buffer)
        if end is None:
            self._buffer = b""
        elif end.group() != _ESC:
            self._in_string, self._buffer = False, self._buffer[end.end() :]
        elif end.end() < len(self._buffer):  # another sequence begins
            self._in_string, self._buffer = False, self._buffer[end.start() :]
        else:
            self._buffer = _ESC

    def _skip_overlong(self) -> None:
        end = re.search(rb"[^ -?]", self._buffer)
        if end is None:
            self._buffer = b""
            return
        self._is_overlong = False
        is_final = b"@" <= end.group() <= b"~"
        self._buffer = self._buffer[end.end() if is_final else end.start() :]


class _Parser:
    """Textual's parser, for one whole sequence or character at a time."""

    _MEANT = (
        events.Key,
        events.MouseEvent,
        events.AppFocus,
        events.AppBlur,
        messages.TerminalSupportsSynchronizedOutput,
    )
    """The messages to keep; others answer questions not asked: a size, a cursor position."""

    def __init__(self) -> None:
        self._parser = _KnownKeys()

    def messages(self, sequence: str) -> list[Message]:
        """Yield the messages that the sequence means, if it means anything."""
        if not sequence:
            return []
        try:
            found = [*self._parser.feed(sequence), *self._parser.settle()]
        except Exception:  # a parser of any bytes may raise anything
            self._parser = _KnownKeys()
            return []
        return [one for one in found if isinstance(one, self._MEANT) and _is_sayable(one)]


class _KnownKeys(XTermParser):
    """Textual's parser, without the keys it makes of the characters of unknown sequences."""

    def settle(self) -> Iterator[Message]:
        """Take the sequence as complete."""
        if self._awaiting.timeout is not None:
            self._timeout_time = 0.0
            yield from self.tick()

    def _sequence_to_key_events(
        self, sequence: str, alt: bool | None = None
    ) -> Iterator[events.Key]:
        # `alt` is said of a character of a sequence that was given up. With one
        # character after the escape it was alt and that key.
        if alt is not False:
            yield from super()._sequence_to_key_events(sequence, alt=bool(alt))


def _is_sayable(message: Message) -> bool:
    """Return True unless the key's character is half of a surrogate pair."""
    if not isinstance(message, events.Key):
        return True
    return not any("\ud800" <= character <= "\udfff" for character in message.character or "")
