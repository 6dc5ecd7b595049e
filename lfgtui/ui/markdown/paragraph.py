"""Paragraphs and headings, and the inline tokens of any block as styled text."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from markdown_it.token import Token
from rich.style import Style

from lfgtui.text.markdown import Block
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.markdown.block_view import BlockView, RenderContext
from lfgtui.ui.text.palette import EM, STRIKE, STRONG, UNDERLINE
from lfgtui.ui.text.wrapping import Flow, Row, Span

_SCHEMES = ("http://", "https://", "mailto:")
"""Beginnings of targets that become hyperlinks."""

_MARKS = {"em_open": EM, "strong_open": STRONG, "s_open": STRIKE}


class ParagraphView(BlockView):
    """Text that wraps. Only text after the stable prefix is laid out again as it grows."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        self._flow = Flow(context.width, self.first, self.rest)
        self._generation, self._stable = block.generation, 0  # `_stable`: tokens that are settled
        self._last: Token | None = None  # the last token shown, and the length of its text
        self._length = 0

    @property
    def rows(self) -> Sequence[Row]:
        return self._flow.rows

    def update(self, tokens: Sequence[Token]) -> int:
        block, children = self.block, tokens[1].children or []
        if children and children[-1] is self._last and self._says_more(self._last):
            return len(self.rows) - 1
        is_new = block.generation != self._generation or block.stable_prefix < self._stable
        if is_new:
            self._begin(block)
        style = self._style(tokens[0].tag)
        if block.stable_prefix > self._stable:
            fresh = children[self._stable : block.stable_prefix]
            self._flow.settle(spans_of(fresh, style, self.context))
            self._stable = block.stable_prefix
        first = self._flow.show(spans_of(children[block.stable_prefix :], style, self.context))
        self._last = children[-1] if block.stable_prefix < len(children) else None
        self._length = len(self._last.content) if self._last else 0
        return 0 if is_new else first

    def _says_more(self, last: Token) -> bool:
        """Append to the last text if nothing else changed; else return False."""
        if last.type != "text" or not self._length:
            return False
        more, self._length = last.content[self._length :], len(last.content)
        return self._flow.extend(more)

    def _begin(self, block: Block) -> None:
        self._flow = Flow(self.context.width, self.first, self.rest)
        self._generation, self._stable = block.generation, 0

    def _style(self, tag: str) -> Style:
        palette = self.context.palette
        match tag:
            case "p":
                return palette.text
            case "h1":
                return palette.heading + UNDERLINE
            case "h2":
                return palette.heading
            case _:
                return palette.text + STRONG


def spans_of(tokens: Iterable[Token], style: Style, context: RenderContext) -> Iterator[Span]:
    """Yield the spans of inline tokens, each opening one with its closing one."""
    palette = context.palette
    styles = [style]
    link, label = None, ""
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
                link, label = str(token.attrs.get("href", "")), ""
                styles.append(linked(_over(styles[-1], palette.link), link))
            case "link_close":
                styles.pop()
                if link is not None and _is_shown(link, label, context.has_urls):
                    yield f" ({visible_line(link)})", palette.muted
                link = None
            case kind if token.nesting == 1:
                styles.append(_over(styles[-1], _MARKS.get(kind, palette.muted)))
            case _ if token.nesting == -1:
                styles.pop()
            case _:
                yield token.content, _over(styles[-1], palette.muted)
        label += token.content


def _is_shown(target: str, label: str, has_urls: bool) -> bool:
    """Return True if a link's target is written out after its label.

    It is on request (`has_urls`), if the label looks like another address, or if the target is no
    web or mail address.
    """
    if label in (target, target.removeprefix("mailto:")):
        return False
    claims = "://" in label or label.startswith("www.")
    return has_urls or claims or not target.startswith(_SCHEMES)


@lru_cache(maxsize=512)
def _over(style: Style, mark: Style) -> Style:
    return style + mark


@lru_cache(maxsize=512)
def linked(style: Style, target: str) -> Style:
    """Return the style with a terminal hyperlink (OSC 8), if the target is safe to follow.

    Cached, since each new style has a random id, and terminals underline links by their id.
    """
    is_plain = target.isascii() and target.isprintable() and " " not in target
    if is_plain and target.startswith(_SCHEMES):
        return style + Style(link=target)
    return style
