"""Every misbehaviour beside a healthy ticket, on the whole program; prints a table.

    python -m tests.hostile [--only WORD,WORD] [--wire NAME] [--jobs N] [--quick] [--list]

Fails where a key takes more than 1 s, SIGTERM more than 3 s, a word of the
neighbour more than 0.5 s, lfg more than 300 MB; where a byte comes to the
terminal that lfg does not write itself; where an exit code, an ending or the
history is not as it should be. What is only late is tried up to twice more.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from lfgtui.settings.providers import WireName
from tests.hostile.cases import Case, chosen
from tests.hostile.catalogue import CASES
from tests.hostile.judge import Verdict, judged, load
from tests.hostile.session import servers

_TRIES = 3
_HEADING = (
    f"{'case':<38} {'wire':<17} {'keys p50':>8} {'max':>6} {'TERM':>6} {'lag':>6}"
    f" {'MB':>5} {'kids':>5} {'CPU':>6}  end, verdict"
)


def main() -> int:
    """Print a row for each case, then how many are well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default="", help="cases whose name holds one of these words")
    parser.add_argument("--wire", help="this wire alone")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once; figures suffer")
    parser.add_argument("--quick", action="store_true", help="each case on one wire")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    options = parser.parse_args()
    work = list(chosen(options.only, options.wire, is_quick=options.quick))
    if options.list:
        for name in dict.fromkeys(case.name for case, _ in work):
            print(f"{name:<38} {CASES[name].description}")
        return 0
    print(_HEADING, flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda one: _reported(*one), work))
    failing = [verdict for verdict in verdicts if not verdict.is_well]
    print(f"{len(verdicts) - len(failing)} of {len(verdicts)} are well; {load()}")
    return 1 if failing else 0


def _reported(case: Case, wire: WireName) -> Verdict:
    """The verdict, its row printed; where it is only late it is tried again."""
    for tries_left in reversed(range(_TRIES)):
        with servers() as (hostile, healthy):
            verdict = judged(case, wire, hostile, healthy)
        if verdict.is_well or verdict.wrong or not tries_left:
            break
    print(_row(verdict), flush=True)
    return verdict


def _row(verdict: Verdict) -> str:
    figures = verdict.figures
    keys = [key for key in figures.keys if key is not None]
    middle = f"{median(keys):.2f}" if keys else "-"
    ended = "never" if figures.ended is None else f"{figures.ended:.2f}"
    lag = "never" if figures.lag is None else f"{figures.lag:.2f}"
    outcome = "; ".join(verdict.wrong + verdict.late) or "well"
    load_note = "" if verdict.is_well else f" ({load()})"
    return (
        f"{verdict.case.name:<38} {verdict.wire:<17} {middle:>8} {figures.slowest:>6.2f}"
        f" {ended:>6} {lag:>6} {figures.peak >> 20:>5} {figures.children >> 20:>5}"
        f" {figures.cpu:>6.1f}  {verdict.end}, {outcome}{load_note}"
    )


if __name__ == "__main__":
    sys.exit(main())
