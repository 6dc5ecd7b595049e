"""The redactors that the config asks for, and the secrets in the environment."""

import os

from lfgtui.settings import environment
from lfgtui.settings.config import Config
from lfgtui.settings.credentials import held_keys, secret_variables
from lfgtui.text.redaction.redactor import Redactor


def redactor_of(config: Config) -> Redactor:
    """Knows the usual secrets, the person's own patterns and the keys that lfg holds."""
    return Redactor(config.history.secrets, held_keys(config))


def redactor_for_writing(config: Config) -> Redactor:
    """Knows what is never written: the keys that lfg holds; with `redact = "write"`, all."""
    if config.history.redact == "write":
        return redactor_of(config)
    return Redactor(keys=held_keys(config), rules=())


def hide_secrets(config: Config) -> None:
    """Hide the variables that only the config, or their values, tell to be secret.

    What is named like a secret was hidden when lfg started. A proxy's password
    stays, since the HTTP clients look for it there; commands do not get it.
    """
    rules = Redactor()
    names = environment.secret_names(
        os.environ, secret_variables(config), lambda value: rules.text(value) != value
    )
    environment.hide({name for name in names if not environment.is_needed_here(name)})


def redacted_for_writing(config: Config, text: str) -> str:
    """The text as the history may have it."""
    return redactor_for_writing(config).text(text)


def told(redactor: Redactor) -> str:
    """What was taken out, counted by kind: `3 secrets redacted (github token 2, jwt 1)`."""
    count = redactor.found.total()
    kinds = ", ".join(f"{name} {times}" for name, times in redactor.found.most_common())
    return f"{count} secret{'s' * (count != 1)} redacted ({kinds})"
