"""The streaming pane beside Textual's own Markdown widget, and against its targets.

    python bench/pane.py [--quick] [--only PART] [--side SIDE] [--panes N] [--tokens N]
                         [--rounds N] [--seconds S] [--merged] [--profile FILE]

Both sides run in real pseudo-terminals of 200 x 60 cells, in processes of
their own, in turn, A B A B, so that a machine that slows down slows both; they
are fed the same documents, a token of four characters at a time. lfg's side is
the whole program: transcripts, meters, heads, header and footer are in its
figures. All panes are in sight, however small: what is below the screen would
cost nothing. Figures are medians of CPU time, ratios medians of each pair's.

- *lockstep*: two tokens a pane a frame, every frame painted before the next.
- *paced*: 100 tokens a second a pane by the clock, whether or not the program
  keeps up; accepted is what was painted by the end. *keys* are pressed meanwhile.
- *worst*: documents of one construct, as they grow from nothing.
- *memory*: what 20,000 tokens in one pane hold, as Python counts it.
- *resize*: CPU from a smaller terminal to the first frame as it will stay.

The whole takes about 20 minutes, `--quick` one. Figures of CPU time differ by a tenth
or two from run to run; what a document says where it is measured matters more, so
both sides are measured at the same places of it.

`--panes` and `--tokens` measure one combination instead of the usual ones.
`--merged` feeds Textual's side both tokens of a frame in one append, which
spares it a parse. `--profile` runs lfg's lockstep once under cProfile.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from bench.pane_report import main

    main()
