"""Sizes of memory as people write them: `8 GB`, or a share of what there is, `80%`."""

import re

_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([MGT])B")
_SHARE = re.compile(r"([1-9]\d?|100) ?%")
_BYTES = {"M": 10**6, "G": 10**9, "T": 10**12}


def memory_bytes(size: str, available: int) -> int:
    """Return the bytes of a size, or of a share of the bytes that are available.

    Raises `ValueError` if it is neither.
    """
    if (share := _SHARE.fullmatch(size)) is not None:
        return available * int(share[1]) // 100
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f'invalid size "{size}": expected e.g. "8 GB", "500 MB" or "80%"')
    return int(float(match[1]) * _BYTES[match[2]])
