"""Blocks back to the token stream of one parse, for markdown-it's own renderer."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lfgtui.text.markdown.block import Block
from lfgtui.text.markdown.leaves import Item, Listing, Place, Quote

_Container: TypeAlias = Quote | Listing | Item


def render_html(parser: MarkdownIt, blocks: Sequence[tuple[Block, list[Token]]]) -> str:
    """The blocks, each with its tokens, as HTML."""
    tasks = {
        place.listing
        for block, _ in blocks
        for place in block.places
        if isinstance(place, Item) and place.is_checked is not None
    }
    tokens: list[Token] = []
    around: list[_Container] = []
    for block, own in blocks:
        containers = list(_containers(block.places))
        shared = _shared(around, containers)
        tokens += (_closing(container) for container in reversed(around[shared:]))
        tokens += (_opening(container, tasks) for container in containers[shared:])
        around = containers
        tokens += _in_place(block, own)
    tokens += (_closing(container) for container in reversed(around))
    return str(parser.renderer.render(tokens, parser.options, {}))


def _containers(places: Iterable[Place]) -> Iterable[_Container]:
    for place in places:
        if isinstance(place, Item):
            yield place.listing
        yield place


def _shared(before: Sequence[_Container], containers: Sequence[_Container]) -> int:
    count = 0
    for one, other in zip(before, containers, strict=False):
        if one is not other:
            break
        count += 1
    return count


def _opening(container: _Container, tasks: set[Listing]) -> Token:
    token = copy(container.token)
    if isinstance(container, Listing):
        token.attrs = {name: value for name, value in token.attrs.items() if name == "start"}
        if container in tasks:
            token.attrs["class"] = "contains-task-list"
    return token


def _closing(container: _Container) -> Token:
    opening = container.token
    kind = opening.type.removesuffix("_open") + "_close"
    return Token(kind, opening.tag, -1, markup=opening.markup, block=True)


def _in_place(block: Block, tokens: list[Token]) -> list[Token]:
    """The block's tokens; a paragraph in a tight list has no tags."""
    if block.kind == "paragraph":
        place = block.places[-1] if block.places else None
        is_tight = isinstance(place, Item) and not place.listing.is_loose
        tokens[0].hidden = tokens[-1].hidden = is_tight
    return tokens
