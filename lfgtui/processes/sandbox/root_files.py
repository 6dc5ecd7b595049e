"""Settings of the system that not everybody may read: keys, hashes of passwords.

If root runs lfg, its commands own these files, so they could read them even without any privilege;
the sandbox hides them then. The commands of other users are kept out by the files' modes.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

_SETTINGS = "/etc"


@cache
def unshared_files(folder: str = _SETTINGS) -> tuple[Path, ...]:
    """Return this user's and group's files and folders that not everybody may read.

    Blocks on the disk the first time.
    """
    found: list[Path] = []
    left = [Path(folder)]
    while left:
        for path in _entries(left.pop()):
            with suppress(OSError):  # the file is being replaced
                status = path.lstat()
                is_folder = stat.S_ISDIR(status.st_mode)
                if is_folder and status.st_mode & stat.S_IXOTH:
                    left.append(path)
                    continue
                is_secret = is_folder or (status.st_size and not status.st_mode & stat.S_IROTH)
                if is_secret and (status.st_uid == os.geteuid() or status.st_gid == os.getegid()):
                    found.append(path)
    return tuple(found)


def _entries(folder: Path) -> Sequence[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return ()
