"""A streamed document, put together again as the tokens of one parse, and rendered."""

from copy import copy
from itertools import takewhile
from typing import TypeAlias

from markdown_it.token import Token

from lfgtui.text.markdown import Item, StreamingMarkdown
from lfgtui.text.markdown.bounds import without_joints
from lfgtui.text.markdown.leaves import ListBlock, Quote
from lfgtui.text.markdown.parser import make_parser

PARSER = make_parser()

_Opened: TypeAlias = Quote | ListBlock | Item


def html_of(document: StreamingMarkdown) -> str:
    """The document as HTML, by markdown-it's own renderer."""
    blocks = [(block, document.tokens(block)) for block in document.blocks]
    tasks = {
        container.list_block
        for block, _ in blocks
        for container in block.containers
        if isinstance(container, Item) and container.is_checked is not None
    }
    tokens: list[Token] = []
    around: list[_Opened] = []
    for block, own in blocks:
        opened: list[_Opened] = []
        for container in block.containers:
            opened += (
                (container.list_block, container) if isinstance(container, Item) else (container,)
            )
        pairs = zip(around, opened, strict=False)
        shared = len([*takewhile(lambda pair: pair[0] is pair[1], pairs)])
        tokens += (_closing(one.token) for one in reversed(around[shared:]))
        tokens += (_opening(one, is_task_list=one in tasks) for one in opened[shared:])
        around = opened
        if block.kind == "paragraph":  # in a tight list it has no tags
            item = block.containers[-1] if block.containers else None
            is_tight = isinstance(item, Item) and not item.list_block.is_loose
            own[0].hidden = own[-1].hidden = is_tight
        tokens += own
    tokens += (_closing(one.token) for one in reversed(around))
    return without_joints(str(PARSER.renderer.render(tokens, PARSER.options, {})))


def _opening(container: _Opened, *, is_task_list: bool) -> Token:
    token = copy(container.token)
    if isinstance(container, ListBlock):
        token.attrs = {name: value for name, value in token.attrs.items() if name == "start"}
        if is_task_list:
            token.attrs["class"] = "contains-task-list"
    return token


def _closing(opening: Token) -> Token:
    kind = opening.type.removesuffix("_open") + "_close"
    return Token(kind, opening.tag, -1, markup=opening.markup, block=True)
