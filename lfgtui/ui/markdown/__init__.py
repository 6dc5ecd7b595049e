"""How each block of an answer is drawn: a drawing a block, rows out."""

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import Drawing, Look, gap
from lfgtui.ui.markdown.code import CodeDrawing
from lfgtui.ui.markdown.paragraph import ProseDrawing
from lfgtui.ui.markdown.rule import RuleDrawing
from lfgtui.ui.markdown.table import BlockTable

__all__ = ["Drawing", "Look", "drawing_of", "gap"]


def drawing_of(block: Block, look: Look) -> Drawing:
    """A drawing of the block, nothing drawn yet."""
    match block.kind:
        case "paragraph" | "heading":
            return ProseDrawing(block, look)
        case "fence" | "code_block" | "html_block":
            return CodeDrawing(block, look)
        case "table":
            return BlockTable(block, look)
        case "hr" | "empty":
            return RuleDrawing(block, look)
