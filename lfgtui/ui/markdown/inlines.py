"""Inline tokens to spans of styled text."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from markdown_it.token import Token
from rich.style import Style

from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.markdown.block_view import RenderContext
from lfgtui.ui.text.palette import EM, STRIKE, STRONG
from lfgtui.ui.text.wrapping import Span

_SCHEMES = ("http://", "https://", "mailto:")
_MARKS = {"em_open": EM, "strong_open": STRONG, "s_open": STRIKE}


def spans_of(tokens: Iterable[Token], style: Style, context: RenderContext) -> Iterator[Span]:
    """Return the spans of tokens that close what they open."""
    palette = context.palette
    styles = [style]
    link: _Link | None = None
    for token in tokens:
        match token.type:
            case "text":
                if token.content:
                    yield token.content, styles[-1]
            case "softbreak":
                yield " ", styles[-1]
            case "hardbreak":
                yield "\n", styles[-1]
            case "code_inline":
                yield token.content, _over(styles[-1], palette.code)
            case "image":
                source = str(token.attrs.get("src", ""))
                label = f"[image: {token.content}]"
                yield label, linked(_over(styles[-1], palette.muted), source)
                if context.has_urls:
                    yield f" ({visible_line(source)})", palette.muted
            case "link_open":
                link = _Link(str(token.attrs.get("href", "")))
                styles.append(linked(_over(styles[-1], palette.link), link.target))
            case "link_close":
                styles.pop()
                if link is not None and link.must_be_told(context.has_urls):
                    yield f" ({visible_line(link.target)})", palette.muted
                link = None
            case kind if token.nesting == 1:
                styles.append(_over(styles[-1], _MARKS.get(kind, palette.muted)))
            case _ if token.nesting == -1:
                styles.pop()
            case _:
                yield token.content, _over(styles[-1], palette.muted)
        if link is not None and token.content:
            link.label += token.content


class _Link:
    """A link while its label is read."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.label = ""

    def must_be_told(self, has_urls: bool) -> bool:
        """Return True if the target is written out: on request, or if the label claims another."""
        if self.label in (self.target, self.target.removeprefix("mailto:")):
            return False
        claims = "://" in self.label or self.label.startswith("www.")
        return has_urls or claims or not self.target.startswith(_SCHEMES)


@lru_cache(maxsize=512)
def _over(style: Style, mark: Style) -> Style:
    return style + mark


@lru_cache(maxsize=512)
def linked(style: Style, target: str) -> Style:
    """Return the style with a terminal hyperlink (OSC 8), if the target is safe to follow.

    Kept, since each new one has a random id, and terminals underline by id.
    """
    is_plain = target.isascii() and target.isprintable() and " " not in target
    if is_plain and target.startswith(_SCHEMES):
        return style + Style(link=target)
    return style
