"""The boundary between what others wrote and what a terminal obeys.

Whatever comes from a model, a tool or a file passes here before it is drawn
or printed. An escape sequence in it would move the cursor, retitle the
window, or write to the clipboard; a bidirectional override would make a
command read as another one. All such characters are shown instead: as one
symbol each (`visible`, `visible_line`), or, if a person or a model must be able
to tell which character it was, written out (`escaped`, `exposed`).
"""

import json
import re

_PICTURES = 0x2400  # U+2400 to U+241F show the control characters, in order
_SUBSTITUTE = "␦"
_ESCAPE = "␛"
_NEWLINE = "␤"

# C0 but tab and newline, DEL, C1, line separators, bidirectional overrides and isolates, lone
# surrogates, tags (letters that nothing shows).
# Text, since most of what is shown is printable: nothing of it is looked for then.
_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
_BEYOND_ASCII = "[^\n\t -~]"

# ECMA-48: control sequences, then the strings (title, clipboard, links) with their content.
# Text, so that it is compiled with the first output and not before the first frame.
_SEQUENCE = (
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-Z\\\\^-~]"
)

# Unicode's Zs without the plain space: blanks that are not printable to `str.isprintable` but
# occur in names (macOS puts U+202F into the names of screenshots).
_BLANKS = frozenset("\u00a0\u1680\u202f\u205f\u3000").union(map(chr, range(0x2000, 0x200B)))

# Characters that take no room or look like a space: Unicode's Default_Ignorable_Code_Point
# (DerivedCoreProperties.txt), its other format characters and blanks.
_HIDDEN = (
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_SUSPECT = re.compile("[^ -~]")
_NAMED = {"\n": "⏎", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def visible(text: str) -> str:
    """Return the text with everything a terminal might obey made visible, but newline and tab.

    Lone surrogates, which JSON can carry and UTF-8 cannot, are replaced.
    Length in characters is unchanged.
    """
    return text if text.isprintable() else re.sub(_UNSAFE, _picture, text)


def visible_line(text: str) -> str:
    """Return the text as `visible` does, on one line: newlines are symbols too."""
    return visible(text).replace("\n", "␊")


def json_safe(text: str, *, only_ascii: bool = False) -> str:
    """Return JSON text in which the characters that `visible` replaces are written `\\uXXXX`.

    It has the same values. JSON's own rules allow DEL, C1 and bidirectional overrides unescaped.
    """
    return re.sub(_BEYOND_ASCII if only_ascii else _UNSAFE, _json_escape, text)


def plain_output(output: str) -> str:
    """Return a program's output as a dumb terminal shows it: no colours, no lines overwritten by
    CR.

    A sequence that is not well-formed stays, for `visible` to show.
    """
    output = re.sub(_SEQUENCE, "", output).replace("\r\n", "\n")
    if "\r" not in output:
        return output
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.split("\n"))


def without_controls(text: str) -> str:
    """Return the text without escape sequences and without the characters that `visible` shows."""
    return re.sub(_UNSAFE, "", plain_output(text))


def escaped(text: str, *, blanks: bool = True) -> str:
    """Return the text on one line, every control, format and private character written out.

    Format characters are among them because they reorder what a person reads
    before approving it (https://trojansource.codes). With `blanks=False`, invisible characters
    and blanks other than the space are written out, too.
    """
    if not blanks:
        text = re.sub(_HIDDEN, _written_out, text)
    return text if text.isprintable() else _SUSPECT.sub(_escape, text)


def exposed(text: str) -> str:
    """Return the text with every invisible or misleading character written out.

    For what a person approves: blanks that are no space, zero widths, fillers, variation
    selectors and tags as well as all that `visible` replaces. Newlines stay.
    """
    return visible(re.sub(_HIDDEN, _written_out, text))


def _picture(match: re.Match[str]) -> str:
    """Return the one symbol that `visible` shows for a character."""
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


def _json_escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character.isprintable() or character in _BLANKS:
        return character
    return _NAMED.get(character) or _written_out(match)


def _written_out(match: re.Match[str]) -> str:
    """Return a character as an escape of Python's: `\\x07`, `\\u202e`."""
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
