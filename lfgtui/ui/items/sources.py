"""What a response cited: one line, the list on request."""

from collections.abc import Hashable, Sequence
from functools import partial

from lfgtui.transcript import SourcesItem
from lfgtui.ui.items.view import BriefView, Context, Piece
from lfgtui.ui.lines import Row, wrap
from lfgtui.visible import plain_output


class SourcesView(BriefView):
    """The sources of one response."""

    kind = "tool"
    is_foldable = True

    def __init__(self, item: SourcesItem) -> None:
        super().__init__()
        self._item = item

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def made(self, context: Context) -> list[Piece]:
        is_unfolded = self.is_unfolded(context)
        return [Piece(partial(self._drawn, context, is_unfolded), 1, is_exact=not is_unfolded)]

    def _drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        palette, citations = self.palette(context), self._item.citations
        count = f"{len(citations)} source{'' if len(citations) == 1 else 's'}"
        names = " · ".join(" ".join((c.title or c.url).split()) for c in citations)
        left = [(f"{count}  ", palette.tool), (names, palette.muted)]
        rows = [self.fold_row(context, left)]
        if is_unfolded:
            bar, width = (("  │ ", palette.faint),), context.width - 4
            for number, citation in enumerate(citations, 1):
                spans = [(f"{number}. ", palette.marker)]
                if citation.title:
                    spans.append((f"{plain_output(citation.title)} ", palette.text))
                spans.append((plain_output(citation.url), palette.muted))
                rows += [row.indented(bar) for row in wrap(spans, width)]
        return rows
