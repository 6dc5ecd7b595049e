"""What lfg itself may write to a terminal; whatever else is found there came from elsewhere.

The bytes are cut into text, control characters and sequences as ECMA-48 has
them, and each is held against a list of the forms that Textual and lfg use.
"""

import re
from collections import Counter

# What a terminal that stopped reading never got the rest of; a terminator makes it harmless.
_CUT_SHORT = rb"(?:\x1b(?:\[[0-?]*)?|[\xc2-\xf4][\x80-\xbf]{0,2})?\x1b\\"

_WHOLE = (
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[P\]X^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS and their like
)
_OTHER = rb"|\x1b[ -/]*[0-~]?"
_SEQUENCE = re.compile(_WHOLE + _OTHER)
_SEQUENCE_OR_CUT = re.compile(_WHOLE + rb"|" + _CUT_SHORT + _OTHER)

_OURS = re.compile(
    rb"\x1b\[[0-9;]{0,80}m"
    rb"|\x1b\[[0-9]{1,4};[0-9]{1,4}H"
    rb"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"
    rb"|\x1b\[\?20(?:26|48)\$p"
    rb"|\x1b\[>25u|\x1b\[<u"
    rb"|\x1b\]22;[a-z-]+\x07"  # the pointer's shape
    rb"|\x1b\]8;(?:id=[A-Za-z0-9_.-]+)?;[!-~]*(?:\x1b\\|\x07)"  # a link
)

# All that a terminal could act on, reorder text with, or that is no text.
_UNSAFE = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONE = re.compile("\r(?!\n)|(?<!\r)\n")

_SHOWN = 60


def foreign(written: bytes, *, is_cut: bool = False) -> list[str]:
    """What is none of lfg's own, each with how often it came.

    `is_cut` is for a terminal that stopped reading, and was never sent the rest.
    """
    found: Counter[str] = Counter()
    sequences = _SEQUENCE_OR_CUT if is_cut else _SEQUENCE
    for sequence in sequences.findall(written):
        if not _OURS.fullmatch(sequence) and not (is_cut and re.fullmatch(_CUT_SHORT, sequence)):
            found[repr(sequence[:_SHOWN])] += 1
    text = sequences.sub(b"", written).decode("utf-8", "surrogateescape")
    found.update(repr(match) for match in _UNSAFE.findall(text))
    found.update(f"lone {match!r}" for match in _LONE.findall(text))
    return [f"{what} {count} times" for what, count in found.most_common(5)]
