"""`lfg run`, `lfg demo`, `lfg resume`."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
import msgspec

from lfgtui.cli.launching.launch import launch
from lfgtui.cli.launching.run_plan import Output, Plan, plan_to_resume, with_model
from lfgtui.errors import UsageError
from lfgtui.model.tickets import load_tickets, select, single_ticket
from lfgtui.settings import paths
from lfgtui.settings.config import Config, load_config
from lfgtui.text.output import RAW_HELP, check_raw, is_interactive, print_remark

P = ParamSpec("P")
R = TypeVar("R")


def _output_options(command: Callable[P, R]) -> Callable[P, R]:
    """`--headless` and `--json`, the same for all that run something."""
    command = click.option("--json", "as_json", is_flag=True, help="JSON lines; no screen.")(
        command
    )
    return click.option("--headless", is_flag=True, help="No screen; a line per state change.")(
        command
    )


@click.command()
@click.argument("file", metavar="TICKETS.toml", required=False, type=click.Path(path_type=Path))
@click.option("-p", "--prompt", help="Run this one prompt instead; '-' reads it from stdin.")
@click.option("--only", multiple=True, metavar="ID", help="Only this ticket and what it needs.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Tickets at once.")
@click.option("--provider", help="Use this provider for every ticket.")
@click.option("--model", help="Use this model for every ticket, as MODEL or PROVIDER/MODEL.")
@click.option("--yes", is_flag=True, help="Trust the tickets file.")
@click.option("--raw", is_flag=True, help=f"With -p: {RAW_HELP}")
@_output_options
def run(
    file: Path | None,
    prompt: str | None,
    only: tuple[str, ...],
    concurrency: int | None,
    provider: str | None,
    model: str | None,
    yes: bool,
    raw: bool,
    headless: bool,
    as_json: bool,
) -> int:
    """Run the tickets of a file, one agent each, or a single prompt with -p."""
    if (file is None) == (prompt is None):
        raise UsageError("give either a tickets file or -p PROMPT")
    if raw and (prompt is None or headless or as_json):
        raise UsageError("--raw goes with -p, without --headless and --json")
    if raw:
        check_raw()
    config = _config(concurrency)
    if prompt is not None:
        if only:
            raise UsageError("--only goes with a tickets file, not with -p")
        tickets = single_ticket(_prompt_text(prompt), Path.cwd())
        output = _output(headless, as_json)
        if output == "states" and not headless:  # piped: the answer, and nothing else
            output = "raw" if raw else "answer"
    else:
        from lfgtui.cli.launching.checks import check_models

        assert file is not None
        tickets = load_tickets(file)
        if provider is None and model is None:
            check_models(file, tickets, config)
        if only:
            tickets = select(tickets, only)
        output = _output(headless, as_json)
    tickets = with_model(tickets, config, provider, model)
    if file is not None:
        from lfgtui.cli.launching.trust import ensure_trusted

        ensure_trusted(file, tickets, yes=yes)
    return launch(Plan(tickets.title, tickets.tickets, config, source=file, output=output))


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Work in this new folder, keep it.")
@click.option("--real", is_flag=True, help="A real small model on this machine; text only.")
@_output_options
def demo(keep: Path | None, real: bool, headless: bool, as_json: bool) -> int:
    """Watch six agents side by side. The models are simulated; all else is real."""
    output = _output(headless, as_json)
    config = _config(None)
    if real:
        if keep is not None:
            raise UsageError("--keep does not go with --real, which writes no files")
        return launch(_real_demo(config, output))
    return _simulated_demo(config, keep, output)


def _real_demo(config: Config, output: Output | None) -> Plan:
    """Text only, so that it needs no files; where it is resumed it must be somewhere, though."""
    file = load_tickets(Path(__file__).parent.parent / "simulator" / "local" / "demo.toml")
    here = str(Path.cwd())
    tickets = tuple(msgspec.structs.replace(ticket, workspace=here) for ticket in file.tickets)
    return Plan(file.title, tickets, config, output=output)


def _simulated_demo(config: Config, keep: Path | None, output: Output | None) -> int:
    workspace = Path(tempfile.mkdtemp(prefix="lfg-demo-")) / "shop" if keep is None else keep
    if workspace.exists():
        raise UsageError(f"--keep: {workspace} exists already; name a new folder")
    shipped = Path(__file__).parent.parent / "simulator" / "demo"
    shutil.copytree(shipped / "workspace", workspace)
    file = load_tickets(shipped / "tickets.toml")
    tickets = tuple(
        msgspec.structs.replace(ticket, workspace=str(workspace.resolve()))
        for ticket in file.tickets
    )
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    code = launch(Plan(file.title, tickets, config, output=output, environment=environment))
    if keep is None and code == 0:
        shutil.rmtree(workspace.parent)
    else:  # an unfinished demo keeps its files: it can be resumed
        print_remark(f"the demo's files are in {workspace}")
    return code


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--concurrency", type=click.IntRange(min=1), help="Tickets at once.")
@click.option("--provider", help="Go on with this provider.")
@click.option("--model", help="Go on with this model, as MODEL or PROVIDER/MODEL.")
@_output_options
def resume(
    name: str,
    concurrency: int | None,
    provider: str | None,
    model: str | None,
    headless: bool,
    as_json: bool,
) -> int:
    """Go on with what RUN did not finish. RUN may be a unique prefix, or 'last'."""
    config, output = _config(concurrency), _output(headless, as_json)
    plan = plan_to_resume(name, config, provider, model, output=output)
    if not plan.unfinished:
        print_remark(f"run {plan.resumes} has nothing left to do")
        return 0
    return launch(plan)


def _config(concurrency: int | None) -> Config:
    config = load_config(paths.config_file())
    if concurrency is not None:
        config = msgspec.structs.replace(config, concurrency=concurrency)
    return config


def _output(headless: bool, as_json: bool) -> Output | None:
    """JSON, state lines, or None for the screen; without a terminal there is no screen."""
    if as_json:
        return "json"
    if headless or not is_interactive():
        return "states"
    return None


def _prompt_text(prompt: str) -> str:
    try:
        text = sys.stdin.read() if prompt == "-" else prompt
    except UnicodeDecodeError:
        raise UsageError("-p -: the prompt on stdin is not UTF-8") from None
    if not text.strip():
        raise UsageError("-p: the prompt is empty")
    return text
