"""Calls that a server lets through as text are shown as they came, in cards of their own."""

import re

import pytest

from tests.agent.leakage.filtering import Filtered, outcome

HERMES = '<tool_call>\n{"name": "f", "arguments": {"a": "<b>"}}\n</tool_call>'
QWEN = "<function=fetch>\n<parameter=url>\nhttps://x\n</parameter>\n</function>"
INVOKE = '<invoke name="f">\n<parameter name="a">if a < b: pass</parameter>\n</invoke>'
EMPTY = '<invoke name="list_files">\n</invoke>'
GLM = "<tool_call>f\n<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>\n</tool_call>"
LANGCHAIN = "<tool>search</tool>\n<tool_input>lfg</tool_input>"
MISTRAL = '[TOOL_CALLS][{"name": "f", "arguments": {"a": 1}}, {"name": "g"}]'
DSML = '<D:invoke name="f">\n<D:parameter name="q" string="true">a "b"</D:parameter>\n</D:invoke>'
DSMLS = [DSML.replace("D:", mark) for mark in ("｜DSML｜", "｜｜DSML｜｜", "‖DSML‖", "|DSML|")]
V3 = '<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{"a": "b"}\n```<｜tool▁call▁end｜>'
V31 = "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
KIMI = '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>'
ANALYSIS = "<|channel|>analysis<|message|>2 and 2.<|end|>"
HARMONY = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>"
SEARCH = '<|channel|>analysis to=browser.search code<|message|>{"query": "x"}<|call|>'

ANTML = re.sub("(?<=<)(/?)", r"\1antml:", INVOKE.replace("a < b", "a"))

TAGGED = [HERMES, QWEN, INVOKE, EMPTY, ANTML, GLM, LANGCHAIN]
TOKENS = [*DSMLS, V3, V31, V31.replace("▁", "_"), V31.replace("▁", " "), KIMI, HARMONY, SEARCH]


@pytest.mark.parametrize("call", [*TAGGED, *TOKENS])
def test_a_call_is_shown_as_it_came_and_what_follows_is_the_answer(call: str) -> None:
    assert outcome(f"I look.\n{call}\nSo it is.") == Filtered("I look.\n\nSo it is.", "", [call])
    assert outcome(f"{call}{call}") == Filtered("", "", [call, call])


@pytest.mark.parametrize("call", [*TAGGED, *TOKENS, MISTRAL, '[TOOL_CALLS]f[ARGS]{"a": 1}'])
def test_a_call_that_breaks_off_is_shown_as_far_as_it_came(call: str) -> None:
    assert outcome(call[:-3]) == Filtered("", "", [call[:-3]])


@pytest.mark.parametrize("call", TOKENS)
def test_a_special_token_counts_in_the_middle_of_a_line(call: str) -> None:
    assert outcome(f"I look it up.{call} Done.") == Filtered("I look it up. Done.", "", [call])


@pytest.mark.parametrize(
    ("begin", "call", "end"),
    [
        ("<tool_call>\n", QWEN, "\n</tool_call>"),
        ("", QWEN, "\n</tool_call>"),  # a known habit of the model
        ("<function_calls>\n", f"{INVOKE}", "\n</function_calls>"),
        ("<tool_calls>\n", EMPTY, "\n</tool_calls>"),
        ("<function_calls>", ANTML, "</function_calls>"),
        ("<｜DSML｜tool_calls>\n", DSMLS[0], "\n</｜DSML｜tool_calls>"),
        ("<｜tool▁calls▁begin｜>", V31, "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"),
        ("<|tool_calls_section_begin|>\n", KIMI, "\n<|tool_calls_section_end|><|im_end|>"),
        ("<|start|>assistant", HARMONY, ""),
    ],
)
def test_what_stands_around_calls_is_dropped(begin: str, call: str, end: str) -> None:
    answer = outcome(f"{begin}{call}{end}")
    assert (answer.visible, answer.reasoning) == ("", "")
    assert "".join(answer.calls).endswith(call)


@pytest.mark.parametrize(
    "call",
    [
        INVOKE.removesuffix("</invoke>"),
        QWEN.removesuffix("</function>"),
        KIMI.removesuffix("<|tool_call_end|>"),
        V31.removesuffix("<｜tool▁call▁end｜>"),
        '[TOOL_CALLS]{"name": "f"}\n',
    ],
)
def test_a_call_without_its_end_ends_where_the_next_begins(call: str) -> None:
    assert outcome(f"{call}{call}") == Filtered("", "", [call, call])


def test_kimi_without_the_beginning_of_its_call() -> None:
    call = '<|tool_call_argument_begin|>{"a": 1}'
    assert outcome(f"reply:0{call}<|tool_calls_section_end|>") == Filtered("reply:0", "", [call])


@pytest.mark.parametrize(
    ("call", "begin", "end"),
    [
        (GLM, "\n<tool_response>", "</tool_response>"),
        (V31, "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"),
        (HARMONY, "<|start|>functions.f to=assistant<|channel|>commentary<|message|>", "<|end|>"),
    ],
)
def test_an_answer_that_the_model_invents_is_reasoning(call: str, begin: str, end: str) -> None:
    assert outcome(f"{call}{begin}sunny{end}It is sunny.") == Filtered(
        "It is sunny.", "sunny", [call]
    )


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call> opens a call.",
        "<tool_call>[1, 2]</tool_call>",
        "<tool_call>is it one?</tool_call>",
        "<function_calls> holds them:\n",
        "<invoke> is nothing",
        "<invoke nam",
        '<invoke name="f"> begins a call.',
        "<function=name> begins one too.",
        "<tool>a hammer, a saw</tool>",
        "<tool_response>is only an answer to something</tool_response>",
        "</tool_call>",
        "Write <tool_call>{}</tool_call> for it.",
        "<tool_cal",
        "[TOOL_CALLS] is a token",
        *("a <| b", "<｜tool", "x <|chan", "<||>", "1 <｜DSML"),
    ],
)
def test_what_is_no_call_is_text(text: str) -> None:
    assert outcome(text) == Filtered(text)


@pytest.mark.parametrize("text", [*TAGGED, *TOKENS, ANALYSIS])
def test_markup_in_code_stays(text: str) -> None:
    fenced = f"See:\n~~~~\n{text}\n~~~~\n"
    assert outcome(fenced) == Filtered(fenced)
    line = "A token: `` " + text.replace("\n", " ").replace("`", "") + " ``."
    assert outcome(line) == Filtered(line)


# gpt-oss


def test_harmony_shows_its_final_channel() -> None:
    final = "<|start|>assistant<|channel|>final<|message|>\n2 + 2 = 4.<|return|>"
    assert outcome(f"{ANALYSIS}{final}") == Filtered("2 + 2 = 4.", "2 and 2.")


def test_harmonys_commentary_is_a_call_or_a_preamble() -> None:
    preamble = "<|start|>assistant<|channel|>commentary<|message|>I will look.<|end|>"
    call = "<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|>"
    assert outcome(f"{ANALYSIS}{preamble}{call}") == Filtered("I will look.", "2 and 2.", [call])


@pytest.mark.parametrize(
    "text", ["<|start|>assistant", "<|channel|>comment", "<|end|>", "<|start|>"]
)
def test_a_harmony_header_that_the_answer_ends_in_is_dropped(text: str) -> None:
    assert outcome(f"Yes.{text}") == Filtered("Yes.")


def test_a_header_without_a_message_costs_its_token_only() -> None:
    assert outcome("<|channel|>final: Yes.\nNo.") == Filtered("final: Yes.\nNo.")
    assert outcome("<|channel|>final: Yes.") == Filtered("final: Yes.")


# ReAct's labelled lines, where they are unmistakable

ACTION = 'Action: search\nAction Input: {"query": "lfg"}\n'
ROUND = f"""Thought: I should look it up.
{ACTION}Observation: a control room
Thought: I know now.
Final Answer: A control room.

It is one."""


def test_a_whole_round() -> None:
    reasoning = "I should look it up.\nObservation: a control room\nI know now.\n"
    assert outcome(ROUND) == Filtered("A control room.\n\nIt is one.", reasoning, [ACTION])
    assert outcome(f"I will search.\n\n{ACTION}") == Filtered("I will search.\n\n", "", [ACTION])
    fenced = f"```\n{ROUND}\n```\n"
    assert outcome(fenced) == Filtered(fenced)


@pytest.mark.parametrize(
    "text",
    [
        "Action: we must act now.\nAction Input: none",
        "Action: search\nthen read",
        "Action: search\n\nFinal Answer: 42",
        "The Action: search\nAction Input: x",
        "Thought: this is prose.\n\nAnd it goes on.",
        "Thought: prose.\nAction: two words\nAction Input: x",
        "Observation: the sky is blue.\nFinal Answer: blue",
        "Thought:",
        "Action: search",
        "Action: search\nAction Inp",
    ],
)
def test_prose_with_such_labels_stays(text: str) -> None:
    assert outcome(text) == Filtered(text)


def test_a_thought_is_not_waited_for_without_end() -> None:
    thought = "Thought: " + "so " * 500 + "\n"
    assert outcome(f"{thought}{ACTION}") == Filtered(thought, "", [ACTION])
