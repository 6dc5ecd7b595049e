"""`lfg run`, `lfg demo`, `lfg resume`: check the options, make a `Plan`, launch it.

Without a file or prompt, `lfg run` is the start screen; `lfg` alone calls it so.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args

import click
import msgspec

from lfgtui.cli import launching
from lfgtui.cli.launching.launch import (
    Output,
    Plan,
    file_tickets,
    launch,
    prompt_tickets,
    run_plan,
)
from lfgtui.cli.options import (
    NO_WORKERS,
    RAW_HELP,
    detach_option,
    limit_options,
    output_options,
    piped_tickets,
    prompt_text,
    with_workers,
    workers_options,
)
from lfgtui.errors import STDIN, LfgError, UsageError, source_name
from lfgtui.model.needs import select
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets_file import TicketsFile, load_tickets
from lfgtui.settings import paths
from lfgtui.settings.config import Config, StreamUnit, load_config
from lfgtui.text.output import can_draw, check_raw, is_interactive, print_remark

_SIMULATOR = Path(__file__).parent.parent / "simulator"

_DEMO = "lfg-demo-"
"""Prefix of the folders that demos work in, below the folder for temporary files."""

_KEPT = 7 * 24 * 3600.0
"""Seconds for which an unfinished demo can be resumed; then the next demo deletes its files."""


@click.command()
@click.argument("file", metavar="[TICKETS.toml]", required=False, type=click.Path(path_type=Path))
@click.option("-p", "--prompt", help="Run this prompt instead; '-' reads it from stdin.")
@click.option(
    "--only", multiple=True, metavar="ID", help="Only this ticket and what it needs; repeatable."
)
@click.option("--changed", is_flag=True, help="Only tickets that are new, changed or not done.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Tickets running at once.")
@click.option("--provider", help="Use this provider, or installed agent, for every ticket.")
@click.option(
    "--model",
    "models",
    multiple=True,
    help="Use this model for every ticket, as MODEL or PROVIDER/MODEL; with -p repeatable.",
)
@click.option(
    "--copies",
    type=click.IntRange(1, 9),
    help="With -p: run it this many times, to choose an answer.",
)
@click.option(
    "--worktree", is_flag=True, help="With -p: work in a git worktree, on a branch of its own."
)
@click.option("--yes", is_flag=True, help="Trust the tickets file without asking.")
@click.option("--raw", is_flag=True, help=f"With -p: {RAW_HELP}")
@click.option(
    "--stream-unit",
    type=click.Choice(get_args(StreamUnit)),
    help="With --json, or -p in a pipe: print answers by this unit.",
)
@workers_options
@limit_options
@detach_option
@output_options
def run(
    file: Path | None,
    prompt: str | None,
    only: tuple[str, ...],
    changed: bool,
    concurrency: int | None,
    provider: str | None,
    models: tuple[str, ...],
    copies: int | None,
    worktree: bool,
    yes: bool,
    raw: bool,
    stream_unit: StreamUnit | None,
    detach: bool,
    headless: bool,
    as_json: bool,
    workers: str | None,
    limits: RunLimits,
) -> int:
    """Run the tickets of a file, one agent each, or a single prompt with -p.

    '-' reads tickets from stdin: TOML, or JSON lines with a ticket's keys on each.

    With neither, open a start screen. With --changed, run the tickets that are new, changed or
    not done since this file was last run, with those that need them and those they need. On the
    screen, lfg offers this for a file that was run before.
    """
    model = models[0] if models else None
    is_alone = file is None and prompt is None
    is_bare = not (only or changed or raw or stream_unit or headless or as_json or copies or detach)
    if is_alone and is_bare and not worktree and is_interactive():
        return _start(_config(concurrency, workers), provider, model, limits, yes=yes)
    if file is None and (only or changed):
        option = "--only" if only else "--changed"
        raise UsageError(f"{option} requires a tickets file: lfg run TICKETS.toml {option}")
    if (file is None) == (prompt is None):
        raise UsageError("give either a tickets file or -p PROMPT")
    if prompt is None and (copies or len(models) > 1):
        raise UsageError("--copies, and --model more than once, require -p PROMPT")
    if prompt is None and worktree:
        raise UsageError("--worktree requires -p PROMPT; in a file: worktree = true")
    if copies and len(models) > 1:
        raise UsageError("--copies cannot be combined with more than one --model")
    if raw and (prompt is None or headless or as_json or detach):
        raise UsageError("--raw requires -p, without --headless, --json or --detach")
    if raw:
        check_raw()
    _check_only(only)
    config = _config(concurrency, workers)
    piped = piped_tickets() if file == STDIN else None
    versions = list(models) if len(models) > 1 else [model] * (copies or 1)
    output = _output(headless, as_json, detach)
    if output == "states" and not headless:  # not requested: there is no terminal
        is_piped = piped is not None
        output = _without_terminal(prompt, is_piped=is_piped, is_raw=raw, copies=len(versions))
    if stream_unit is not None:
        if output in (None, "states"):
            raise UsageError(
                "--stream-unit requires --json, or -p with its output in a pipe or file"
            )
        config = msgspec.structs.replace(config, stream_unit=stream_unit)
    if file is None:
        tickets = prompt_tickets(prompt_text(prompt or ""), config, provider, versions)
        tickets = _in_worktrees(tickets) if worktree else tickets
    else:
        tickets = file_tickets(file, config, provider, model, only=only, piped=piped)
        if changed:
            tickets = select(tickets, launching.past_runs.changed_since(file, tickets, config))
        elif output is None and not (only or yes or detach):
            return _run_file(file, tickets, config, limits)
        if not tickets.tickets:
            name = source_name(file)
            print_remark(f"nothing to run: every ticket of {name} is done and unchanged")
            return 0
        launching.trust.ensure_trusted(file, tickets, config, yes=yes)
    plan = _plan(tickets, config, limits, source=file, output=output)
    return launch(msgspec.structs.replace(plan, is_detached=detach))


def _check_only(only: tuple[str, ...]) -> None:
    """Raise `UsageError` for several ids in one value, as in `--only a,b`."""
    if listed := next((one for one in only if "," in one), None):
        repeated = " ".join(f"--only {one.strip()}" for one in listed.split(",") if one.strip())
        raise UsageError(f"--only takes one ID: repeat it, as {repeated}")


def _in_worktrees(file: TicketsFile) -> TicketsFile:
    tickets = tuple(msgspec.structs.replace(one, worktree=True) for one in file.tickets)
    return msgspec.structs.replace(file, tickets=tickets)


def _plan(
    file: TicketsFile,
    config: Config,
    limits: RunLimits,
    *,
    source: Path | None = None,
    output: Output | None = None,
) -> Plan:
    """Return the plan; `limits` are the command line's and override those of file and config."""
    limits = limits.over(file.run.within(config.run))
    return Plan(
        file.title,
        file.tickets,
        config,
        source=source,
        output=output,
        run_limits=limits,
        on_end=file.on_end,
    )


def _start(
    config: Config, provider: str | None, model: str | None, limits: RunLimits, *, yes: bool
) -> int:
    """Run what is chosen on the start screen."""
    folder = launching.start.Folder(config, provider, model)
    code, resumes, choice = folder.choose()
    if choice is None:
        return max(code, launching.launch.resume(resumes, config))
    if choice.file is None and choice.prompt is None:
        return _simulated_demo(config, None, None)
    tickets = folder.tickets(choice)
    if choice.file is not None:
        return _run_file(choice.file, tickets, config, limits, yes=yes)
    return launch(_plan(tickets, config, limits))


def _run_file(
    file: Path, tickets: TicketsFile, config: Config, limits: RunLimits, *, yes: bool = False
) -> int:
    """Run the file on the screen; one that was run before only in part, if the person so chooses.

    With `yes` nothing is asked and all of it runs.
    """
    chosen = tickets if yes else launching.rerun.offer_changed(file, tickets, config)
    if chosen is None:
        return 0
    launching.trust.ensure_trusted(file, chosen, config, yes=yes)
    return launch(_plan(chosen, config, limits, source=file))


@click.command()
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Work in this new folder and keep it."
)
@click.option("--real", is_flag=True, help="Use a real small model on this machine; text only.")
@output_options
def demo(keep: Path | None, real: bool, headless: bool, as_json: bool) -> int:
    """Watch six agents side by side. The models are simulated; all else is real."""
    output = _output(headless, as_json)
    config = _config(None)
    if not real:
        return _simulated_demo(config, keep, output)
    if keep is not None:
        raise UsageError("--keep cannot be combined with --real, which writes no files")
    # The tickets use no files; but a resume needs a workspace that still exists.
    file = _in_workspace(load_tickets(_SIMULATOR / "demo" / "local.toml"), Path.cwd())
    return launch(Plan(file.title, file.tickets, config, output=output))


def _simulated_demo(config: Config, keep: Path | None, output: Output | None) -> int:
    """Run the demo in a copy of its project, which is deleted if all tickets are done."""
    if keep is not None and keep.exists():
        raise UsageError(f"--keep: {keep} already exists; choose a new folder")
    _sweep()
    workspace = Path(tempfile.mkdtemp(prefix=_DEMO)) / "shop" if keep is None else keep
    shutil.copytree(_SIMULATOR / "demo" / "workspace", workspace)
    file = _in_workspace(load_tickets(_SIMULATOR / "demo" / "tickets.toml"), workspace.resolve())
    if output is not None:  # there is nobody to approve calls
        alone = tuple(msgspec.structs.replace(one, approve="auto") for one in file.tickets)
        file = msgspec.structs.replace(file, tickets=alone)
    search_path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    plan = Plan(
        file.title,
        file.tickets,
        config,
        output=output,
        is_harmless=True,
        environment={"PATH": search_path},
    )
    try:
        code, resumes = run_plan(plan)
    except LfgError:  # nothing was started
        shutil.rmtree(workspace if keep else workspace.parent)
        raise
    if keep is None and code == 0:
        shutil.rmtree(workspace.parent)
    else:  # an unfinished demo keeps its files: it can be resumed
        print_remark(f"the demo's files are in {workspace}")
    return max(code, launching.launch.resume(resumes, config))


def _sweep() -> None:
    """Delete the folders of demos that were killed or never resumed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_DEMO}*"):
        with suppress(OSError):  # another user's
            if folder.stat().st_mtime < time.time() - _KEPT:
                shutil.rmtree(folder)


def _in_workspace(file: TicketsFile, workspace: Path) -> TicketsFile:
    tickets = (msgspec.structs.replace(one, workspace=str(workspace)) for one in file.tickets)
    return msgspec.structs.replace(file, tickets=tuple(tickets))


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--concurrency", type=click.IntRange(min=1), help="Tickets running at once.")
@click.option("--provider", help="Continue with this provider.")
@click.option("--model", help="Continue with this model, as MODEL or PROVIDER/MODEL.")
@workers_options
@limit_options
@detach_option
@output_options
def resume(
    name: str,
    concurrency: int | None,
    provider: str | None,
    model: str | None,
    detach: bool,
    headless: bool,
    as_json: bool,
    workers: str | None,
    limits: RunLimits,
) -> int:
    """Continue what RUN did not finish.

    RUN may be a unique prefix or suffix, or 'last': the newest in this folder's repository.
    """
    config, output = _config(concurrency, workers), _output(headless, as_json, detach)
    plan = launching.past_runs.plan_to_resume(
        name, config, provider, model, output=output, may_repeat=workers == NO_WORKERS
    )
    if not plan.unfinished:
        print_remark(f"run {plan.resumes} is already finished")
        return 0
    return launch(msgspec.structs.replace(plan, run_limits=limits, is_detached=detach))


def _config(concurrency: int | None, workers: str | None = None) -> Config:
    config = with_workers(load_config(paths.config_file()), workers)
    if concurrency is not None:
        config = msgspec.structs.replace(config, concurrency=concurrency)
    return config


def _without_terminal(prompt: str | None, *, is_piped: bool, is_raw: bool, copies: int) -> Output:
    """Return the output of a run that has no terminal; raise `UsageError` if it needs one."""
    if is_piped and can_draw():
        raise UsageError("no terminal to read keys from; add --headless or --json")
    if copies > 1:
        raise UsageError("--copies, or several --model, need a terminal, --headless or --json")
    if prompt is None:
        return "states"
    return "raw" if is_raw else "answer"


def _output(headless: bool, as_json: bool, detach: bool = False) -> Output | None:
    """Return None for the screen; a detached run has one in each terminal that attaches."""
    if detach:
        if headless or as_json:
            raise UsageError("--detach prints the run's id alone: remove --headless and --json")
        return None
    if as_json:
        return "json"
    if headless or not is_interactive():
        return "states"
    return None
