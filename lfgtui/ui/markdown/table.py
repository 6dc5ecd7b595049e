"""Tables, row by row as they arrive."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import BlockView, RenderContext
from lfgtui.ui.markdown.inlines import spans_of
from lfgtui.ui.markdown.table_layout import Alignment, Cell, TableLayout
from lfgtui.ui.text.wrapping import Row


class TableView(BlockView):
    """Reads the lines of a table off its tokens; `TableLayout` lays them out."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        self._rows: list[Row] = []
        self._table = TableLayout(self.width, context.palette)
        self._alignments: list[Alignment | None] = []
        self._generation = block.generation
        self._read = 0

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def update(self, tokens: Sequence[Token]) -> int:
        block = self.block
        alignments = _alignments(tokens)
        is_new = block.generation != self._generation or alignments != self._alignments
        if is_new:
            self._generation, self._read, self._alignments = block.generation, 0, alignments
            self._table = TableLayout(self.width, self.context.palette, alignments)
        lines = list(self._lines(tokens))
        for _, line in lines[:-1]:  # only the last one can still grow
            self._table.settle(line)
        last = None
        if lines:  # none where the line that was shown last has turned out to be no row
            self._read, last = lines[-1]
        first = self._table.show(last)
        first = 0 if is_new else min(first, len(self._rows))
        rows = self._table.rows[first:]
        self._rows[first:] = [
            row.indented(self.rest if number else self.first) if self.rest else row
            for number, row in enumerate(rows, first)
        ]
        return first

    def _lines(self, tokens: Sequence[Token]) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the lines that are not stable yet, each with the index of its first token."""
        palette = self.context.palette
        begin, style, cells = 0, palette.text, list[Cell]()
        for index in range(self._read, len(tokens)):
            token = tokens[index]
            match token.type:
                case "tr_open":
                    begin, cells = index, []
                case "th_open":
                    style = palette.heading
                case "td_open":
                    style = palette.text
                case "inline":
                    cells.append(list(spans_of(token.children or (), style, self.context)))
                case "tr_close":
                    yield begin, cells
                case _:
                    pass


def _alignments(tokens: Sequence[Token]) -> list[Alignment | None]:
    """Return the alignments in the row of dashes."""
    found: list[Alignment | None] = []
    for token in tokens:
        if token.type == "thead_close":
            break
        if token.type == "th_open":
            match str(token.attrs.get("style", "")).removeprefix("text-align:"):
                case "left" | "right" | "center" as alignment:
                    found.append(alignment)
                case _:
                    found.append(None)
    return found
