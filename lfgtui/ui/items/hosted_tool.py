"""Tools that the provider runs on its side, as cards."""

from collections.abc import Hashable, Iterator

from lfgtui.model.call_summary import call_summary, members_summary
from lfgtui.model.items import Attempt, HostedItem
from lfgtui.ui.items.arguments import argument_rows, raw_rows
from lfgtui.ui.items.base import Context
from lfgtui.ui.items.card import CardView, output_rows
from lfgtui.ui.items.partial_json import PartialObject
from lfgtui.ui.text.wrapping import Row, Span


class HostedView(CardView):
    """One call, busy until it has output or its response has ended."""

    def __init__(self, item: HostedItem, attempt: Attempt) -> None:
        super().__init__()
        self._item = item
        self._attempt = attempt
        self._input = ""
        self._object = PartialObject()

    @property
    def is_settled(self) -> bool:
        return self._attempt.ended_at is not None  # a result may come with the next response

    @property
    def _is_busy(self) -> bool:
        item = self._item
        return not (item.output or item.closed or self._attempt.ended_at is not None)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision, context.beat if self._is_busy else -1)

    def left(self, context: Context) -> list[Span]:
        palette, item = self.palette(context), self._item
        sign = (f"{context.spinner} ", palette.busy) if self._is_busy else ("☁ ", palette.muted)
        given = self._given()
        said = call_summary(item.input) if given is None else members_summary(given.members)
        return [
            sign,
            (item.name or "tool", palette.tool),
            ("  ", palette.text),
            (said, palette.muted),
        ]

    def right(self, context: Context) -> list[Span]:
        return [("hosted", self.palette(context).muted)]

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette, item = self.palette(context), self._item
        given = self._given()
        if given is not None:
            yield from argument_rows(given.members, palette, width)
        elif item.input.strip():
            yield from raw_rows(item.input, palette, width)
        yield from output_rows(item.output, item.live.end, palette, width)

    def _given(self) -> PartialObject | None:
        """Return the input if it is a JSON object, even a cut-off one."""
        if self._input != self._item.input:
            self._input, self._object = self._item.input, PartialObject()
            self._object.feed(self._input)
        return None if self._object.is_broken else self._object
