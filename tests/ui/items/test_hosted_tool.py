"""Tools on the provider's side, from the first word of them to the last."""

from lfgtui.model import events as e
from tests.ui.stand import Stand


def card(stand: Stand) -> list[str]:
    return [row.text.rstrip() for row in stand.rows()[1:]]


def test_it_is_busy_until_it_answers() -> None:
    stand = Stand(width=40)
    stand.happen(e.HostedTool("web_search", call_id="h"))
    assert card(stand)[0].startswith("▸ ⠋ web_search")
    stand.frame(now=0.25)
    assert card(stand)[0].startswith("▸ ⠙ web_search")
    stand.happen(e.HostedTool("web_search", '{"query": "streaming"}', call_id="h"))
    assert card(stand)[0].startswith("▸ ⠙ web_search  streaming ")
    stand.happen(e.HostedTool("web_search", output="3 results", call_id="h"))
    assert card(stand)[0].startswith("▸ ☁ web_search  streaming ")
    assert card(stand)[0].endswith("hosted")


def test_it_is_busy_no_longer_than_the_response() -> None:
    stand = Stand(width=40)
    stand.happen(e.HostedTool("web_search", "x", call_id="h"), e.ResponseFinished(1, "end"))
    assert card(stand)[0].startswith("▸ ☁ web_search  x ")
    stand.happen(e.RequestSent(2), e.HostedTool("web_search", output="late", call_id="h"))
    stand.fold("tool")
    assert "  │ late" in card(stand)


def test_it_is_busy_no_longer_than_the_attempt() -> None:
    stand = Stand(width=40)
    stand.happen(e.HostedTool("web_search", call_id="h"), e.Retrying("cut", 1.0, 2, "cut"))
    assert card(stand)[0].startswith("▸ ☁ web_search")


def test_what_it_says_is_shown_while_it_says_it_and_clipped_when_it_is_done() -> None:
    stand = Stand(width=40, height=60)
    stand.fold("tool")
    stand.happen(e.HostedTool("code", '{"code": "for x in y:\\n  p(x)"}', call_id="h"))
    assert card(stand)[0].startswith("▾ ⠋ code  for x in y: · 2 lines")
    assert card(stand)[1:] == ["  │ code:", "  │   for x in y:", "  │     p(x)"]
    said = "".join(f"\x1b[3{number % 8}m{number}\x1b[0m\n" for number in range(1, 101))
    stand.happen(e.HostedOutputDelta("h", said))
    assert card(stand)[4] == "  │ … 88 more lines"
    assert card(stand)[5:] == [f"  │ {number}" for number in range(89, 101)]
    stand.happen(e.HostedTool("code", output=said, call_id="h"))
    assert card(stand)[4:6] == ["  │ 1", "  │ 2"]
    assert "  │ … 52 more lines" in card(stand)
    assert card(stand)[-1] == "  │ 100"


def test_an_input_that_is_no_object_is_shown_as_it_came() -> None:
    stand = Stand(width=40)
    stand.fold("tool")
    stand.happen(e.HostedTool("bash", "ls  -l\npwd", "ok"))
    assert card(stand)[0].startswith("▾ ☁ bash  ls  -l · 2 lines ")
    assert card(stand)[1:] == ["  │ ls  -l", "  │ pwd", "  │ ok"]
