"""lfg and its simulator in processes of their own."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.helpers.terminal import LFG


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start lfg with its output on pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*LFG, *arguments], stdout=pipe, stderr=pipe, text=True)


@contextmanager
def simulator(*options: str) -> Iterator[str]:
    """Serve a simulator; gives its root URL."""
    command = [*LFG, "simulator", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().removeprefix("simulator: ").strip()
        finally:
            server.terminate()


def three_wires(root: str, names: Sequence[str]) -> str:
    """Return a config of three providers, chat, Responses and Messages, at this root URL."""
    chat, responses, messages = names
    return (
        f'[providers.{chat}]\nwire = "openai-chat"\nbase_url = "{root}/v1"\n'
        f'[providers.{responses}]\nwire = "openai-responses"\nbase_url = "{root}/v1"\n'
        f'[providers.{messages}]\nwire = "anthropic"\nbase_url = "{root}"\n'
    )
