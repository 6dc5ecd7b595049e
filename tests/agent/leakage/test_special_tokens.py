"""The special tokens of DeepSeek, Kimi and gpt-oss never reach the answer."""

import pytest

from tests.agent.leakage.telling import Told, told

V3 = """<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f
```json
{"a": "b"}
```<｜tool▁call▁end｜>
<｜tool▁call▁begin｜>function<｜tool▁sep｜>g
```json
{}
```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>"""
V31 = (
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}"
    "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
)
KIMI = """<|tool_calls_section_begin|>
<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>
<|tool_call_begin|> g:1 <|tool_call_argument_begin|> {} <|tool_call_end|>
<|tool_calls_section_end|>"""
ANALYSIS = "<|channel|>analysis<|message|>2 and 2.<|end|>"
CALL = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>"


def test_deepseek_v3_sets_its_arguments_in_a_fence() -> None:
    assert told(f"I look.{V3}") == Told("I look.", "", [("f", '{"a": "b"}'), ("g", "{}")])


@pytest.mark.parametrize("gap", ["▁", "_", " "])
def test_deepseek_v31_and_its_spellings(gap: str) -> None:
    assert told(f"Now: {V31.replace('▁', gap)}") == Told("Now: ", "", [("f", "{}")])


def test_an_output_that_deepseek_invents_is_reasoning() -> None:
    output = "<｜tool▁output▁begin｜>42<｜tool▁output▁end｜>"
    text = f"<｜tool▁outputs▁begin｜>{output}<｜tool▁outputs▁end｜>"
    assert told(f"{V31}{text}So 42.") == Told("So 42.", "42", [("f", "{}")])


def test_kimis_section() -> None:
    assert told(f"I look.{KIMI}") == Told("I look.", "", [("f", '{"a": 1}'), ("g", "{} ")])


def test_kimi_without_the_beginning_of_its_call() -> None:
    text = 'reply:0<|tool_call_argument_begin|>{"a": 1}<|tool_calls_section_end|>'
    assert told(text) == Told("reply:0", "", [("tool_call", '{"a": 1}')])


def test_arguments_that_are_cut_off_are_kept() -> None:
    text = '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": "b<|tool_'
    assert told(text) == Told("", "", [("f", '{"a": "b<|tool_')])


def test_harmony_shows_its_final_channel() -> None:
    final = "<|start|>assistant<|channel|>final<|message|>\n2 + 2 = 4.<|return|>"
    assert told(f"{ANALYSIS}{final}") == Told("2 + 2 = 4.", "2 and 2.")


def test_harmonys_commentary_is_a_call_or_a_preamble() -> None:
    preamble = "<|start|>assistant<|channel|>commentary<|message|>I will look.<|end|>"
    text = f"{ANALYSIS}{preamble}<|start|>assistant{CALL}"
    assert told(text) == Told("I will look.", "2 and 2.", [("f", "{}")])


def test_harmonys_recipient_may_stand_with_the_role() -> None:
    text = "<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|>"
    assert told(text) == Told("", "", [("f", "{}")])


def test_harmonys_tools_have_names_of_their_own() -> None:
    text = '<|channel|>analysis to=browser.search code<|message|>{"query": "x"}<|call|>'
    assert told(text) == Told("", "", [("browser.search", '{"query": "x"}')])


def test_a_harmony_message_of_somebody_else_is_reasoning() -> None:
    text = "<|start|>functions.f to=assistant<|channel|>commentary<|message|>42<|end|>So 42."
    assert told(text) == Told("So 42.", "42")


@pytest.mark.parametrize(
    "text", ["<|start|>assistant", "<|channel|>comment", "<|end|>", "<|start|>"]
)
def test_a_harmony_header_that_the_answer_ends_in_is_dropped(text: str) -> None:
    assert told(f"Yes.{text}") == Told("Yes.")


def test_a_header_without_a_message_costs_its_token_only() -> None:
    assert told("<|channel|>final: Yes.\nNo.") == Told("final: Yes.\nNo.")


@pytest.mark.parametrize("text", [V3, V31, KIMI, ANALYSIS + CALL])
def test_tokens_in_code_stay(text: str) -> None:
    fenced = f"See:\n~~~~\n{text}\n~~~~\n"
    assert told(fenced) == Told(fenced)
    line = "A token: `` " + text.replace("\n", " ").replace("`", "") + " ``."
    assert told(line) == Told(line)


@pytest.mark.parametrize("text", ["a <| b", "<｜tool", "x <|chan", "<||>", "1 <｜DSML"])
def test_what_only_begins_like_a_token_stays(text: str) -> None:
    assert told(text) == Told(text)
