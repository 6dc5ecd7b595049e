"""The attempts at one ticket side by side, as if each were a ticket.

An attempt's id is `TICKET #NUMBER`; screens and panes take the ticket's id from before the ` #`.
"""

import msgspec

from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.states import State
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.run import RunMode, RunScreen


def compare_attempts(screen: RunScreen) -> None:
    """Open the attempts at the current ticket, if there is more than one."""
    ticket = next(ticket for ticket in screen.run.tickets if ticket.id == screen.current)
    attempts = len(screen.run.transcript(ticket.id).attempts)
    if attempts < 2:
        screen.toast(f"“{ticket.id}” has {'only one attempt' if attempts else 'no attempt yet'}")
        return
    view = AttemptsView(screen.run, ticket)
    compared = RunScreen(view, screen.context, AttemptsMode(ticket.id))
    compared.current = view.tickets[-1].id
    screen.app.push_screen(compared)


class AttemptsMode(RunMode):
    """A pane for each attempt, scrolled, searched, folded and copied by itself.

    The newest attempt of a running ticket goes on growing. Commands to the ticket
    work only on the screen from which this one was opened.
    """

    label = "ATTEMPTS"
    is_tiled_across = True

    def __init__(self, ticket: str) -> None:
        self.refusal = f"attempts are read-only; press esc to go back to “{ticket}”"

    def action_beside(self) -> None:
        self.screen.leave()


class AttemptsView:
    """A `RunView` over the present attempts; the newest may still grow."""

    def __init__(self, run: RunView, ticket: Ticket) -> None:
        self._run = run
        self.run = run.run
        self._ticket = ticket.id
        self.title = f"{ticket.id} · {run.title}"
        attempts = run.transcript(ticket.id).attempts
        self._whole = run.meter(ticket.id)
        self._attempts = {f"{ticket.id} #{one.number}": one for one in attempts}
        self._transcripts = {name: AttemptTranscript(one) for name, one in self._attempts.items()}
        self.tickets = tuple(
            msgspec.structs.replace(
                ticket,
                id=name,
                copy_of="",
                title="",
                needs=(),
                provider=one.provider,
                model=one.model,
            )
            for name, one in self._attempts.items()
        )

    @property
    def health(self) -> Health:
        return self._run.health

    def transcript(self, ticket: str) -> Transcript:
        transcript, ended_at = self._transcripts[ticket], self._attempts[ticket].ended_at
        transcript.since = ended_at or self._run.transcript(self._ticket).since
        return transcript

    def meter(self, ticket: str) -> Meter:
        return AttemptMeter(self._attempts[ticket], self._whole)


class AttemptTranscript(Transcript):
    """One attempt as a transcript, which shares the attempt's items and takes no entries."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self.attempts.append(attempt)

    @property
    def state(self) -> State | None:
        return self.attempts[0].state


class AttemptMeter(Meter):
    """An attempt's own figures; while it runs, live ones come from `whole`, its ticket's meter.

    It applies no entries, so a new figure of `Meter` has to be taken from one of the two here.
    """

    def __init__(self, attempt: Attempt, whole: Meter) -> None:
        super().__init__()
        self.connect = attempt.connect
        self.first_byte, self.ttft = attempt.first_byte, attempt.ttft
        self._attempt = attempt
        self._whole = whole
        self._live = whole if attempt.ended_at is None else None

    def spans(self, now: float) -> list[tuple[float, float]]:
        began, ended = self._attempt.started_at, self._attempt.ended_at or now
        spans = self._whole.spans(now)
        return [(max(since, began), min(until, ended)) for since, until in spans]

    def output_tokens(self) -> tuple[int, bool]:
        return self._attempt.tokens.total

    def rate(self, now: float) -> float:
        return self._live.rate(now) if self._live else 0.0

    def history(self, now: float) -> list[float]:
        return self._live.history(now) if self._live else super().history(now)

    def has_history(self, now: float) -> bool:
        return self._live.has_history(now) if self._live else super().has_history(now)

    @property
    def tool_since(self) -> float | None:
        return self._live.tool_since if self._live else None

    @property
    def waiting_since(self) -> float | None:
        return self._live.waiting_since if self._live else None

    def is_stalled(self, now: float, stall_after: float) -> bool:
        return self._live is not None and self._live.is_stalled(now, stall_after)
