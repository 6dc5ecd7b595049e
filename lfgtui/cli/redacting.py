"""The redactor that the config asks for."""

import os

from lfgtui.config import Config, secret_variables
from lfgtui.redaction import Redactor


def redactor_of(config: Config) -> Redactor:
    """Knows the usual secrets, the person's own patterns and the keys in the environment."""
    keys = (os.environ.get(name, "").strip() for name in sorted(secret_variables(config)))
    return Redactor(config.history.secrets, keys)
