"""Secrets kept from agents: the redactors that the config asks for, the environment, the wall."""

import os

import msgspec

from lfgtui.cli.launching.launch import Plan
from lfgtui.model.redaction import redacted_ticket
from lfgtui.processes.sandbox.availability import find_sandbox
from lfgtui.settings import environment
from lfgtui.settings.config import Config
from lfgtui.settings.credentials import held_keys, secret_variables
from lfgtui.text.redactor import Redactor


def redactor_of(config: Config) -> Redactor:
    """Return one for the usual secrets, the person's own patterns and the keys that lfg holds."""
    return Redactor(config.history.secrets, held_keys(config))


def redactor_for_writing(config: Config) -> Redactor:
    """Return one for what is never stored or sent: lfg's keys; with `redact = "write"`, all."""
    if config.history.redact == "write":
        return redactor_of(config)
    return Redactor(keys=held_keys(config), rules=())


def without_secrets(plan: Plan, redactor: Redactor | None = None) -> Plan:
    """Return the plan as it is stored, shown and sent to models: a resume sends them the same."""
    redactor = redactor or redactor_for_writing(plan.config)
    tickets = [redacted_ticket(redactor, ticket) for ticket in plan.tickets]
    return msgspec.structs.replace(plan, title=redactor.whole(plan.title), tickets=tickets)


def hide_secrets(config: Config) -> None:
    """Hide the variables that only the config, or their values, mark as secret.

    What is named like a secret was hidden when lfg started. A proxy's password
    stays, since the HTTP clients look for it there; commands do not get it.
    """
    rules = Redactor()
    names = environment.secret_names(
        os.environ, secret_variables(config), lambda value: rules.text(value) != value
    )
    environment.hide({name for name in names if not environment.is_needed_here(name)})


def has_wall() -> bool:
    """Return True if programs of agents can run where they cannot read lfg's memory."""
    return bool(find_sandbox().program)
