"""What a person may do to past runs, as the screens of the history see it."""

from typing import Protocol


class Keeper(Protocol):
    """Changes the history file. All of it takes a moment: call it in a thread.

    Each raises `LfgError` with the one line to show where it cannot be done.
    """

    def delete(self, run: str) -> None:
        """Delete the run for good; refused while it is being run."""
        ...

    def pin(self, run: str, pinned: bool) -> None:
        """Keep the run when old ones are pruned, or let it go."""
        ...

    def annotate(self, run: str, note: str) -> None:
        """Write a note beside the run, in place of the one there is."""
        ...

    def check_resume(self, run: str, *, is_ours: bool) -> None:
        """Raise if the run could not be gone on with: nothing left to do, no key, no folder.

        `is_ours`: it is this process that runs it, and lets go of it before.
        """
        ...
