"""A Markdown document that grows at its end; it knows neither Textual nor Rich.

`StreamingMarkdown` takes text and has `Block`s; `ui/markdown` draws these. From there down:
`document` keeps the blocks, `open_tail` reads the open end, `trimming` shortens it, `leaves` and
`parser` read blocks, `inline` reads what is in a paragraph, and `bounds` limits all of this.
"""

from lfgtui.text.markdown.block import Block, is_parted
from lfgtui.text.markdown.document import StreamingMarkdown
from lfgtui.text.markdown.leaves import Container, Item, Quote

__all__ = ["Block", "Container", "Item", "Quote", "StreamingMarkdown", "is_parted"]
