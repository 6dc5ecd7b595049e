"""`make wire`: how many recorded streams are decoded as published, wire by wire.

Each is read whole, in random pieces and byte by byte; one that is not as its
publisher says is named, with the first fact that differs.
"""

import sys

from tests.providers.published import DECODERS, decode, differences
from tests.providers.recordings import FOLDER, recordings

CUTS = {
    "whole": ["whole"],
    "random cuts": ["random", "otherwise random"],
    "byte by byte": ["bytes"],
}


def wire_row(wire: str) -> tuple[dict[str, int], list[str]]:
    """How many recordings of a wire pass under each kind of cut, and why others do not."""
    passed = dict.fromkeys(["recordings", *CUTS, "all"], 0)
    reasons: list[str] = []
    for recording in recordings(wire):
        passed["recordings"] += 1
        whys: list[str] = []
        for kind, ways in CUTS.items():
            found = [
                d for how in ways for d in differences(recording, decode(wire, recording.body, how))
            ]
            passed[kind] += not found
            whys += found
        passed["all"] += not whys
        if whys:
            reasons.append(f"{wire}/{recording.name}: {whys[0]}")
    return passed, reasons


def main() -> int:
    """Print the table; the exit status is 1 where a recording does not pass."""
    if FOLDER is None:
        sys.stdout.write("LFG_RECORDINGS is not set: name the folder that holds the recordings\n")
        return 2
    heads = ["recordings", *CUTS]
    sys.stdout.write(f"{'wire':<18}" + "".join(f"{head:>14}" for head in heads) + "\n")
    total = passed_all = 0
    reasons: list[str] = []
    for wire in DECODERS:
        passed, whys = wire_row(wire)
        sys.stdout.write(f"{wire:<18}" + "".join(f"{passed[head]:>14}" for head in heads) + "\n")
        total += passed["recordings"]
        passed_all += passed["all"]
        reasons += whys
    sys.stdout.write(
        "\n".join([f"\n{passed_all} of {total} as published, however cut", *reasons, ""])
    )
    if not total:
        sys.stdout.write(f"no recordings in {FOLDER}/streams\n")
    return 0 if total and passed_all == total else 1


if __name__ == "__main__":
    sys.exit(main())
