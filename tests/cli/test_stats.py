"""`lfg stats`: tables for people, JSON for programs."""

import pytest

from lfgtui.cli import stats
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, Lfg, store

TICKET = [Ticket(id="a", prompt="p", workspace="/")]

TABLES = """\
     requests    done  drops  retries  in  cached  out  cost
all         1  100.0%      0        0   0       –    4     –

     connect p50  p90  p99  first byte p50  p90  p99
all            –    –    –               –    –    –

     ttft p50    p90    p99  tok/s p50  p90  p99
all     0.50s  0.50s  0.50s          8    8    8

     commit p50  p90  p99  paint p50  p90  p99
all           –    –    –          –    –    –

     models  tools  people
all     <1m    <1m     <1m

"""


def test_a_person_gets_tables_and_a_program_objects(run: str, lfg: Lfg) -> None:
    assert lfg("stats") == (0, TABLES, "")
    found = lfg("stats", "--json").json
    assert found.keys() == {"since", "by", "total", "groups"}
    assert found["groups"] == [] and found["since"] is found["by"] is None
    times = {"p50": 500.0, "p90": 500.0, "p99": 500.0}
    speed = {"p50": 8.0, "p90": 8.0, "p99": 8.0}
    assert found["total"] == {
        **{"requests": 1, "reused": 0, "completed": 1, "failed": 0, "stopped": 0, "open": 0},
        **{"completion_rate": 1.0, "drops": 0, "retries": 0},
        **{"connect_ms": None, "first_byte_ms": None, "ttft_ms": times, "tokens_per_s": speed},
        **{"commit_ms": None, "paint_ms": None},
        **{"input": 0, "cached": 0, "output": 4, "cost": None, "cost_estimated": False},
        **{"price_dates": [], "unpriced": []},
        "waited_s": {"models": 1.0, "tools": 0.0, "people": 0.0},
    }
    (day,) = lfg("stats", "--by", "day", "--json").json["groups"]
    assert day == {"name": "1970-01-01", **found["total"]}


def test_groups_have_rows_the_largest_first_and_fit_whatever_their_names(lfg: Lfg) -> None:
    for model in ("claude\x1b[31m-opus-4-1-20250805-preview", "m", "m"):
        life = [LIFE[0], e.AttemptStarted("anthropic", model), *LIFE[2:]]
        store("one", TICKET, life, 0.5)
    lines = lfg("stats", "--by", "model").out.splitlines()
    assert max(map(len, lines)) == 79
    assert not any("\x1b" in line for line in lines)
    names, counts = zip(*(line.split()[:2] for line in lines[1:4]), strict=True)
    assert names == ("anthropic/m", "…-4-1-20250805-preview", "all")
    assert counts == ("2", "1", "3")
    (row, *_) = (line for line in lfg("stats", "--by", "provider").out.splitlines()[1:])
    assert row.split()[:2] == ["anthropic", "3"]


def test_a_plot_has_a_dot_for_each_request_and_fits(
    run: str, lfg: Lfg, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("plotille")
    rows = lfg("stats", "--plot").out.splitlines()
    assert any("(ttft)" in row for row in rows) and any(
        "⠁" <= c <= "⣿" for row in rows for c in row
    )
    assert max(map(len, rows)) <= 80
    monkeypatch.setattr(stats, "find_spec", lambda _: None)
    refused = lfg("stats", "--plot")
    assert refused.code == 2 and "pip install 'lfgtui[plot]'" in refused.err


def test_where_nothing_was_sent_it_says_so(run: str, lfg: Lfg) -> None:
    assert lfg("stats", "--days", "1") == (0, "", "no requests in that time\n")
    assert lfg("stats", "--days", "1", "--json").json["total"]["requests"] == 0
    assert lfg("history", "delete", run, "--yes").code == 0
    assert lfg("stats") == (0, "", "no requests yet; try: lfg demo\n")
    assert lfg("stats", "--by", "colour").code == 2


def test_answers_that_were_given_again_are_counted_apart(lfg: Lfg) -> None:
    reused = e.AnswerReused(1, "run/a", 5.0, 30)
    life = [reused if isinstance(one, e.RequestSent) else one for one in LIFE]
    for each in (LIFE, life, life):
        store("one", TICKET, each, 0.5)
    code, out, remarks = lfg("stats")
    assert (code, out) == (0, TABLES)
    told = "2 answers came from the history (cache_answers), without a request"
    assert told in remarks
    assert lfg("stats", "--json").json["total"]["reused"] == 2


def test_costs_say_what_they_are_estimated_by_and_what_is_not_in_them(lfg: Lfg) -> None:
    priced = e.Usage(1000, 10, cost=0.5, price_date="2026-01-02")
    for model, usage in (("known", priced), ("unknown", e.Usage(1000, 10))):
        life = [LIFE[0], e.AttemptStarted("p", model), *LIFE[2:]]
        last = next(n for n, one in enumerate(life) if isinstance(one, e.ResponseFinished))
        store("one", TICKET, [*life[:last], usage, *life[last:]], 0.5)
    code, out, remarks = lfg("stats")
    assert (code, "~$0.50" in out) == (0, True)
    assert "with the prices of 2026-01-02" in remarks
    assert "no price is known for p/unknown" in remarks
