"""Programs from npm, in a folder of the build: installed for these tests alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "build" / "npm"


def install(package: str, version: str, program: str) -> Path:
    """Return the program's path; the first time, install it. Without npm the test is skipped."""
    if not (npm := shutil.which("npm")) or not shutil.which("node"):
        pytest.skip(f"node and npm are not installed, so {package} cannot be")
    folder = FOLDER / f"{package.replace('/', '+')}-{version}"
    installed = folder / "installed"
    if not installed.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--no-progress", "--loglevel=error")
        command = [npm, "install", "--prefix", str(folder), *quiet, f"{package}@{version}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=540)
        if done.returncode:
            pytest.skip(f"npm could not install {package}: {done.stderr.strip()[:500]}")
        installed.touch()
    return folder / "node_modules" / ".bin" / program
