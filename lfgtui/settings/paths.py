"""Paths of the person's config and data, and of what ships with lfg."""

import os
from pathlib import Path

from platformdirs import user_config_path, user_data_path

_APP = "lfg"


def config_file() -> Path:
    """Return `LFG_CONFIG`, else `config.toml` in the platform's config folder."""
    if override := os.environ.get("LFG_CONFIG"):
        return Path(override).expanduser()
    return user_config_path(_APP) / "config.toml"


def data_dir() -> Path:
    """Return `LFG_DATA_DIR`, else the platform's data folder. Not created here."""
    if override := os.environ.get("LFG_DATA_DIR"):
        return Path(override).expanduser()
    return user_data_path(_APP)


def is_default_data_dir() -> bool:
    """Return True unless the person has named the data folder; then its mode is not changed."""
    return not os.environ.get("LFG_DATA_DIR")


def worktrees_dir() -> Path:
    """Return the folder of the worktrees of tickets; it has a folder for each run."""
    return data_dir().absolute() / "worktrees"


def outbox() -> Path:
    """Return the folder of undelivered messages about ended runs (`export/outbox.py`)."""
    return data_dir() / "outbox"


def history_file() -> Path:
    """Return the path of the history database."""
    return data_dir() / "history.db"


def shipped(name: str) -> Path:
    """Return a file or folder that ships with lfg: inside the wheel, or beside the package."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.exists() else package.parent / name
