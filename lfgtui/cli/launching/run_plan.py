"""A plan of what to run, and the checks that need tickets and config."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from lfgtui.cli import launching
from lfgtui.errors import SourceError, UsageError
from lfgtui.model.tickets import Ticket, TicketsFile
from lfgtui.settings.config import LOCAL, SIMULATED, Config, route_of, routes_of
from lfgtui.settings.credentials import api_key, request_headers
from lfgtui.text import toml_file

Output: TypeAlias = Literal["states", "json", "answer", "raw"]


class Plan(msgspec.Struct, frozen=True):
    """Tickets to run. `resumes` is the id of the stored run they continue, None for a new one.

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
    """Return the providers the plan uses; raise `UsageError` where a key or a price is missing."""
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
            launching.local_model.find_model(provider.model_file)


def with_model(
    file: TicketsFile, config: Config, provider: str | None, model: str | None
) -> TicketsFile:
    """Return the tickets with the command line's provider and model in place of their own."""
    if provider is None and model is None:
        return file

    def change(ticket: Ticket) -> Ticket:
        new_provider, new_model = provider, model
        if provider is None and "/" not in (model or ""):
            new_provider = route_of(config, ticket).provider
        if model is None:
            own = (ticket.model or config.model or "").split("/", 1)[-1]
            new_model = ticket.model if ticket.provider else own
        return msgspec.structs.replace(ticket, provider=new_provider, model=new_model)

    tickets = tuple(change(ticket) for ticket in file.tickets)
    return msgspec.structs.replace(file, tickets=tickets)


def check_models(path: Path, file: TicketsFile, config: Config) -> None:
    """Check that every ticket's providers are known and have a model.

    Raises `SourceError` with the line of the tickets file that is wrong.
    """
    text = toml_file.read_text(path)
    for index, ticket in enumerate(file.tickets):
        try:
            routes_of(config, ticket)
        except UsageError as error:
            keys = ("fallback",) if _is_own_route_valid(config, ticket) else ("provider", "model")
            raise SourceError(path, _line(text, index, keys), str(error)) from None


def _is_own_route_valid(config: Config, ticket: Ticket) -> bool:
    try:
        route_of(config, ticket)
    except UsageError:
        return False
    return True


def _line(text: str, index: int, keys: tuple[str, ...]) -> int | None:
    """Return the line of one of the keys in the ticket or the defaults; else the ticket's."""
    for table in (("ticket", index), ("defaults",)):
        for key in keys:
            line = toml_file.line_of(text, (*table, key))
            if line is not None and line != toml_file.line_of(text, table):
                return line
    return toml_file.line_of(text, ("ticket", index))
