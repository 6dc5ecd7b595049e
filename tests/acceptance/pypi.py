"""Programs from PyPI, each in an environment of its own: installed for these tests alone."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "build" / "pypi"


def install(package: str, version: str, program: str) -> Path:
    """Return the program's path; the first time, install it, or skip the test."""
    folder = FOLDER / f"{package}-{version}"
    installed = folder / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
        quiet = ("--quiet", "--disable-pip-version-check")
        command = [str(folder / "bin" / "pip"), "install", *quiet, f"{package}=={version}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=540)
        if done.returncode:
            pytest.skip(f"pip could not install {package}: {done.stderr.strip()[:500]}")
        installed.touch()
    return folder / "bin" / program
