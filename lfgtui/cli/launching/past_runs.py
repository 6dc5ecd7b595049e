"""Past runs: open the history, plan to resume one, choose a copy, change and delete them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from lfgtui.cli.launching.launch import Output, Plan, check_providers, with_model
from lfgtui.cli.launching.redactors import redactor_for_writing
from lfgtui.cli.launching.trust import trusted_hooks
from lfgtui.errors import HistoryError, UsageError, source_name
from lfgtui.history import deletion, maintenance
from lfgtui.history.reader import Reader, StoredTicket
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import leases
from lfgtui.model.choices import choice_refusal, copies_of, is_settled
from lfgtui.model.clock import now
from lfgtui.model.events import ChoiceMade
from lfgtui.model.needs import with_needs
from lfgtui.model.redaction import redacted_ticket
from lfgtui.model.tickets import Ticket, distrusted
from lfgtui.model.tickets_file import TicketsFile
from lfgtui.settings import paths
from lfgtui.settings.config import Config, programs_of
from lfgtui.text.output import print_error, print_remark


def open_reader() -> Reader:
    """Open the history, after marking runs of processes that died as interrupted."""
    path = paths.history_file()
    with suppress(HistoryError, OSError):  # it may be readable although it cannot be written
        if path.exists():
            with Recorder(path) as opened:
                report_missing(opened.lost)
    return reader()


def reader() -> Reader:
    """Open the history without writing to it; orphaned runs look as if they were running."""
    return Reader(paths.history_file())


def report_missing(runs: Sequence[str]) -> None:
    """Print the runs that should be in the history and are not (`Recorder.lost`)."""
    for run in runs:
        rescued = paths.history_file().parent / "rescued" / run
        why = f"its write-ahead log ({paths.history_file()}-wal) is gone"
        if rescued.is_dir():
            why = f"it was saved in {rescued}; to see it: LFG_DATA_DIR={rescued} lfg history"
        print_remark(f"run {run} was started but is not in the history: {why}")


def report_gaps(reader: Reader) -> int:
    """Print what the reader could not read (`Reader.gaps`), once each; return the exit code."""
    for gap in dict.fromkeys(reader.gaps):
        print_error(gap)
    return 1 if reader.gaps else 0


def plan_to_resume(
    name: str,
    config: Config,
    provider: str | None = None,
    model: str | None = None,
    *,
    output: Output | None = None,
    may_repeat: bool = False,
) -> Plan:
    """Return a plan for what a stored run did not finish, on another provider or model if given.

    If workers have tickets and the config names no workers, these are begun again here only with
    `may_repeat`: the workers may do the same work.

    Nobody here has trusted the tickets of an imported run: every call asks, rules of approval
    given elsewhere do not hold, and they start no program unless `provider` names it. Raises
    `UsageError` if there is no such run, a ticket's folder is gone, or workers have tickets.
    """
    with reader() as history:
        run_id = history.find_run(name)
        if config.workers.url is None and not may_repeat:
            _check_workers(run_id, history.with_workers(run_id))
        title = history.run(run_id).title
        stored = history.tickets(run_id)
        is_imported = history.is_imported(run_id)
        source = None if is_imported else history.source(run_id)
        chosen = _chosen(history, stored)
    if fault := next((one.fault for one in stored if one.fault), None):
        raise HistoryError(fault)
    tickets = tuple(distrusted(one.ticket) if is_imported else one.ticket for one in stored)
    file = with_model(TicketsFile(title, tickets), config, provider, model)
    left = (one.ticket for one in stored if one.state != "done")
    unfinished = frozenset(ticket.id for ticket in left if ticket.copy_of not in chosen)
    for ticket in file.tickets:
        if ticket.id in unfinished and not Path(ticket.workspace).is_dir():
            raise UsageError(f'ticket "{ticket.id}": workspace {ticket.workspace} does not exist')
        if is_imported and ticket.id in unfinished:
            _check_programs(config, ticket, provider)
    return Plan(
        title,
        file.tickets,
        config,
        resumes=run_id,
        is_imported=is_imported,
        unfinished=unfinished,
        output=output,
        on_end=() if source is None else trusted_hooks(source),
    )


def _check_workers(run: str, tickets: Sequence[str]) -> None:
    """Raise `UsageError` if workers have tickets of the run."""
    if tickets:
        which = f"tickets {', '.join(tickets)}" if len(tickets) > 1 else f"ticket {tickets[0]}"
        again = f"or lfg resume {run} --no-workers to begin again here"
        message = f"workers have {which} of run {run}: add --workers URL, {again}"
        raise UsageError(message)


def _check_programs(config: Config, ticket: Ticket, provider: str | None) -> None:
    """Raise `UsageError` if an imported ticket would start a program other than `provider`."""
    if others := [one for name, one in programs_of(config, ticket).items() if name != provider]:
        start = f'ticket "{ticket.id}" of this imported run would start {others[0]}'
        raise UsageError(f"{start}; run its prompt as a ticket of your own, or use --provider NAME")


def _chosen(history: Reader, stored: Iterable[StoredTicket]) -> dict[str, StoredTicket]:
    """Return the copies that were chosen, by the tickets that they are copies of."""
    return {
        one.ticket.copy_of: one
        for one in stored
        if one.ticket.copy_of
        and one.state == "done"
        and history.transcript(one.run, one.ticket.id).is_chosen
    }


class _Folds:
    """A stored run in the form that `model.choices` takes (`choices.Folds`)."""

    def __init__(self, history: Reader, run: str) -> None:
        self.tickets = [one.ticket for one in history.tickets(run)]
        self.transcript = cache(partial(history.transcript, run))


def choose(run: str, copy: str) -> None:
    """Choose a copy in a run that is over, instead of any copy chosen before.

    Raises `UsageError` if it cannot be chosen, or is not in the run.
    """
    with open_reader() as history:
        (stored,) = history.tickets(run, copy)
        state, folds = history.run(run).state, _Folds(history, run)
        if refusal := choice_refusal(folds, copy):
            raise UsageError(refusal)
        copies = {name: folds.transcript(name) for name in copies_of(folds, stored.ticket.copy_of)}
        others = [ticket for ticket in folds.tickets if ticket.id not in copies]
        is_done = all(is_settled(folds, ticket) for ticket in others)
    with Recorder(paths.history_file()) as recorder:
        recorder.resume_run(run)
        for name, fold in copies.items():
            if fold.is_chosen is not (name == copy):
                choice = ChoiceMade(name == copy)
                recorder.submit(run, name, fold.attempts[-1].number, now(), choice)
        recorder.finish_run(run, "done" if is_done else state)


def changed_since(path: Path, file: TicketsFile, config: Config) -> tuple[str, ...]:
    """Return the ids of the file's tickets that are new, changed or not done since it was last run.

    This includes tickets that need one of them, since they will get another answer, and those
    that began before a ticket they need was done again. Raises `UsageError` while a run of the file
    is in progress.
    """
    by_id = {ticket.id: ticket for ticket in file.tickets}
    last: dict[str, StoredTicket] = {}
    redactor = redactor_for_writing(config)
    with open_reader() as history:
        runs = history.runs_of(path.resolve())
        if busy := [run.run for run in runs if run.state == "running"]:
            name = f"{busy[0]} of {source_name(path)}"
            raise UsageError(f"run {name} is in progress; wait for it or cancel it")
        for run in runs:
            for stored in history.tickets(run.run):
                last.setdefault(stored.ticket.id, stored)
            if last.keys() >= by_id.keys():
                break
        chosen = _chosen(history, last.values())
        done = {
            name
            for name, ticket in by_id.items()
            if name in last
            and (last[name].state == "done" or ticket.copy_of in chosen)
            and last[name].ticket == redacted_ticket(redactor, ticket)
            and _began_after(
                history,
                last[name],
                [last.get(need) if need in by_id else chosen.get(need) for need in ticket.needs],
            )
        }
    return tuple(name for name in by_id if not with_needs(by_id, [name]) <= done)


def _began_after(
    history: Reader, ticket: StoredTicket, needs: Sequence[StoredTicket | None]
) -> bool:
    """Return True if the ticket last began from its prompt after the tickets it needs had ended.

    `needs` are these tickets as they last ran, None for one that never did.
    """
    ends = [need.ended_at or 0.0 for need in needs if need is not None and need.run == ticket.run]
    if len(ends) < len(needs):  # another run did one of them again
        return False
    attempts = history.transcript(ticket.run, ticket.ticket.id).attempts if ends else []
    began = max((one.started_at for one in attempts if not one.continues), default=0.0)
    return max(ends, default=0.0) <= began


class FileHistoryActions:
    """Implements the screen's `HistoryActions` on this machine's history file."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def delete(self, run: str) -> None:
        if run not in deletion.delete(paths.history_file(), [run]):
            raise UsageError(f"run {run} is still in progress; stop it first")

    def pin(self, run: str, pinned: bool) -> None:
        maintenance.pin(paths.history_file(), run, pinned)

    def annotate(self, run: str, note: str) -> None:
        text = redactor_for_writing(self._config).text(note)
        maintenance.annotate(paths.history_file(), run, text)

    def check_resume(self, run: str, *, is_ours: bool) -> None:
        # A run of this process holds its lease until it is resumed: only others' are tested.
        plan = plan_to_resume(run, self._config)
        if not plan.unfinished:
            raise UsageError(f"run {run} is already finished")
        if not is_ours:
            locks = paths.data_dir() / "locks"
            with leases.held(locks, run, patiently=True) as is_free:
                if not is_free:
                    raise UsageError(f"run {run} is running in another lfg")
        check_providers(plan)
