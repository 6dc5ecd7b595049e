"""A Markdown document that grows at its end; it knows neither Textual nor Rich."""

from lfgtui.text.markdown.block import Block, is_parted
from lfgtui.text.markdown.document import StreamingMarkdown
from lfgtui.text.markdown.leaves import Container, Item, Quote

__all__ = ["Block", "Container", "Item", "Quote", "StreamingMarkdown", "is_parted"]
