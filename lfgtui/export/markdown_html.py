"""Markdown as HTML that can do nothing.

Raw HTML is shown as the text it is, a link is one only if it leads to a web
page or an address, and a picture is a link to it: a document that is opened
tells nobody that it was.
"""

from html import escape

from markdown_it.token import Token

from lfgtui.export.code import code_html
from lfgtui.text.markdown.bounds import readable_end
from lfgtui.text.markdown.parser import Definitions, make_parser, read_blocks, read_inlines
from lfgtui.text.terminal_safe import visible

SCHEMES = ("http://", "https://", "mailto:")
"""What a link may begin with."""


class Prose:
    """Renders one Markdown document after another."""

    def __init__(self) -> None:
        self._parser = make_parser()
        self._parser.options["html"] = False
        self._parser.options["highlight"] = lambda code, language, _: code_html(code, language)

    def html(self, source: str) -> str:
        """The document as HTML, for within a block."""
        tokens = self._parse(visible(source))
        for token in tokens:
            _tame(token)
            if token.children is not None:
                token.children = _tamed(token.children)
        return str(self._parser.renderer.render(tokens, self._parser.options, {}))

    def _parse(self, source: str) -> list[Token]:
        """Return the document's tokens, with the bounds that the screen has too.

        Where they do not matter markdown-it's own chain reads it, with its task lists.
        """
        definitions: Definitions = {}
        blocks = read_blocks(self._parser, source, definitions)
        inlines = [token for token in blocks if token.type == "inline"]
        if all(readable_end(token.content) is None for token in inlines):
            return self._parser.parse(source)
        for token in inlines:
            token.children = read_inlines(self._parser, token.content, definitions)
        return blocks


def is_safe(url: str) -> bool:
    """Whether it may be a link."""
    return url.lower().startswith(SCHEMES)


def link_html(url: str, text: str) -> str:
    """A link, or the text alone where it leads nowhere that is safe."""
    if not is_safe(url):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(text)}</a>'


def _tame(token: Token) -> None:
    """Of a block's attributes, those that are words of ours."""
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    start = token.attrs.get("start")
    token.attrs = {}
    if align in ("left", "center", "right"):
        token.attrs["class"] = align
    if isinstance(start, int):
        token.attrs["start"] = start


def _tamed(tokens: list[Token]) -> list[Token]:
    """Inlines without pictures, and without links to anything but pages."""
    tame: list[Token] = []
    is_link, is_shown = False, False
    for token in tokens:
        match token.type:
            case "link_open":
                is_link, is_shown = True, is_safe(str(token.attrs.get("href", "")))
                if is_shown:
                    tame.append(_link(str(token.attrs["href"])))
            case "link_close":
                if is_shown:
                    tame.append(token)
                is_link = is_shown = False
            case "image":
                tame += _picture(token, is_in_link=is_link)
            case _:
                token.attrs = {}
                tame.append(token)
    return tame


def _picture(token: Token, *, is_in_link: bool) -> list[Token]:
    source = str(token.attrs.get("src", ""))
    name = _text(f"[picture: {token.content or source}]")
    if is_in_link or not is_safe(source):
        return [name]
    return [_link(source), name, Token("link_close", "a", -1)]


def _link(target: str) -> Token:
    attributes: dict[str, str | int | float] = {"href": target}
    attributes["rel"] = "noopener noreferrer nofollow"
    return Token("link_open", "a", 1, attrs=attributes)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
