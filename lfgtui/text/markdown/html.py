"""Blocks back to the token stream of one parse, for markdown-it's own renderer."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lfgtui.text.markdown.block import Block
from lfgtui.text.markdown.leaves import Container, Item, ListBlock, Quote

_Opened: TypeAlias = Quote | ListBlock | Item


def render_html(parser: MarkdownIt, blocks: Sequence[tuple[Block, list[Token]]]) -> str:
    """Return the blocks, each given with its tokens, as HTML."""
    tasks = {
        container.list_block
        for block, _ in blocks
        for container in block.containers
        if isinstance(container, Item) and container.is_checked is not None
    }
    tokens: list[Token] = []
    around: list[_Opened] = []
    for block, own in blocks:
        containers = list(_containers(block.containers))
        shared = _shared(around, containers)
        tokens += (_closing(container) for container in reversed(around[shared:]))
        tokens += (_opening(container, tasks) for container in containers[shared:])
        around = containers
        tokens += _in_place(block, own)
    tokens += (_closing(container) for container in reversed(around))
    return str(parser.renderer.render(tokens, parser.options, {}))


def _containers(containers: Iterable[Container]) -> Iterable[_Opened]:
    for container in containers:
        if isinstance(container, Item):
            yield container.list_block
        yield container


def _shared(before: Sequence[_Opened], containers: Sequence[_Opened]) -> int:
    count = 0
    for one, other in zip(before, containers, strict=False):
        if one is not other:
            break
        count += 1
    return count


def _opening(container: _Opened, tasks: set[ListBlock]) -> Token:
    token = copy(container.token)
    if isinstance(container, ListBlock):
        token.attrs = {name: value for name, value in token.attrs.items() if name == "start"}
        if container in tasks:
            token.attrs["class"] = "contains-task-list"
    return token


def _closing(container: _Opened) -> Token:
    opening = container.token
    kind = opening.type.removesuffix("_open") + "_close"
    return Token(kind, opening.tag, -1, markup=opening.markup, block=True)


def _in_place(block: Block, tokens: list[Token]) -> list[Token]:
    """Return the block's tokens; a paragraph in a tight list has no tags."""
    if block.kind == "paragraph":
        container = block.containers[-1] if block.containers else None
        is_tight = isinstance(container, Item) and not container.list_block.is_loose
        tokens[0].hidden = tokens[-1].hidden = is_tight
    return tokens
