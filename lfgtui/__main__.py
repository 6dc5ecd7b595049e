"""`python -m lfgtui` and the `lfg` command."""

import gc
import os
import sys
from collections.abc import Sequence

from lfgtui.engine import signals
from lfgtui.settings import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lfg; return the exit code.

    Without arguments they are the process's, and so the process is lfg's own:
    signals are handled from here on, and keys are taken out of its environment
    before anything else is imported.
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

    # Not through the interpreter's own ending where it would wait for a terminal that does
    # not read, or give signals back to their defaults: one more would be the exit code then.
    if not has_all_been_read() or code > 128:
        os._exit(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    from lfgtui.cli.commands import main as run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    sys.exit(main())
