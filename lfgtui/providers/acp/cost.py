"""The cost of a session: the agent tells the sum, each turn is charged with what is new in it."""


class Cost:
    """The cost of one session, in USD."""

    def __init__(self) -> None:
        self.is_told = False
        self._sum = self._due = 0.0
        self._is_resumed = False

    def resume(self, total: float) -> None:
        """Go on from a sum that has been charged; the agent may count from nothing again."""
        self._sum, self._is_resumed = total, True

    def take(self, total: float) -> None:
        """Take the sum as the agent tells it."""
        if self._is_resumed and total < self._sum:
            self._sum = 0.0
        self.is_told, self._is_resumed = True, False
        self._due += max(0.0, total - self._sum)
        self._sum = max(self._sum, total)

    def charge(self) -> float:
        """Return what has not been charged yet."""
        due, self._due = self._due, 0.0
        return due
