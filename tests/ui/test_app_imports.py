"""Nothing heavy is on the way to the first frame."""

import subprocess
import sys

HEAVY = "anthropic httpx httpx2 markdown_it openai pygments sqlite3 starlette uvicorn"


def test_importing_the_app_imports_no_sdk_no_server_and_no_database() -> None:
    code = (
        "import sys, lfgtui.ui.app;"
        f" print(*sorted(set({HEAVY.split()!r}) & {{m.partition('.')[0] for m in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
