"""Calls in tags become cards, whatever of their markup is missing."""

import json

import pytest

from tests.agent.leakage.telling import Told, told

QWEN = "<function=fetch>\n<parameter=url>\nhttps://x\n</parameter>\n</function>"
ANTHROPIC = """<function_calls>
<invoke name="write_file">
<parameter name="path">a.py</parameter>
<parameter name="content">say = "hi"
if a < b: pass
</parameter>
</invoke>
<invoke name="list_files">
</invoke>
</function_calls>"""
DSML = """<D:tool_calls>
<D:invoke name="f">
<D:parameter name="ids" string="false">[1, 2]</D:parameter>
<D:parameter name="q" string="true">a "b"</D:parameter>
</D:invoke>
</D:tool_calls>"""
GLM = "<tool_call>f\n<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>\n</tool_call>"


def arguments(text: str) -> list[tuple[str, object]]:
    answer = told(text)
    assert answer.visible == ""
    assert answer.reasoning == ""
    return [(name, json.loads(given)) for name, given in answer.calls]


@pytest.mark.parametrize("prefix", ["", "antml:"])
def test_parameters_become_a_json_object(prefix: str) -> None:
    text = ANTHROPIC.replace("</", "</@").replace("<", f"<{prefix}").replace(f"<{prefix}/@", "</@")
    text = text.replace("@", prefix).replace(f"a <{prefix} b", "a < b")
    content = 'say = "hi"\nif a < b: pass\n'
    assert arguments(text) == [
        ("write_file", {"path": "a.py", "content": content}),
        ("list_files", {}),
    ]


@pytest.mark.parametrize("mark", ["｜DSML｜", "｜｜DSML｜｜", "‖DSML‖", "|DSML|"])
def test_deepseeks_dsml_knows_json_from_text(mark: str) -> None:
    assert arguments(DSML.replace("D:", mark)) == [("f", {"ids": [1, 2], "q": 'a "b"'})]


@pytest.mark.parametrize("mark", ["｜DSML｜", "｜｜DSML｜｜"])
def test_a_dsml_call_without_its_section_is_one_all_the_same(mark: str) -> None:
    call = "\n".join(DSML.replace("D:", mark).split("\n")[1:-1])
    answer = told(f"I look it up.{call} Done.", "deepseek")
    assert answer.visible == "I look it up. Done."
    assert [name for name, _ in answer.calls] == ["f"]


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{QWEN}\n</tool_call>",
        f"{QWEN}\n</tool_call>",  # a known habit of the model
        QWEN,
        QWEN.replace("</parameter>\n", ""),
    ],
)
def test_qwens_calls_need_no_wrapper_and_no_end_of_their_parameters(text: str) -> None:
    assert arguments(text) == [("fetch", {"url": "https://x"})]


def test_lines_of_a_parameter_are_kept() -> None:
    text = "<function=w>\n<parameter=content>\n\n  a\n\n</parameter>\n</function>"
    assert arguments(text) == [("w", {"content": "\n  a\n"})]


def test_other_forms_of_calls_in_tags() -> None:
    assert arguments(GLM) == [("f", {"city": "Bern"})]
    assert arguments("<tool_call>f\n</tool_call>") == [("f", {})]
    assert arguments("<tool>search</tool><tool_input>lfg</tool_input>") == [
        ("search", {"input": "lfg"})
    ]
    assert arguments('<tool>f</tool>\n<tool_input>{"a": 1}</tool_input>') == [("f", {"a": 1})]
    assert arguments('<function=f>{"a": "</function>"}</function>') == [("f", {"a": "</function>"})]
    assert arguments('<invoke name="f"/>') == [("f", {})]
    assert arguments('[TOOL_CALLS]f[ARGS]{"a": 1}') == [("f", {"a": 1})]


def test_what_is_no_argument_of_a_call_is_reasoning() -> None:
    text = '<invoke name="f">\n<parameter name="a">1</parameter>so be it\n</invoke>'
    answer = told(text)
    assert answer.calls == [("f", '{"a": "1"}')]
    assert answer.reasoning.strip() == "so be it"


def test_a_call_that_is_cut_off_keeps_what_it_has() -> None:
    text = '<invoke name="f"><parameter name="a">one "two" </param'
    assert told(text) == Told("", "", [("f", '{"a": "one \\"two\\" </param')])


def test_an_answer_that_the_model_invents_is_reasoning() -> None:
    text = f"{GLM}\n<tool_response>\nsunny\n</tool_response>\nIt is sunny."
    answer = told(text)
    assert (answer.visible, answer.reasoning) == ("It is sunny.", "sunny\n")


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call> opens a call.",
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
    ],
)
def test_what_turns_out_to_be_no_call_is_given_back(text: str) -> None:
    assert told(text) == Told(text)
