"""Requests checked by the SDKs' own types."""

import subprocess
import sys

LOAD_ALL_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from lfgtui.simulator.wires.shapes import load_shape

sys.setswitchinterval(1e-5)
shapes = [
    "openai.types.chat.completion_create_params:CompletionCreateParamsBase",
    "openai.types.responses.response_create_params:ResponseCreateParamsBase",
    "anthropic.types.message_create_params:MessageCreateParamsBase",
]
with ThreadPoolExecutor(3) as pool:
    print(len(list(pool.map(load_shape, shapes))))
"""


def test_first_requests_on_all_wires_may_come_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL_AT_ONCE], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("3", "")
