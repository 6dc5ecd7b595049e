"""What the screen of past runs may do to the history file of this machine."""

from pathlib import Path

from lfgtui.cli.launching.run_plan import check_providers, plan_to_resume
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import Config


class FileKeeper:
    """`ui.keeper.Keeper` over the history file. Imports what it needs when it is asked."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @property
    def _path(self) -> Path:
        return paths.history_file()

    def delete(self, run: str) -> None:
        from lfgtui.history.maintenance import deletion

        if run not in deletion.delete(self._path, [run]):
            raise UsageError(f"run {run} is being run; end it first")

    def pin(self, run: str, pinned: bool) -> None:
        from lfgtui.history.maintenance import annotations

        annotations.pin(self._path, run, pinned)

    def annotate(self, run: str, note: str) -> None:
        from lfgtui.cli.launching.redactors import redacted_for_writing
        from lfgtui.history.maintenance import annotations

        annotations.annotate(self._path, run, redacted_for_writing(self._config, note))

    def check_resume(self, run: str, *, is_ours: bool) -> None:
        from lfgtui.history.storage import leases

        plan = plan_to_resume(run, self._config)
        if not plan.unfinished:
            raise UsageError(f"run {run} has nothing left to do")
        if not is_ours:
            with leases.held(self._path.parent / "locks", run, patiently=True) as is_free:
                if not is_free:
                    raise UsageError(f"run {run} is being run by another lfg")
        check_providers(plan)
