"""The boundary between what others wrote and what a terminal obeys.

Whatever comes from a model, a tool or a file passes here before it is drawn
or printed. An escape sequence in it would move the cursor, retitle the
window, or write to the clipboard; a bidirectional override would make a
command read as another one. All of them are shown instead: as one symbol each
(`visible`, `visible_line`), or, where a person or a model must be able to
tell which character it was, written out (`escaped`).
"""

import re

_PICTURES = 0x2400
_SUBSTITUTE = "␦"
_ESCAPE = "␛"
_NEWLINE = "␤"

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# ECMA-48: control sequences, then the strings (title, clipboard, links) with their content.
# Text, so that it is compiled with the first output and not before the first frame.
_SEQUENCE = (
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-Z\\\\^-~]"
)

# Unicode's Zs without the plain space: blanks that `str.isprintable` denies and that are none
# the less part of names (macOS puts U+202F into those of screenshots).
_BLANKS = frozenset("\u00a0\u1680\u202f\u205f\u3000").union(map(chr, range(0x2000, 0x200B)))

_NAMED = {"\n": "⏎", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def visible(text: str) -> str:
    """The text with everything a terminal might obey made visible; newline and tab stay.

    Lone surrogates, which JSON can carry and UTF-8 cannot, are replaced.
    Length in characters is unchanged.
    """
    return _UNSAFE.sub(_picture, text)


def visible_line(text: str) -> str:
    """As `visible`, and newlines are symbols too: it takes one line, whatever is in it."""
    return visible(text).replace("\n", "␊")


def plain_output(output: str) -> str:
    """A program's output as a dumb terminal leaves it: no colours, lines overwritten by CR gone.

    What is no well-formed sequence stays, for `visible` to show.
    """
    output = re.sub(_SEQUENCE, "", output).replace("\r\n", "\n")
    if "\r" not in output:
        return output
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.split("\n"))


def escaped(text: str) -> str:
    """The text on one line, every control, format and private character written out.

    Format characters are among them because they reorder what a person reads
    before approving it (https://trojansource.codes).
    """
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if code < 0xA0:
        return _ESCAPE  # C1: ESC and a letter in one
    if code in (0x2028, 0x2029):
        return _NEWLINE
    return "�" if 0xD800 <= code <= 0xDFFF else _SUBSTITUTE


def _escape(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable() or character in _BLANKS:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
