"""Messages from the bytes that a terminal sends, whatever they are.

Textual's parser raises for some escape sequences, and passes the characters of
unknown ones on as keys, one of which may approve a call. So bytes are cut into
complete sequences first (ECMA-48, section 5.4). The parser sees only those in the
form of a key, a mouse event or a change of focus, one at a time and of a bounded
length; so one cannot spoil the next.
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
"""Most bytes of a paste that are taken, since it goes into one line of input."""

PASTE_SILENCE = 5.0
"""Seconds without a byte after which an unterminated paste is over."""

STRING_SILENCE = 1.0
"""Seconds without a byte after which an unterminated string (a title, a reply) is over."""

# What a terminal sends around a paste, in its bracketed mode.
_PASTE, _PASTE_END = b"\x1b[200~", b"\x1b[201~"

_TOKEN = rb"""(?xs)
      (?P<text>     [^\x1b]+ )
    | (?P<paste>    \x1b\[200~ .*? \x1b\[201~ )
    | (?P<mouse>    \x1b\[M ... )                  # an old report: three bytes of anything
    | (?P<string>   \x1b[P\]X^_] (?=.) [^\x07\x18\x1a\x1b\x9c]*
                    (?: [\x07\x18\x1a\x9c] | \x1b\\ | (?=\x1b[^\\]) ) )
    | (?P<sequence> \x1b\[ (?!M|\[|200~) [\ -?]* [@-~]
                  | \x1b\[\[ [\ -~]                # function keys of the Linux console
                  | \x1bO [\ -~]
                  | \x1b [^\x1b\[OP\]X^_] )
    | (?P<escape>   \x1b (?=\x1b) )
    | (?P<broken>   \x1b (?: \[\[ | \[[\ -?]* | O ) (?=[^\ -~]) )
    """
"""A complete token, compiled with the first one, which comes after the first frame.

The byte that breaks a `broken` one is read again by itself.
"""

# The beginning of a control string: OSC, DCS, SOS, PM or APC, and one more byte.
_STRING = re.compile(rb"\x1b[P\]X^_].", re.DOTALL)
# Control characters that are removed from a paste: all but tabs and newlines.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_MEANT = (
    events.Key,
    events.MouseEvent,
    events.AppFocus,
    events.AppBlur,
    messages.TerminalSupportsSynchronizedOutput,
)
"""The messages to keep; others answer queries that lfg never sent: a size, a position."""


class TerminalInput:
    """A reader of bytes: `feed` it those that arrive, call `tick` while none arrive."""

    def __init__(self) -> None:
        self.begun = b""
        """The bytes of an unfinished token, as many as it takes to recognize it and its end."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._parser = _KnownKeys()
        self._heard_at = 0.0  # when the last bytes came

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """Yield the messages in the data, at `now` in seconds of a monotonic clock."""
        self._heard_at = now
        data, at = self.begun + data, 0
        token_at = re.compile(_TOKEN).match
        while token := token_at(data, at):
            at = token.end()
            yield from self._messages(token.lastgroup, token.group())
        self.begun = _bounded(data[at:])

    def tick(self, now: float) -> Iterator[Message]:
        """Yield messages that a silence completes: the escape key, an unterminated paste.

        Call it now and then while something has `begun` and no bytes arrive.
        """
        begun, silence = self.begun, now - self._heard_at
        kind, patience = "sequence", constants.ESCAPE_DELAY
        if begun.startswith(_PASTE):
            kind, patience = "paste", PASTE_SILENCE
        elif _STRING.match(begun):
            kind, patience = "string", STRING_SILENCE
        elif begun.startswith(b"\x1b[M"):
            kind = "mouse"
        if begun and silence >= patience:
            self.begun = b""
            yield from self._messages(kind, begun)

    def _messages(self, kind: str | None, token: bytes) -> Iterator[Message]:
        """Yield the messages of a token; `kind` is the name of its group in `_TOKEN`."""
        if kind == "text":
            yield from self._text(self._decoder.decode(token))
            return
        if self._decoder.getstate()[0]:
            yield from self._text(self._decoder.decode(b"", final=True))
        if kind == "paste":
            pasted = token.removeprefix(_PASTE).removesuffix(_PASTE_END)[:LONGEST_PASTE]
            text = re.sub("\r\n?", "\n", pasted.decode("utf-8", "replace"))
            yield events.Paste(_CONTROLS.sub("", text))
        elif token == b"\x1b\r":  # Textual's parser takes it for enter alone
            yield events.Key("alt+enter", None)
        elif kind in ("sequence", "escape") and len(token) <= LONGEST:
            yield from self._parsed(token.decode("latin-1"))

    def _text(self, text: str) -> Iterator[Message]:
        for character in text:
            yield from self._parsed(character)

    def _parsed(self, sequence: str) -> list[Message]:
        """Return the messages of a complete sequence or character, if any."""
        try:
            parsed = [*self._parser.feed(sequence), *self._parser.settle()]
        except Exception:  # a parser of any bytes may raise anything
            self._parser = _KnownKeys()
            return []
        return [one for one in parsed if isinstance(one, _MEANT) and _is_sayable(one)]


def _bounded(begun: bytes) -> bytes:
    """Return enough of an unfinished token to recognize it and its end."""
    if begun.startswith(_PASTE):
        most = len(_PASTE) + LONGEST_PASTE
        return begun[:most] + begun[most:][1 - len(_PASTE_END) :]
    if _STRING.match(begun):
        return begun[:3] + (b"\x1b" if begun[3:].endswith(b"\x1b") else b"")
    return begun[: LONGEST + 1]


class _KnownKeys(XTermParser):
    """Textual's parser, without keys from the characters of unknown sequences."""

    def settle(self) -> Iterator[Message]:
        """Yield the messages of the sequence so far, taken as complete."""
        if self._awaiting.timeout is not None:
            self._timeout_time = 0.0
            yield from self.tick()

    def _sequence_to_key_events(
        self, sequence: str, alt: bool | None = None
    ) -> Iterator[events.Key]:
        # Textual passes `alt` for each character of a sequence that it does not know: True for one
        # right after an escape, which is alt and that key; False for others, which are no keys.
        if alt is not False:
            yield from super()._sequence_to_key_events(sequence, alt=bool(alt))


def _is_sayable(message: Message) -> bool:
    """Return True unless the key's character is half of a surrogate pair."""
    if not isinstance(message, events.Key):
        return True
    return not any("\ud800" <= character <= "\udfff" for character in message.character or "")
