"""Stand-in until lines.Flow is there."""

from collections.abc import Iterable, Sequence

from lfgtui.ui.lines import Row, Span, width_of, wrap


class Flow:
    def __init__(self, width: int, first: Sequence[Span] = (), rest: Sequence[Span] = ()) -> None:
        self._width = width - sum(width_of(t) for t, _ in rest)
        self._first, self._rest = tuple(first), tuple(rest)
        self._settled: list[Span] = []
        self.rows: list[Row] = []

    def settle(self, spans: Iterable[Span]) -> None:
        self._settled += spans

    def show(self, spans: Iterable[Span]) -> int:
        rows = [
            row.indented(self._rest if n else self._first)
            for n, row in enumerate(wrap([*self._settled, *spans], self._width))
        ]
        first = 0
        while first < min(len(rows), len(self.rows)) and rows[first] == self.rows[first]:
            first += 1
        self.rows[first:] = rows[first:]
        return first
