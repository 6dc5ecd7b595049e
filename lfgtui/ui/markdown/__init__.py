"""Views of Markdown blocks: each makes the rows of one block of `text/markdown`."""

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import BlockView, EmptyBlockView, RenderContext, gap
from lfgtui.ui.markdown.code import CodeView
from lfgtui.ui.markdown.paragraph import ParagraphView
from lfgtui.ui.markdown.table import TableView

__all__ = ["BlockView", "RenderContext", "block_view_of", "gap"]


def block_view_of(block: Block, context: RenderContext) -> BlockView:
    """Return a view of the block, nothing drawn yet."""
    match block.kind:
        case "paragraph" | "heading":
            return ParagraphView(block, context)
        case "fence" | "code_block" | "html_block":
            return CodeView(block, context)
        case "table":
            return TableView(block, context)
        case "hr" | "empty":
            return EmptyBlockView(block, context)
