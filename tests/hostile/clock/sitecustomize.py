"""The time of day as a file beside the config says; imported by Python itself at its start.

Setting the machine's clock is not for tests. This does to lfg what that would: `time.time`
leaps, the monotonic clock does not.
"""

import os
import time
from pathlib import Path

_LEAPS = {"an-hour-back": -3600.0, "a-year-on": 365 * 86400.0}
_TRUE_TIME = time.time
_FOLDER = Path(os.environ.get("LFG_CONFIG", "/nowhere/config.toml")).parent


def _time_of_day() -> float:
    leap = next((leap for name, leap in _LEAPS.items() if (_FOLDER / name).exists()), 0.0)
    return _TRUE_TIME() + leap


time.time = _time_of_day
