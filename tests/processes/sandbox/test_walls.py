"""Which tickets have a wall, and what each of them leaves open."""

import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from lfgtui.model.tickets import NO_SANDBOX, Ticket, distrusted
from lfgtui.processes.private_folder import PrivateFolder, sweep
from lfgtui.processes.sandbox.availability import Sandboxing, find_sandbox
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.settings.sandbox import SandboxPolicy

HERE = Sandboxing("/usr/bin/bwrap")
NOWHERE = Sandboxing("", "bubblewrap is not installed")
TICKET = Ticket(id="a", prompt="Go.", workspace="/code")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def walls(found: Sandboxing = HERE, **policy: object) -> Walls:
    return Walls(msgspec.convert(policy, SandboxPolicy), found, (Path("/data"),), 16 * 10**9)


def ticket(**keys: object) -> Ticket:
    return msgspec.structs.replace(TICKET, **keys)


def test_a_ticket_has_a_wall_unless_it_or_the_config_says_none() -> None:
    assert walls().of(TICKET).wall is not None
    assert walls().of(ticket(sandbox="none")).wall is None
    assert walls(mode="none").of(TICKET).wall is None
    assert walls(mode="none").of(ticket(sandbox="auto")).wall is not None
    assert walls(mode="none").of(TICKET).missing == ""


def test_where_there_can_be_none_the_reason_is_told() -> None:
    assert walls(NOWHERE).of(TICKET).missing == "bubblewrap is not installed"
    assert walls(NOWHERE).of(ticket(sandbox="none")).missing == ""
    assert walls(NOWHERE).of(TICKET).description == NO_SANDBOX


@pytest.mark.parametrize(
    ("policy", "keys", "network"),
    [
        ({}, {}, False),
        ({"network": True}, {}, True),
        ({"network": True}, {"network": False}, False),
        ({}, {"network": True}, True),
    ],
)
def test_the_network_is_the_tickets_to_say(
    policy: dict[str, object], keys: dict[str, object], network: bool
) -> None:
    held = walls(HERE, **policy).of(ticket(**keys))
    assert held.wall is not None and held.wall.network is network
    assert held.description == f"in the sandbox, {'with' if network else 'no'} network"


def test_a_command_that_has_all_of_the_home_folder_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for workspace, whole in (("me", True), ("", True), ("me/project", False)):
        held = walls().of(ticket(workspace=str(tmp_path / workspace)))
        said = "in the sandbox, no network" + "; your home folder is its workspace" * whole
        assert held.description == said


def test_an_agent_has_the_network_and_no_limit_of_time_or_memory() -> None:
    held = walls().of(TICKET).of_agent
    assert held.wall is not None and held.wall.network and held.wall.may_nest
    assert (held.limits.cpu, held.limits.memory) == (None, None)
    assert held.limits.processes == 1000


def test_paths_of_the_ticket_are_added_to_those_of_the_config() -> None:
    held = walls(readable=["/a"], writable=["/b"]).of(ticket(readable=("/c",)), "/tree/in", "/tree")
    assert held.wall is not None and held.wall.workspace == Path("/tree/in")
    assert held.wall.readable == (Path("/a"), Path("/c"))
    assert held.wall.writable == (Path("/b"), Path("/tree"))
    assert held.wall.hidden == (Path("/data"),)


def test_limits_are_those_of_the_config() -> None:
    limits = walls(memory="25%", file_size="1 GB", cpu_seconds=7).of(TICKET).limits
    assert (limits.memory, limits.file_size, limits.cpu) == (4 * 10**9, 10**9, 7)


def test_a_run_that_nobody_trusted_has_no_holes_in_its_sandbox() -> None:
    holes = ticket(sandbox="none", network=True, readable=("/",), writable=("/",))
    sealed = distrusted(holes)
    assert (sealed.sandbox, sealed.network) == (None, None)
    assert sealed.readable == sealed.writable == ()


def test_its_folders_are_gone_with_the_run() -> None:
    made = walls()
    wall = made.of(TICKET).wall
    assert wall is not None and wall.private is not None
    assert wall.private.parent.is_dir()
    made.close()
    assert not wall.private.parent.exists()


def test_what_a_killed_run_left_is_deleted_and_no_other(temporary: Path) -> None:
    running, killed = walls(), PrivateFolder()
    os.close(killed._lock or -1)  # as the end of its process does
    (killed.path / "a").mkdir()
    for folder in temporary.iterdir():
        os.utime(folder, (0, 0))
    sweep()
    assert len(list(temporary.iterdir())) == 1 and not killed.path.exists()
    running.close()
    assert not list(temporary.iterdir())


def test_variables_that_name_what_is_outside_are_left_out() -> None:
    outside = (
        "SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS DOCKER_HOST XDG_RUNTIME_DIR DISPLAY KUBECONFIG"
    )
    outside += " LFG_DATA_DIR GPG_AGENT_INFO TMUX XAUTHORITY SUDO_ASKPASS NVIM_LISTEN_SOCK"
    kept = {"PATH": "/bin", "LANG": "C", "NODE_ENV": "test", "DISPLAY_NAME": "x", "GIT_AUTHOR": "a"}
    wall = Wall("bwrap", Path("/w"), Path("/home/x"))
    found = wall.variables({**dict.fromkeys(outside.split(), "x"), **kept})
    assert not found.keys() & set(outside.split())
    assert found.items() >= kept.items()
    assert (found["HOME"], found["TMPDIR"]) == ("/home/x", "/tmp")


def test_without_bubblewrap_there_is_a_reason_and_a_remedy(tmp_path: Path) -> None:
    found = find_sandbox(str(tmp_path))
    assert (found.program, found.reason) == ("", "bubblewrap is not installed")
    assert "apt install bubblewrap" in found.fix


def test_a_bubblewrap_that_does_not_work_is_none(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    said = "No permissions to create new namespace"
    program.write_text(f"#!/bin/sh\necho 'bwrap: {said}' >&2; exit 1\n")
    program.chmod(0o755)
    found = find_sandbox(str(tmp_path))
    assert found.program == "" and said in found.reason
