"""A copy of a folder's index, for git commands that must not change the person's own.

It is deleted after use or, if lfg is killed before that, by the next run.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from lfgtui.processes.private_folder import PrivateFolder
from lfgtui.processes.waiting import finish
from lfgtui.workspace.git import GitError, git


@asynccontextmanager
async def index_copy(folder: str | Path) -> AsyncIterator[Mapping[str, str]]:
    """Yield the variables that make git work on a copy of the index."""
    path = (await git("rev-parse", "--git-path", "index", cwd=folder)).checked().text
    kept = ExitStack()
    try:
        yield {"GIT_INDEX_FILE": await finish(asyncio.to_thread(_copy, Path(folder, path), kept))}
    finally:
        await finish(asyncio.to_thread(kept.close))


def _copy(index: Path, kept: ExitStack) -> str:
    try:
        own = kept.enter_context(closing(PrivateFolder())).path / "index"
        if index.exists():  # else nothing was ever added
            # With its time, by which git notices files that were changed right after being added.
            shutil.copy2(index, own)
    except OSError as error:
        raise GitError(f"cannot copy git's index: {error.strerror}") from None
    return str(own)
