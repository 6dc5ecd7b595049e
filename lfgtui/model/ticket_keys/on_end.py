"""`on_end`: commands and webhooks that are given an ended run, in the config or tickets file."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec


class OnEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A `command` that gets the run as JSON, or the address of a `webhook` that it is posted to.

    `secret_env` names the environment variable with the secret that signs the post.
    """

    command: tuple[str, ...] = ()
    webhook: str | None = None
    secret_env: str | None = None

    @property
    def name(self) -> str:
        """The program's name, or the host: the rest of an address may be a secret."""
        if self.command:
            return Path(self.command[0]).name
        parts = urlsplit(self.webhook or "")
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def on_end_mistakes(hooks: Sequence[OnEnd]) -> Iterator[tuple[int, str, str]]:
    """Yield the mistakes: each hook's index, the key, and a message that says what is wrong."""
    for index, hook in enumerate(hooks):
        if bool(hook.command) == (hook.webhook is not None):
            yield index, "command", 'on_end needs either "command" or "webhook"'
        elif hook.command and not hook.command[0]:
            yield index, "command", "command: the program name is empty"
        elif hook.webhook is not None and not is_address(hook.webhook):
            message = f'webhook "{hook.webhook}" must begin with http:// or https:// and a host'
            yield index, "webhook", message
        elif hook.secret_env is not None and hook.command:
            yield index, "secret_env", '"secret_env" belongs to a "webhook", not to a "command"'


def with_program(folder: Path, hook: OnEnd) -> OnEnd:
    """Return the hook with the path of its program made absolute, relative to the folder.

    A program without a slash in its name stays: it is looked for in PATH.
    """
    if not hook.command or "/" not in hook.command[0]:
        return hook
    program = Path(hook.command[0])
    with suppress(RuntimeError):  # "~name" of nobody: then it is a file's name
        program = program.expanduser()
    return msgspec.structs.replace(
        hook, command=(str(folder.absolute() / program), *hook.command[1:])
    )


def is_address(url: str) -> bool:
    """Return True for an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
