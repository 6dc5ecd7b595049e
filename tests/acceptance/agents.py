"""Agents that nobody here wrote, their models played by the simulator."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.acceptance.npm import install

# Claude Code wants a model whose name it knows; what follows the name is ours.
MODEL = "claude-sonnet-4-5"


class RealAgent(NamedTuple):
    """How lfg starts it, and the environment in which its model is a scenario of the simulator."""

    name: str
    command: tuple[str, ...]
    environment: Callable[[str, str, Path], Mapping[str, str]]

    def provider(self, name: str, root: str, scenario: str, home: Path) -> str:
        """Return the config of a provider: this agent, with nothing of the person's own."""
        home.mkdir(parents=True, exist_ok=True)
        env = {"HOME": str(home), **self.environment(root, f"{MODEL}-{scenario}", home)}
        table = ", ".join(f"{key} = {json.dumps(value)}" for key, value in env.items())
        command = json.dumps(self.command)
        return f'[providers.{name}]\nwire = "acp"\ncommand = {command}\nenv = {{ {table} }}\n'


def _claude(root: str, model: str, home: Path) -> Mapping[str, str]:
    return {
        "ANTHROPIC_BASE_URL": root,
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_MODEL": model,
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "IS_SANDBOX": "1",  # as root it does not start with another value, which one may have here
    }


def _opencode(root: str, model: str, home: Path) -> Mapping[str, str]:
    played = {
        "reasoning": True,
        "options": {"reasoningEffort": "low"},
        "limit": {"context": 128_000, "output": 8_000},
    }
    simulator = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{root}/v1", "apiKey": "none"},
        "models": {model: played},
    }
    config = home / "opencode.json"
    config.write_text(
        json.dumps(
            {
                "provider": {"simulator": simulator},
                "model": f"simulator/{model}",
                "small_model": f"simulator/{model}",
                "permission": {"edit": "ask", "bash": "ask"},
                "autoupdate": False,
                "share": "disabled",
            }
        )
    )
    folders = ("config", "data", "state", "cache")
    return {
        "OPENCODE_CONFIG": str(config),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "npm_config_offline": "true",  # it would install a package of its own
        **{f"XDG_{folder.upper()}_HOME": str(home / folder) for folder in folders},
    }


def claude() -> RealAgent:
    """Return Claude Code with its adapter; this is the last version for Node 20."""
    path = install("@agentclientprotocol/claude-agent-acp", "0.49.0", "claude-agent-acp")
    return RealAgent("claude", (str(path),), _claude)


def opencode() -> RealAgent:
    """Return OpenCode."""
    path = install("opencode-ai", "1.18.33", "opencode")
    return RealAgent("opencode", (str(path), "acp"), _opencode)
