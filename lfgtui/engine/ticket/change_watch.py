"""The files that a ticket is about to change, as seen by its work."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class ChangeWatch(Protocol):
    """Watches the files of a run's tickets, named by their ids."""

    def watching(self, ticket: str, command: str) -> AbstractAsyncContextManager[None]:
        """Run the command in the body, and look at what it changes."""
        ...

    async def kept(self, ticket: str) -> None:
        """Wait until the files that the ticket's agent is about to change are kept."""
