"""What has no content: a rule, an item or a quote with nothing in it."""

from collections.abc import Sequence

from markdown_it.token import Token

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import Drawing, Look
from lfgtui.ui.text.wrapping import Row


class RuleDrawing(Drawing):
    """One row, always."""

    def __init__(self, block: Block, look: Look) -> None:
        super().__init__(block, look)
        line = (("─" * self.width, look.palette.faint),) if block.kind == "hr" else ()
        self._rows = (Row((*self.first, *line)),)
        self._is_drawn = False

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def update(self, tokens: Sequence[Token]) -> int:
        is_drawn, self._is_drawn = self._is_drawn, True
        return 1 if is_drawn else 0
