"""Coding agents that speak the Agent Client Protocol, and the programs that start them.

A command was taken from the agent's own documentation or from the protocol's registry
(agentclientprotocol/registry), in November 2026; a comment says which. lfg runs only
`command`; `install` and `sign_in` are shown to the person.
"""

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import UsageError


class AgentProgram(NamedTuple):
    """The commands that start an agent, install it and sign in to it.

    `folders`, relative to the home folder, are where it keeps its settings, sign-in and history:
    its sandbox lets it change them. `keys` are prefixes of the names of environment variables that
    may hold its API key: in a sandbox it gets no other secrets. "" stands for all variables.
    """

    command: tuple[str, ...]
    install: str
    sign_in: str
    folders: tuple[str, ...]
    keys: tuple[str, ...]


def _folders(name: str) -> tuple[str, ...]:
    """Return the folders of a program that uses freedesktop.org's base directories."""
    bases = (".config", ".local/share", ".local/state", ".cache")
    return tuple(f"{base}/{name}" for base in bases)


AGENTS: dict[str, AgentProgram] = {
    # An adapter with Claude Code in it: `bin` of its package.json, `authMethods` of its source.
    "claude": AgentProgram(
        ("claude-agent-acp",),
        "npm install -g @agentclientprotocol/claude-agent-acp",
        "claude-agent-acp --cli auth login",
        (".claude", ".claude.json", ".local/share/claude"),
        ("ANTHROPIC_", "CLAUDE_", "AWS_", "GOOGLE_"),
    ),
    # An adapter with Codex in it: README and src/index.ts of agentclientprotocol/codex-acp.
    "codex": AgentProgram(
        ("codex-acp",),
        "npm install -g @agentclientprotocol/codex-acp",
        "codex-acp login",
        (".codex",),
        ("OPENAI_", "CODEX_"),
    ),
    # docs/cli/acp-mode.md of google-gemini/gemini-cli; "gemini" is the provider of Google's API.
    "gemini-cli": AgentProgram(
        ("gemini", "--acp"),
        "npm install -g @google/gemini-cli",
        "gemini",
        (".gemini",),
        ("GEMINI_", "GOOGLE_"),
    ),
    # opencode.ai/docs/cli/acp
    "opencode": AgentProgram(
        ("opencode", "acp"),
        "npm install -g opencode-ai",
        "opencode auth login",
        _folders("opencode"),
        ("",),
    ),
    # block.github.io/goose/docs/guides/acp-clients; download_cli.sh of aaif-goose/goose
    "goose": AgentProgram(
        ("goose", "acp"),
        "curl -fsSL https://github.com/aaif-goose/goose/releases/download/stable/download_cli.sh"
        " | bash",
        "goose configure",
        _folders("goose"),
        ("",),
    ),
    # docs.github.com/copilot/reference/copilot-cli-reference
    "copilot": AgentProgram(
        ("copilot", "--acp"),
        "npm install -g @github/copilot",
        "copilot login",
        (".copilot", ".config/github-copilot"),
        ("COPILOT_", "GH_TOKEN", "GITHUB_TOKEN"),
    ),
    # The registry; its arguments there have --experimental-skills too, which is not about ACP.
    "qwen": AgentProgram(
        ("qwen", "--acp"),
        "npm install -g @qwen-code/qwen-code",
        "qwen",
        (".qwen",),
        ("OPENAI_", "DASHSCOPE_", "QWEN_"),
    ),
    # moonshotai.github.io/kimi-code/en/reference/kimi-acp
    "kimi": AgentProgram(
        ("kimi", "acp"),
        "npm install -g @moonshot-ai/kimi-code",
        "kimi login",
        (".kimi", ".kimi-code"),
        ("KIMI_", "MOONSHOT_"),
    ),
}
"""By the name of its provider, which tickets and configs use; docs/agents.md lists them, too."""


IGNORED = ("tools", "max_turns", "max_output_tokens", "reasoning", "extra", "stream", "cache")
"""Keys of a ticket that installed agents ignore: they are about lfg's own requests and tools."""


def known_program(command: Sequence[str]) -> AgentProgram | None:
    """Return the agent that a command starts, by its program's file name; None if unknown."""
    name = Path(command[0]).name
    return next((one for one in AGENTS.values() if one.command[0] == name), None)


def program_path(command: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the path of a command's program; None if it is not installed.

    `env` is what is added to the environment; its PATH, if any, is searched instead of lfg's.
    """
    return shutil.which(command[0], path=env.get("PATH"))


def program_files(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the paths that a sandbox must show a program: its folders, packages and arguments.

    Arguments that are absolute paths may name a script.
    """
    if (path := program_path(command, env)) is not None:
        for folder in (Path(path).parent, Path(path).resolve().parent):
            yield folder
            if "node_modules" in folder.parts:  # a Node package needs the packages beside it
                yield Path(*folder.parts[: folder.parts.index("node_modules") + 1])
            elif (folder.parent / "pyvenv.cfg").is_file():  # a virtual environment needs its Python
                yield from (folder.parent, (folder / "python").resolve().parent.parent)
    yield from (Path(word) for word in command[1:] if word.startswith("/"))


def find_program(name: str, command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the path of a provider's program; if it is not installed, raise `UsageError`.

    `env` as in `program_path`.
    """
    if (path := program_path(command, env)) is not None:
        return path
    known = known_program(command)
    fix = f"install it: {known.install}" if known else "check `command`, or the PATH"
    raise UsageError(f'provider "{name}": {shlex.quote(command[0])} is not installed; {fix}')
