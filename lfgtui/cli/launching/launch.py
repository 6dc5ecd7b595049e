"""From a plan to a run: check, start, run, close."""

import asyncio
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from lfgtui.cli import launching
from lfgtui.cli.launching.run_plan import Plan, check_providers
from lfgtui.settings.config import SIMULATED, Config
from lfgtui.settings.credentials import held_keys
from lfgtui.text.output import print_error

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine


def launch(plan: Plan) -> int:
    """Run the plan, and whichever run is resumed from its screen; return the worst exit code.

    Raises `UsageError` before anything starts when a provider, a model, a key
    or a theme is missing, `HistoryError` when the run cannot be stored,
    `UnicodeEncodeError` where a prompt, a model or a path is not UTF-8.
    """
    msgspec.json.encode(plan.tickets)  # what cannot be stored is refused before there is a screen
    worst = 0
    while True:
        code, resumes = _launch(plan)
        worst = max(worst, code)
        if resumes is None:
            return worst
        plan = launching.past_runs.plan_to_resume(resumes, plan.config)


def browse(config: Config) -> int:
    """Show past runs on the screen, then run the one to resume, if any; return the exit code."""
    code, resumes = launching.screen.browse(config)
    if resumes is None:
        return code
    return launch(launching.past_runs.plan_to_resume(resumes, config))


def _launch(plan: Plan) -> tuple[int, str | None]:
    """Return the exit code, and the stored run to resume next."""
    used = check_providers(plan)
    _warn_of_root(plan, used)
    if plan.config.history.redact == "write" or _contains_key(plan):
        plan = launching.redactors.without_secrets(plan)
    unsaved: list[str] = []
    resumes = None
    with ExitStack() as closing:

        def build() -> "Engine":
            return launching.session.build_engine(plan, closing, unsaved)

        if plan.output is None:
            code, resumes = launching.screen.run(plan, build, is_simulated=bool(used & SIMULATED))
        else:
            code = asyncio.run(launching.headless.run_headless(build(), plan.output))
    return (max(code, 1), None) if unsaved else (code, resumes)


def _warn_of_root(plan: Plan, used: set[str]) -> None:
    """Warn where a command could read keys out of lfg's memory."""
    providers = [plan.config.provider(name) for name in used]
    has_keys = any(one.api_key_env or one.api_key_command for one in providers)
    has_commands = any("run_command" in ticket.tools for ticket in plan.tickets)
    if has_keys and has_commands and os.geteuid() == 0:
        print_error("running as root, so commands that agents run can read your keys")


def _contains_key(plan: Plan) -> bool:
    """Return True if a key is in what is shown before there is an engine."""
    shown = (plan.title, *(f"{ticket.title}\n{ticket.prompt}" for ticket in plan.tickets))
    return any(key in text for key in held_keys(plan.config) for text in shown)
