"""What to run, and whether it can be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from lfgtui.errors import HistoryError, UsageError
from lfgtui.model.tickets import Ticket, TicketsFile, distrusted
from lfgtui.settings import paths
from lfgtui.settings.config import LOCAL, SIMULATED, Config, route_of, routes_of
from lfgtui.settings.credentials import api_key, request_headers

Output: TypeAlias = Literal["states", "json", "answer", "raw"]


class Plan(msgspec.Struct, frozen=True):
    """What to run. `resumes` names the stored run to go on with, or None for a new one.

    `unfinished` are the ids that will be worked on, None for all. `output` None is the screen;
    `environment` is added to that of commands.
    """

    title: str
    tickets: Sequence[Ticket]
    config: Config
    source: Path | None = None
    resumes: str | None = None
    unfinished: frozenset[str] | None = None
    output: Output | None = None
    environment: dict[str, str] = {}


def check_providers(plan: Plan) -> set[str]:
    """The providers that will be used, each with its key and, where a cost is limited, a price."""
    used: set[str] = set()
    for ticket in plan.tickets:
        if plan.unfinished is not None and ticket.id not in plan.unfinished:
            continue
        for name, _ in routes_of(plan.config, ticket):
            _check_provider(plan.config, ticket, name, is_checked=name in used | SIMULATED)
            used.add(name)
    return used


def _check_provider(config: Config, ticket: Ticket, name: str, *, is_checked: bool) -> None:
    provider = config.provider(name)
    if ticket.max_cost is not None and provider.price is None:
        raise UsageError(
            f'ticket "{ticket.id}" has max_cost, but provider "{name}" has no price;'
            f" set price in [providers.{name}] of the config"
        )
    if not is_checked:
        if provider.api_key_command is None:  # a command may ask the person: when needed
            api_key(name, provider)
        request_headers(name, provider)
        if name == LOCAL and provider.base_url is None:
            from lfgtui.simulator.local.model import find_model

            find_model(provider.model_file)


def plan_to_resume(
    name: str,
    config: Config,
    provider: str | None = None,
    model: str | None = None,
    *,
    output: Output | None = None,
) -> Plan:
    """To go on with what a stored run did not finish, on another provider or model if asked.

    The tickets of an imported run were trusted by nobody here: they ask for everything.
    Raises `UsageError` where there is no such run, or a ticket's folder is gone.
    """
    from lfgtui.history.reader import Reader

    with Reader(paths.history_file()) as reader:
        run_id = reader.find_run(name)
        title = reader.run(run_id).title
        stored = reader.tickets(run_id)
        if fault := next((one.fault for one in stored if one.fault), None):
            raise HistoryError(fault)
        is_imported = reader.is_imported(run_id)
    asked_for = (one.ticket for one in stored)
    file = TicketsFile(title, tuple(map(distrusted, asked_for) if is_imported else asked_for))
    tickets = with_model(file, config, provider, model)
    unfinished = frozenset(one.ticket.id for one in stored if one.state != "done")
    for ticket in tickets.tickets:
        if ticket.id in unfinished and not Path(ticket.workspace).is_dir():
            raise UsageError(f'ticket "{ticket.id}": its workspace {ticket.workspace} is gone')
    return Plan(
        title, tickets.tickets, config, resumes=run_id, unfinished=unfinished, output=output
    )


def with_model(
    file: TicketsFile, config: Config, provider: str | None, model: str | None
) -> TicketsFile:
    """The tickets with the command line's provider and model in place of their own."""
    if provider is None and model is None:
        return file

    def change(ticket: Ticket) -> Ticket:
        said = msgspec.structs.replace(ticket, provider=provider, model=model)
        if provider is None and "/" not in (model or ""):
            said = msgspec.structs.replace(said, provider=route_of(config, ticket).provider)
        if model is None:
            own = (ticket.model or config.model or "").split("/", 1)[-1]
            said = msgspec.structs.replace(said, model=ticket.model if ticket.provider else own)
        return said

    tickets = tuple(change(ticket) for ticket in file.tickets)
    return msgspec.structs.replace(file, tickets=tickets)
