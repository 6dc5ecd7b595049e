"""A Markdown document that grows at its end; it knows neither Textual nor Rich."""

from lfgtui.markdown.document import Block, StreamingMarkdown

__all__ = ["Block", "StreamingMarkdown"]
