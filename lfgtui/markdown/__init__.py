"""A Markdown document that grows at its end; it knows neither Textual nor Rich."""

from lfgtui.markdown.block import Block, is_parted
from lfgtui.markdown.document import StreamingMarkdown
from lfgtui.markdown.leaves import Item, Place, Quote

__all__ = ["Block", "Item", "Place", "Quote", "StreamingMarkdown", "is_parted"]
