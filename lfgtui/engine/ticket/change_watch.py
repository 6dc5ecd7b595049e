"""The files that a ticket is about to change, as its work tells."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class ChangeWatch(Protocol):
    """Watches the files of a run's tickets, named by their ids."""

    def watching(self, ticket: str, command: str) -> AbstractAsyncContextManager[None]:
        """Run the command in the body, and look at what it changes."""
        ...

    async def kept(self, ticket: str) -> None:
        """Wait until what the ticket's agent has said it changes is kept."""
