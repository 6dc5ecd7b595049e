"""One attempt as a transcript of its own, to be looked at beside the others."""

from lfgtui.model.attempt import Attempt
from lfgtui.model.states import State
from lfgtui.model.transcript import Transcript


class AttemptTranscript(Transcript):
    """Shares the attempt with the fold it is of, and so grows with it; takes no entries."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self.attempts.append(attempt)

    @property
    def state(self) -> State | None:
        return self.attempts[0].state
