"""CPU to the first frame: `lfg demo` beside a minimal Textual app.

Both run in a real pseudo-terminal, in turn, A B A B, so that a machine that
slows down slows both. Bytecode is written once, whatever the environment says
of it: to compile a program at each start is not to start it. The figure is CPU
time (user and system) of the process until its first frame; the medians and the
ratio pair by pair are printed.

    python bench/startup.py [RUNS]
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from pathlib import Path
from statistics import median

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
SIZE = struct.pack("HHHH", 40, 120, 0, 0)
HERE = Path(__file__).parent


def first_frame_cpu(target: list[str], scratch: Path) -> float:
    """CPU seconds of one start."""
    report = scratch / "cpu"
    report.unlink(missing_ok=True)
    terminal, its_side = pty.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, SIZE)
    environment = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    environment |= {
        "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"),
        "LFG_DATA_DIR": str(scratch / "data"),
        "LFG_CONFIG": str(scratch / "config.toml"),
        "TERM": "xterm-256color",
    }
    command = [sys.executable, str(HERE / "first_frame.py"), str(report), *target]
    process = subprocess.Popen(
        command, stdin=its_side, stdout=its_side, stderr=its_side, env=environment
    )
    os.close(its_side)
    reader = threading.Thread(target=_drain, args=(terminal,), daemon=True)
    reader.start()
    process.wait(60)
    os.close(terminal)
    return float(report.read_text())


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def main(runs: int) -> None:
    """Print medians and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for target in (["minimal"], ["lfg", "demo"]):  # warm the caches, count nothing
            first_frame_cpu(target, scratch)
        pairs = [
            (
                first_frame_cpu(["minimal"], scratch),
                first_frame_cpu(["lfg", "demo"], scratch),
            )
            for _ in range(runs)
        ]
    minimal, lfg = (median(side) for side in zip(*pairs, strict=True))
    ratio = median(b / a for a, b in pairs)
    print(f"CPU to first frame, median of {runs}, interleaved")
    print(f"  minimal Textual app  {minimal * 1000:6.0f} ms")
    print(f"  lfg demo             {lfg * 1000:6.0f} ms")
    print(f"  ratio                {ratio:6.2f}   (target: at most 1.35)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
