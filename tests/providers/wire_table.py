"""`make wire`: how many recorded streams are decoded as published, wire by wire.

Each is read whole, in random pieces and byte by byte; one that is not as its
publisher says is named, with the first fact that differs.
"""

import sys

from tests.providers.published import DECODERS, decode, differences
from tests.providers.recordings import recordings

CUTS = ["whole", "random", "otherwise random", "bytes"]


def main() -> int:
    """Print the table; the exit status is 1 where a recording does not pass."""
    reasons: list[str] = []
    total = 0
    for wire in DECODERS:
        passed = dict.fromkeys(CUTS, 0)
        for recording in (listed := recordings(wire)):
            for how in CUTS:
                found = differences(recording, decode(wire, recording.body, how))
                passed[how] += not found
                reasons += [f"{wire}/{recording.name}, {how}: {why}" for why in found[:1]]
        total += len(listed)
        counts = "".join(f"{how:>20} {count}" for how, count in passed.items())
        sys.stdout.write(f"{wire:<18}{len(listed):>4} recordings{counts}\n")
    failed = len({reason.partition(",")[0] for reason in reasons})
    summary = f"{total - failed} of {total} as published, however cut"
    sys.stdout.write("\n".join(["", summary, *reasons, ""]))
    if not total:
        sys.stdout.write("no recordings: LFG_RECORDINGS names the folder that holds them\n")
    return 0 if total and not reasons else 1


if __name__ == "__main__":
    sys.exit(main())
