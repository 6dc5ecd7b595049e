"""Text made safe to show on one line: nothing in it moves the cursor, hides or reorders."""

import unicodedata

_NAMED = {"\n": "⏎", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with every control, format and private character written out.

    Format characters are among them because they reorder what a person reads
    before approving it (https://trojansource.codes).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
