"""Text that came from a model, on its way to a terminal."""

import re

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\n\t]")


def plain(text: str, keep: str = "") -> str:
    """The text with control characters made visible: it must not drive the terminal."""

    def visible(match: re.Match[str]) -> str:
        character = match[0]
        if character in keep or character == "\t":
            return character
        code = ord(character)
        if code < 0x20:
            return chr(0x2400 + code)
        return "\u2421" if code == 0x7F else "\ufffd"

    return _UNSAFE.sub(visible, text)
