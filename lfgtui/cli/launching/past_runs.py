"""Past runs: resumed, and changed from their screen."""

from pathlib import Path

from lfgtui.cli.launching.redactors import redactor_for_writing
from lfgtui.cli.launching.run_plan import Output, Plan, check_providers, with_model
from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.maintenance import annotations, deletion
from lfgtui.history.reader import Reader
from lfgtui.history.storage import leases
from lfgtui.model.tickets import TicketsFile, distrusted
from lfgtui.settings import paths
from lfgtui.settings.config import Config


def plan_to_resume(
    name: str,
    config: Config,
    provider: str | None = None,
    model: str | None = None,
    *,
    output: Output | None = None,
) -> Plan:
    """Return a plan for what a stored run did not finish, on another provider or model if given.

    The tickets of an imported run were trusted by nobody here: they ask for everything.
    Raises `UsageError` where there is no such run, or a ticket's folder is gone.
    """
    with Reader(paths.history_file()) as reader:
        run_id = reader.find_run(name)
        title = reader.run(run_id).title
        stored = reader.tickets(run_id)
        if fault := next((one.fault for one in stored if one.fault), None):
            raise HistoryError(fault)
        is_imported = reader.is_imported(run_id)
    tickets = tuple(distrusted(one.ticket) if is_imported else one.ticket for one in stored)
    file = with_model(TicketsFile(title, tickets), config, provider, model)
    unfinished = frozenset(one.ticket.id for one in stored if one.state != "done")
    for ticket in file.tickets:
        if ticket.id in unfinished and not Path(ticket.workspace).is_dir():
            raise UsageError(f'ticket "{ticket.id}": workspace {ticket.workspace} does not exist')
    return Plan(title, file.tickets, config, resumes=run_id, unfinished=unfinished, output=output)


class FileHistoryActions:
    """`HistoryActions` on this machine's history file."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def delete(self, run: str) -> None:
        if run not in deletion.delete(paths.history_file(), [run]):
            raise UsageError(f"run {run} is still running; stop it first")

    def pin(self, run: str, pinned: bool) -> None:
        annotations.pin(paths.history_file(), run, pinned)

    def annotate(self, run: str, note: str) -> None:
        text = redactor_for_writing(self._config).text(note)
        annotations.annotate(paths.history_file(), run, text)

    def check_resume(self, run: str, *, is_ours: bool) -> None:
        plan = plan_to_resume(run, self._config)
        if not plan.unfinished:
            raise UsageError(f"run {run} is already finished")
        if not is_ours:
            locks = paths.data_dir() / "locks"
            with leases.held(locks, run, patiently=True) as is_free:
                if not is_free:
                    raise UsageError(f"run {run} is running in another lfg")
        check_providers(plan)
