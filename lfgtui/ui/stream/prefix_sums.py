"""Prefix sums that can change anywhere: how many lines stand above a chunk.

A Fenwick tree (P. M. Fenwick, "A new data structure for cumulative frequency
tables", 1994): node n, counted from 1, holds the sum of as many values up to
n as n's lowest set bit says. Appending, changing and looking up take log n
steps, so a card that grows above ten thousand blocks costs what it costs above
ten.
"""

from collections.abc import Iterable


class PrefixSums:
    """Heights in a row, their total, and the line each of them begins on."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tree = [0, *self._heights]
        self.total = sum(self._heights)
        count = len(self._heights)
        for node in range(1, count + 1):
            above = node + (node & -node)
            if above <= count:
                self._tree[above] += self._tree[node]

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def append(self, height: int) -> None:
        self._heights.append(height)
        node = len(self._heights)
        bottom, below, held = node - (node & -node), node - 1, height
        while below > bottom:
            held += self._tree[below]
            below -= below & -below
        self._tree.append(held)
        self.total += height

    def cut(self, count: int) -> None:
        """Keep the first `count` only."""
        self.total -= sum(self._heights[count:])
        del self._heights[count:]
        del self._tree[count + 1 :]

    def set(self, index: int, height: int) -> None:
        more = height - self._heights[index]
        self._heights[index] = height
        self.total += more
        tree, count, node = self._tree, len(self._heights), index + 1
        while node <= count:
            tree[node] += more
            node += node & -node

    def start(self, index: int) -> int:
        """Return the sum of all heights before this one."""
        tree, held = self._tree, 0
        while index:
            held += tree[index]
            index -= index & -index
        return held

    def find(self, line: int) -> tuple[int, int]:
        """Return whose line it is and which of its lines; past the end, the count and the rest."""
        tree, count, node = self._tree, len(self._heights), 0
        step = 1 << count.bit_length()
        while step:
            if node + step <= count and tree[node + step] <= line:
                node += step
                line -= tree[node]
            step >>= 1
        return node, line
