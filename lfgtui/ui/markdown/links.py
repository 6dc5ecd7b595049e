"""Links that a terminal can follow."""

from functools import lru_cache

from rich.style import Style

SCHEMES = ("http://", "https://", "mailto:")


@lru_cache(maxsize=512)
def linked(style: Style, target: str) -> Style:
    """The style with a hyperlink of the terminal's own (OSC 8), where it is safe to follow.

    Kept, since each new one has a random id, and terminals underline by id.
    """
    is_plain = target.isascii() and target.isprintable() and " " not in target
    if is_plain and target.startswith(SCHEMES):
        return style + Style(link=target)
    return style
