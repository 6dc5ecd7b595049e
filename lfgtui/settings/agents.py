"""Coding agents that speak the Agent Client Protocol, and the programs that start them.

A command was taken from the agent's own documentation or from the protocol's registry
(agentclientprotocol/registry), in November 2026; a comment says which. lfg runs none of the
other commands: they are what a person is told.
"""

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import UsageError


class AgentProgram(NamedTuple):
    """The command that starts an agent, and those that mend its absence and a missing sign-in.

    `folders` below the home folder are where it keeps its settings, its sign-in and its past;
    `keys` are beginnings of the names of environment variables that it may be signed in by.
    """

    command: tuple[str, ...]
    install: str
    sign_in: str
    folders: tuple[str, ...]
    keys: tuple[str, ...]


def _folders(name: str) -> tuple[str, ...]:
    """Return the folders of a program that keeps to freedesktop.org's base directories."""
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


IGNORED = ("tools", "max_turns", "max_output_tokens", "reasoning", "extra", "stream", "cache")
"""Keys of a ticket that are about requests to a model and lfg's tools: agents have their own."""


def known_program(command: Sequence[str]) -> AgentProgram | None:
    """Return the agent that a command starts, going by its program's name; None if unknown."""
    name = Path(command[0]).name
    return next((one for one in AGENTS.values() if one.command[0] == name), None)


def program_path(command: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the path of a command's program; None where it is not installed."""
    return shutil.which(command[0], path=env.get("PATH"))


def program_files(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Path]:
    """Yield what a program has to see: its folders and packages, and the files in its arguments."""
    if (path := program_path(command, env)) is not None:
        for folder in (Path(path).parent, Path(path).resolve().parent):
            yield folder
            if "node_modules" in folder.parts:  # a package of Node's needs those beside it
                yield Path(*folder.parts[: folder.parts.index("node_modules") + 1])
            elif (folder.parent / "pyvenv.cfg").is_file():  # and one of Python's its Python
                yield from (folder.parent, (folder / "python").resolve().parent.parent)
    yield from (Path(word) for word in command[1:] if word.startswith("/"))


def find_program(name: str, command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the path of a provider's program; raise `UsageError` with the command to install it.

    `env` is what the provider adds to the environment: it may have a search path.
    """
    if (path := program_path(command, env)) is not None:
        return path
    known = known_program(command)
    fix = f"install it: {known.install}" if known else "check `command`, or the PATH"
    raise UsageError(f'provider "{name}": {shlex.quote(command[0])} is not installed; {fix}')
