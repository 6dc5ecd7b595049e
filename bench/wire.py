"""lfg from the wire to the screen, beside the SDKs' bare iterators: whole processes.

    python bench/wire.py [--quick] [--only PART] [--wires WIRE ...] [--cells NxRATE ...]
                         [--sides SIDE ...] [--seconds SHORT LONG] [--rounds N]
                         [--other CHECKOUT] [--no-lag]

A server of the bench's own, in its own process, streams records as the providers send
them, token k at k/rate whatever the client does. At it run, in turn, A B A B:

- *sdk*: the wire's SDK, iterated bare, a task a stream in one process.
- *raw*: sockets, nothing decoded.
- *headless*: `lfg run --headless`, its history on a file.
- *terminal*: `lfg run` on a pseudo-terminal of 200 x 60 cells.

CPU is user and system of the whole process and its children, and marginal: what the
longer of two runs took more than the shorter, by its tokens, so start and end drop out.
Medians of rounds; ratios are medians of each round's. *time* is from the first request
to the end of the last stream, by what one stream takes; *asking* is how much of it went
by until the last request. *lag* is from the server's write of a token to where it can be
read: on the terminal, in the panes in sight; of `headless` in a run of its own with
`--json`, to the line that has it (what is printed is committed).

Two parts come after the table (`--only table`, `keys`, `idle`):

- *keys*: j, k and v on the terminal during 64 x 100, from the key's byte to the first
  write after which another pane is current or the view is another, and to the last.
- *idle*: the share of a core, by all threads, once all tickets are done, or with six
  requests for approval open; beside a Textual app without anything in it.

The whole takes an hour and a quarter, `--quick` three minutes.

`--cells 64x100` means 64 tickets of 100 tokens a second. `--other` measures another
checkout's lfg beside this one's, in the same turns. The machine's other work is printed
with each line (`others`: cores); where it is more than a tenth, believe the CPU a little
and the times not at all.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from bench.wire_report import main

    main()
