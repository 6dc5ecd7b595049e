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
    """Return a redactor for all rules, the config's own patterns and the keys that lfg holds."""
    return Redactor(config.history.secrets, held_keys(config))


def redactor_for_writing(config: Config) -> Redactor:
    """Return the redactor of what is stored: for the keys that lfg holds alone, or for all secrets
    if the config has `redact = "write"`."""
    if config.history.redact == "write":
        return redactor_of(config)
    return Redactor(keys=held_keys(config), rules=())


def without_secrets(plan: Plan, redactor: Redactor | None = None) -> Plan:
    """Return the plan as it is stored, shown and sent, so that a resume sends models the same."""
    redactor = redactor or redactor_for_writing(plan.config)
    tickets = [redacted_ticket(redactor, ticket) for ticket in plan.tickets]
    return msgspec.structs.replace(plan, title=redactor.whole(plan.title), tickets=tickets)


def hide_secrets(config: Config) -> None:
    """Take variables out of the environment that the config names as secret, or whose value is.

    Those with a secret's name were taken out when lfg started (`__main__`). A proxy's
    password stays, since HTTP clients look for it there; commands do not get it. To be
    called before anything runs that gets the environment.
    """
    rules = Redactor()
    names = environment.secret_names(
        os.environ, secret_variables(config), lambda value: rules.text(value) != value
    )
    environment.hide({name for name in names if not environment.is_needed_here(name)})


def has_wall() -> bool:
    """Return True if programs of agents can run where they cannot read lfg's memory."""
    return bool(find_sandbox().program)
