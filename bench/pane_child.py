"""One measured process: shows one side, measures it, writes a report and is gone.

    python -m bench.pane_child JOB REPORT

`JOB` is a `Job` in JSON. The file beside the report that ends in `.go` appears
when keys may come.
"""

import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from textual.pilot import Pilot

from bench import pane_modes, pane_paced
from bench.pane_job import Job, Mode, Report
from bench.pane_sides import Side, make_side

_MODES: dict[Mode, Callable[[Side, Job], Awaitable[dict[str, float]]]] = {
    "lockstep": pane_modes.lockstep,
    "worst": pane_modes.worst,
    "memory": pane_modes.memory,
    "paced": pane_paced.paced,
    "resize": pane_paced.resize,
}


def main(job: Job, target: Path) -> None:
    """Run the job."""
    side = make_side(job)

    async def measure(_: Pilot[object]) -> None:
        report = Report()
        try:
            await side.begin()
            side.watcher.attach(side.app)
            side.watcher.go = target.with_suffix(".go")
            report.figures = await _MODES[job.mode](side, job)
            report.keys_handled = [done for _, done in side.watcher.keys]
        except BaseException:
            report.error = traceback.format_exc()
        target.write_bytes(msgspec.json.encode(report))  # noqa: ASYNC240  # the last thing done
        os._exit(0)  # taking thousands of widgets down would take minutes

    side.run(auto_pilot=measure)


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Job), Path(sys.argv[2]))
