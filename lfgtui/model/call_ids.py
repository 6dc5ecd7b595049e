"""The form of lfg's own call ids.

`call00001`: nine letters and digits, the form that Mistral's wire, the strictest, requires.
"""

import re

_OURS = re.compile(r"call(\d{5,18})")


def call_id(number: int) -> str:
    """Return the id of a ticket's call, counted from 1."""
    return f"call{number:05d}"


def call_number(call_id: str) -> int:
    """Return the number in an id of ours; 0 for any other id."""
    match = _OURS.fullmatch(call_id)
    return int(match[1]) if match else 0
