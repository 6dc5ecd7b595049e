"""A ticket as a worker does it."""

from pathlib import Path

from lfgtui.cli.launching.remote.worker import ticket_of
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers.protocol import Job
from lfgtui.settings import paths


def test_a_ticket_brings_no_hole_in_the_sandbox_along(tmp_path: Path) -> None:
    secret = str(tmp_path / "home")
    ticket = Ticket(
        id="a",
        prompt="Go.",
        workspace="/etc",
        needs=("b",),
        copy_of="c",
        sandbox="none",
        readable=(secret,),
        writable=(secret,),
    )
    job = Job("20261123-000000-aaaa", ticket, 1, "Test", 15.0, is_headless=True)
    here = ticket_of(job)
    assert (here.sandbox, here.readable, here.writable) == (None, (), ())
    assert Path(here.workspace) == paths.data_dir().resolve() / "worker" / job.run / "a"
    assert (here.needs, here.copy_of, here.prompt) == ((), "", "Go.")
