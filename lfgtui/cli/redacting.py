"""The redactor that the config asks for."""

import os

from lfgtui.config import Config, secret_variables
from lfgtui.redaction import Redactor


def redactor_of(config: Config) -> Redactor:
    """Knows the usual secrets, the person's own patterns and the keys in the environment."""
    keys = (os.environ.get(name, "").strip() for name in sorted(secret_variables(config)))
    return Redactor(config.history.secrets, keys)


def redacted_for_writing(config: Config, text: str) -> str:
    """The text as the history may have it."""
    return redactor_of(config).text(text) if config.history.redact == "write" else text


def told(redactor: Redactor) -> str:
    """What was taken out, counted by kind: `3 secrets redacted (github token 2, jwt 1)`."""
    count = redactor.found.total()
    kinds = ", ".join(f"{name} {times}" for name, times in redactor.found.most_common())
    return f"{count} secret{'s' * (count != 1)} redacted ({kinds})"
