"""The watch over changed files, `conflicts.Conflicts`, as a ticket's work sees it."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class ChangeWatch(Protocol):
    """Watches the files that a run's tickets change; a `ticket` is given by its id."""

    def watching(self, ticket: str, command: str) -> AbstractAsyncContextManager[None]:
        """Run the command in the body, and look at what it changes."""
        ...

    async def kept(self, ticket: str) -> None:
        """Wait until the files that the ticket's agent is about to change are kept."""
