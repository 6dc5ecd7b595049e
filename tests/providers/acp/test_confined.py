"""What a whole agent has behind its wall: its own folders, its own keys, the network."""

from pathlib import Path

import pytest

from lfgtui.processes.limits import ProcessLimits
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.acp.confined import confined
from lfgtui.settings.providers import PRESETS, ProviderConfig

KEYS = {"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o", "SSH_AUTH_SOCK": "/x", "LANG": "C"}


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Confinement:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    wall = Wall("bwrap", tmp_path / "work", tmp_path / "home")
    return Confinement(wall, limits=ProcessLimits(cpu=9, memory=9, processes=9, file_size=9))


def test_an_agent_that_is_known_has_its_folders_and_its_keys(held: Confinement) -> None:
    environment, inside = confined(PRESETS["claude"], held)
    assert held.wall is not None and inside.wall is not None
    assert inside.wall.network and inside.limits == ProcessLimits(processes=9, file_size=9)
    home = held.wall.home
    assert inside.wall.writable[:2] == (home / ".claude", home / ".claude.json")
    assert (home / ".claude").is_dir()  # so that its first sign-in stays
    assert environment["ANTHROPIC_API_KEY"] == "a" and environment["HOME"] == str(home)
    assert not environment.keys() & {"OPENAI_API_KEY", "SSH_AUTH_SOCK"}


def test_settings_kept_elsewhere_are_found_there(held: Confinement, tmp_path: Path) -> None:
    place = str(tmp_path / "claude-work")
    given = {"wire": "acp", "command": ("claude-agent-acp",), "env": {"CLAUDE_CONFIG_DIR": place}}
    environment, inside = confined(ProviderConfig(**given), held)  # type: ignore[arg-type]
    assert inside.wall is not None and Path(place) in inside.wall.writable
    assert environment["CLAUDE_CONFIG_DIR"] == place


def test_any_other_program_has_what_is_configured(held: Confinement, tmp_path: Path) -> None:
    program, script = tmp_path / "bin" / "agent", tmp_path / "script.json"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    given = (str(program), str(script))
    config = ProviderConfig(wire="acp", command=given, writable=(str(tmp_path / "own"),))
    environment, inside = confined(config, held)
    assert inside.wall is not None
    assert {program.parent, script} <= set(inside.wall.readable)
    assert inside.wall.writable == (tmp_path / "own",)
    assert environment["OPENAI_API_KEY"] == "o" and "SSH_AUTH_SOCK" not in environment


def test_what_its_env_names_is_there(held: Confinement, tmp_path: Path) -> None:
    home, file = tmp_path / "its-home", tmp_path / "agent.json"
    home.mkdir()
    file.write_text("{}")
    env = {"HOME": str(home), "AGENT_CONFIG": str(file), "PLACE": "/no/such/place"}
    environment, inside = confined(ProviderConfig(wire="acp", command=("agent",), env=env), held)
    assert inside.wall is not None
    assert file in inside.wall.readable and inside.wall.writable == (home,)
    assert environment["HOME"] == str(home)


def test_without_a_wall_it_has_all_that_the_person_has(held: Confinement) -> None:
    environment, inside = confined(PRESETS["claude"], held._replace(wall=None))
    assert inside.wall is None and inside.limits == ProcessLimits(processes=9, file_size=9)
    assert environment.items() >= KEYS.items()
