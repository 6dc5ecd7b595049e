"""What can only be checked once the tickets file and the config are both read."""

from pathlib import Path

from lfgtui import tomlfile
from lfgtui.config import Config, model_of
from lfgtui.errors import SourceError, UsageError
from lfgtui.tickets import TicketsFile


def check_models(path: Path, file: TicketsFile, config: Config) -> None:
    """Every ticket's provider is known and has a model; else the line that says otherwise."""
    text = tomlfile.read_text(path)
    for index, ticket in enumerate(file.tickets):
        try:
            model_of(config, ticket)
        except UsageError as error:
            raise SourceError(path, _line(text, index), str(error)) from None


def _line(text: str, index: int) -> int | None:
    """Where the ticket, or the defaults, name a provider or a model; else the ticket's line."""
    ticket = tomlfile.line_of(text, ("ticket", index))
    for table in (("ticket", index), ("defaults",)):
        for key in ("provider", "model"):
            line = tomlfile.line_of(text, (*table, key))
            if line is not None and line != tomlfile.line_of(text, table):
                return line
    return ticket
