"""Ages as a person writes them: `90d`, `12w`, `48h`."""

import re

_AGE = re.compile(r"([1-9][0-9]{0,4})(h|d|w)")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}

NO_AGE = "no age; write it as 90d, 12w or 48h"


def seconds_of(age: str) -> int | None:
    """Return the seconds of an age such as `30d`; None if it is invalid."""
    found = _AGE.fullmatch(age)
    return int(found[1]) * _SECONDS[found[2]] if found else None
