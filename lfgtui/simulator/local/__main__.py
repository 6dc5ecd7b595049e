"""`python -m lfgtui.simulator.local`: llama.cpp's server, as `subprocess_server` starts it.

llama.cpp serves from threads of its own; Python's main thread only waits. It
holds the interpreter while it loads the model: a parent that is killed just
then is noticed once it has loaded, a second or two later.
"""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from lfgtui.errors import UsageError
from lfgtui.simulator.local.model import find_model
from lfgtui.text.terminal_safe import visible_line

_ERRORS_ONLY = 1
"""llama.cpp's verbosity."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the parent is gone; returns the exit code where the server does not start."""
    parser = argparse.ArgumentParser(prog="python -m lfgtui.simulator.local", description=__doc__)
    parser.add_argument("--model-file", help="a GGUF file; default: the installed one")
    parser.add_argument("--alias", required=True, help="the model's name in answers")
    parser.add_argument("--slots", type=int, required=True, help="answers at once")
    parser.add_argument("--context", type=int, required=True, help="tokens for each slot")
    given = parser.parse_args(arguments)
    # Stdout is for the one line that the parent reads: anything else goes to stderr.
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        file = find_model(given.model_file)
        server = serve(file, alias=given.alias, slots=given.slots, context=given.context)
    except UsageError as error:
        announce.write(
            f"{visible_line(str(error))}\n"
        )  # not to stderr, where llama.cpp's log comes late
        announce.close()
        return 2
    announce.write(f"local model: {server.listening_address}\n")
    announce.close()
    threading.Event().wait()
    return 0


class Server(Protocol):
    """llama.cpp's server in xllamacpp; it serves as long as it is referenced."""

    listening_address: str


def serve(file: Path, *, alias: str, slots: int, context: int) -> Server:
    """Load the model and serve it on a free port of loopback.

    Raises `UsageError` where llama.cpp cannot load the file.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.kv_unified = False  # a full slot affects its own ticket only
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.verbosity = _ERRORS_ONLY
    # No web page may send it requests, or see those of others.
    params.cors_origins = "http://127.0.0.1"
    params.endpoint_slots = False
    params.ui = False
    params.cache_ram_mib = 0  # up to 8 GB by default
    try:
        return cast(Server, xllamacpp.Server(params))
    except RuntimeError:
        message = f"llama.cpp cannot load {file}; is it the GGUF file of a chat model?"
        raise UsageError(message) from None


def _threads() -> int:
    """Return the number of cores but one, which is for lfg."""
    has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS
    return max(1, (len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1) - 1)


def _exit_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os._exit(0)  # even in the middle of answers: nobody reads them


if __name__ == "__main__":
    sys.exit(main())
