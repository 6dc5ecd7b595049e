"""The boundary between what a model wrote and what a terminal obeys.

Whatever comes from a model, a tool or a file passes here before it is drawn.
An escape sequence in it would move the cursor, retitle the window, or write
to the clipboard; a bidirectional override would make a command read as
another one. All of them are shown instead, one visible symbol for each.
"""

import re

_PICTURES = 0x2400
_SUBSTITUTE = "␦"
_ESCAPE = "␛"
_NEWLINE = "␤"

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# ECMA-48: control sequences, then the strings (title, clipboard, links) with their content.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-Z\\\\^-~]"
)


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


def visible(text: str) -> str:
    """The text with everything a terminal might obey made visible; newline and tab stay.

    Lone surrogates, which JSON can carry and UTF-8 cannot, are replaced.
    Length in characters is unchanged.
    """
    return _UNSAFE.sub(_picture, text)


def plain(output: str) -> str:
    """A program's output as a dumb terminal leaves it: no colours, lines overwritten by CR gone.

    What is no well-formed sequence stays, for `visible` to show.
    """
    output = _SEQUENCE.sub("", output).replace("\r\n", "\n")
    if "\r" not in output:
        return output
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.split("\n"))
