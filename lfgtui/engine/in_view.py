"""The tickets in view just now, on the run's own screen or of viewers from elsewhere."""

from collections.abc import Collection, Iterator


class InView(Collection[str]):
    """The tickets that somebody can see."""

    def __init__(self) -> None:
        self._of: dict[object, frozenset[str]] = {}
        self._union: frozenset[str] = frozenset()

    def watch(self, tickets: Collection[str], viewer: object = None) -> None:
        """Take note of which tickets the viewer can see from now on; None is the own screen."""
        if self._of.get(viewer, frozenset()) != frozenset(tickets):
            self._of[viewer] = frozenset(tickets)
            self._of = {one: seen for one, seen in self._of.items() if seen}
            self._union = frozenset().union(*self._of.values())

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._union

    def __iter__(self) -> Iterator[str]:
        return iter(self._union)

    def __len__(self) -> int:
        return len(self._union)
