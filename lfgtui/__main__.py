"""`python -m lfgtui` and the `lfg` command."""

import gc
import os
import sys
from collections.abc import Sequence

from lfgtui.engine import signals
from lfgtui.settings import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lfg; return the exit code.

    With None, `sys.argv` is read and the process is lfg's own: signals are
    handled from here on, and keys are taken out of its environment before
    anything else is imported. Tests pass `arguments` and skip all this.
    """
    if arguments is not None:
        return _run(arguments)
    gc.disable()  # until the command is imported: nothing of that is garbage
    try:
        signals.raise_on_first()
        environment.hide(environment.secret_names(os.environ))
        environment.forbid_inspection()
        code = _run(None)
    except signals.EndedBySignal as ended:
        code = ended.exit_code
    signals.block()
    from lfgtui.text.output import has_all_been_read

    # The interpreter's shutdown is skipped if it would wait for a terminal that does not read.
    # After a signal, too: it restores the default handlers, so that a second signal would kill
    # the process and change its exit code.
    if not has_all_been_read() or code > 128:
        os._exit(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    from lfgtui.cli.commands import main as run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    sys.exit(main())
