"""The memory that may be had, on a machine and in a container."""

import os
from pathlib import Path

from lfgtui.processes.usage import available_memory

MEMINFO = "MemTotal:  8000 kB\nMemFree:  1000 kB\nMemAvailable:  5000 kB\nHugePages_Total: 0\n"


def group(folder: Path, limit: str, used: str) -> None:
    """A container's control group of version 2, a third of whose memory is cache."""
    cgroup = folder / "sys/fs/cgroup"
    cgroup.mkdir(parents=True)
    (cgroup / "memory.max").write_text(f"{limit}\n")
    (cgroup / "memory.current").write_text(f"{used}\n")
    (cgroup / "memory.stat").write_text(f"anon 1\ninactive_file {int(used) // 3}\n")


def proc(folder: Path) -> Path:
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(MEMINFO)
    return folder


def test_it_is_some_of_this_machines() -> None:
    assert 0 < available_memory() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_it_is_what_the_system_says(tmp_path: Path) -> None:
    assert available_memory(proc(tmp_path)) == 5_120_000


def test_a_container_has_no_more_than_its_limit_where_cache_is_no_use(tmp_path: Path) -> None:
    group(proc(tmp_path), "4000000", "3000000")
    assert available_memory(tmp_path) == 2_000_000


def test_a_container_without_a_limit_has_what_the_system_has(tmp_path: Path) -> None:
    group(proc(tmp_path), "max", "3000000")
    assert available_memory(tmp_path) == 5_120_000


def test_without_either_it_is_half_of_what_there_is(tmp_path: Path) -> None:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert available_memory(tmp_path) == pages // 2
