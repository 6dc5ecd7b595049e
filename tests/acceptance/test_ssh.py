"""`lfg attach HOST` over a real sshd, also when the connection is cut."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.engine.commands import Cancel
from lfgtui.model import events as e
from lfgtui.server import remote_run
from lfgtui.server.host import Host
from lfgtui.server.remote_run import RemoteRun
from lfgtui.settings import paths
from lfgtui.settings.machines import relay_command
from tests.acceptance.nginx import free_ports
from tests.helpers.waiting import until
from tests.server.control.test_listening import at_work
from tests.server.test_remote_run import Attached

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
SSH = shutil.which("ssh")

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (SSHD and SSH), reason="no sshd (apt-get install openssh-server)"),
]


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An sshd of the test's own, known to `ssh` as box; gives its process id."""
    (port,) = free_ports(1)
    key, host_key = tmp_path / "key", tmp_path / "host_key"
    for path in (key, host_key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    programs = Path(sys.executable).parent
    server, client = tmp_path / "sshd_config", tmp_path / "ssh_config"
    server.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\n"
        f"AuthorizedKeysFile {key}.pub\nStrictModes no\nPasswordAuthentication no\n"
        f"SetEnv PATH={programs}:/usr/bin:/bin LFG_DATA_DIR={paths.data_dir()}\n"
    )
    client.write_text(
        f"Host box\n HostName 127.0.0.1\n Port {port}\n IdentityFile {key}\n IdentitiesOnly yes\n"
        " StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n"
    )
    own = tmp_path / "bin"
    own.mkdir()
    (own / "ssh").write_text(f'#!/bin/sh\nexec {SSH} -F {client} "$@"\n')
    (own / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}:{os.environ['PATH']}")
    Path("/run/sshd").mkdir(exist_ok=True)
    log = tmp_path / "log"
    with subprocess.Popen([str(SSHD), "-D", "-E", log, "-f", server]) as process:
        until(lambda: log.exists() and "listening on" in log.read_text())
        yield process.pid
        process.terminate()


async def test_a_run_is_followed_over_ssh_through_a_cut(
    sshd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_run, "_DELAYS", (0.05,))
    command = relay_command({}, "box", may_ask=False)
    host = Host("box", command, command)
    async with at_work(tmp_path) as r:  # its ticket waits in mid-answer
        (listed,) = await host.runs()
        attached = Attached(RemoteRun(host, await host.watch(listed.summary.run)))
        attached.run.start()
        await attached.until(lambda: len(attached.entries) > 5)
        await asyncio.to_thread(_cut, sshd)
        await attached.until(lambda: attached.run.health.lost)
        r.engine.send(Cancel("a"))
        await r.until_event("a", e.TicketCancelled)
        await attached.up_to(r)
        attached.check_same(r)
        await attached.run.shutdown()
        await host.close()


def _cut(sshd: int) -> None:
    """Kill what sshd has started for its connections."""
    children = subprocess.run(
        ["pgrep", "-P", str(sshd)], capture_output=True, text=True, check=True
    )
    for child in children.stdout.split():
        os.kill(int(child), signal.SIGKILL)
