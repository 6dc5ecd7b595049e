"""Checks that need both the tickets file and the config."""

from pathlib import Path

from lfgtui.errors import SourceError, UsageError
from lfgtui.model.tickets import Ticket, TicketsFile
from lfgtui.settings.config import Config, route_of, routes_of
from lfgtui.text import toml_file


def check_models(path: Path, file: TicketsFile, config: Config) -> None:
    """Every ticket's provider is known and has a model; else the line that says otherwise."""
    text = toml_file.read_text(path)
    for index, ticket in enumerate(file.tickets):
        try:
            routes_of(config, ticket)
        except UsageError as error:
            keys = ("fallback",) if _is_own_route_fine(config, ticket) else ("provider", "model")
            raise SourceError(path, _line(text, index, keys), str(error)) from None


def _is_own_route_fine(config: Config, ticket: Ticket) -> bool:
    try:
        route_of(config, ticket)
    except UsageError:
        return False
    return True


def _line(text: str, index: int, keys: tuple[str, ...]) -> int | None:
    """Return the line of one of the keys in the ticket or the defaults; else the ticket's."""
    ticket = toml_file.line_of(text, ("ticket", index))
    for table in (("ticket", index), ("defaults",)):
        for key in keys:
            line = toml_file.line_of(text, (*table, key))
            if line is not None and line != toml_file.line_of(text, table):
                return line
    return ticket
