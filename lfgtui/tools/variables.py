"""The environment of programs that are run for agents."""

from collections.abc import Mapping
from functools import cache

from lfgtui.settings import environment
from lfgtui.text.redaction.redactor import Redactor

_UNATTENDED = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}


def command_environment(
    inherited: Mapping[str, str], extra: Mapping[str, str] | None, secrets: frozenset[str]
) -> dict[str, str]:
    """Return the environment of a command.

    It holds lfg's own variables except those that are secret by name or value
    (a key, a URL with a password) or listed in `secrets`; then those that tell
    programs not to page or to prompt; then `extra`, which comes last and so can
    pass a token on.
    """
    withheld = environment.secret_names(inherited, secrets, _is_secret)
    kept = {name: value for name, value in inherited.items() if name not in withheld}
    return {**kept, **_UNATTENDED, **(extra or {})}


def _is_secret(value: str) -> bool:
    return _rules().text(value) != value


@cache
def _rules() -> Redactor:
    return Redactor()
