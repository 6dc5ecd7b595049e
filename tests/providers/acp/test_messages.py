"""Any line is read, whatever it holds; what is written is read back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import ProviderError
from lfgtui.providers.acp import messages
from lfgtui.providers.acp.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    Call,
    Invalid,
    Message,
    Notification,
    Reply,
    RpcError,
    Unreadable,
)
from tests.providers.recordings import FOLDER, WHY_SKIPPED

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "method", "params", "result", "error", "code", "message"]),
            inner,
        )
    ),
    max_leaves=12,
)


def read(text: str) -> list[Message]:
    return list(messages.read(text.encode()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"jsonrpc":"2.0","method":"m","params":{"a":1}}', Notification("m", {"a": 1})),
        ('{"method":"m"}', Notification("m", {})),
        ('{"method":"m","params":null,"more":1}', Notification("m", {})),
        ('{"method":"m","params":[1]}', Unreadable),
        ('{"method":1}', Unreadable),
        ('{"id":0,"method":"m","params":{}}', Call("0", "m", {})),
        ('{"id":"0","method":"m"}', Call('"0"', "m", {})),
        ('{"id":null,"method":"m"}', Call("null", "m", {})),
        ('{"id":1.5,"method":"m"}', Call("1.5", "m", {})),
        (f'{{"id":{2**80},"method":"m"}}', Call(f"{2**80}", "m", {})),
        ('{"id":1,"result":null}', Reply("1", None, None)),
        ('{"id":1,"result":[2],"error":null}', Reply("1", [2], None)),
        ("{}", Unreadable),
        ("[]", Unreadable),
        ("1", Unreadable),
        ("debug: starting", Unreadable),
        ('{"id":1,"result":', Unreadable),
        ("[" * 5_000 + "]" * 5_000, Unreadable),
    ],
)
def test_a_line_is_one_message(text: str, message: object) -> None:
    (found,) = read(text)
    assert type(found) is message if isinstance(message, type) else found == message


@pytest.mark.parametrize(
    ("text", "its_id", "code"),
    [
        ('{"id":1,"method":2}', "1", INVALID_REQUEST),
        ('{"id":{},"method":"m"}', "null", INVALID_REQUEST),
        ('{"id":true,"method":"m"}', "null", INVALID_REQUEST),
        ('{"id":1e999,"method":"m"}', "null", INVALID_REQUEST),
        ('{"id":1,"method":"m","params":"p"}', "1", INVALID_PARAMS),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(text: str, its_id: str, code: int) -> None:
    (found,) = read(text)
    assert isinstance(found, Invalid)
    assert (found.id, found.error.code) == (its_id, code)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ('{"code":-32601,"message":"no","data":1}', -32601, "no"),
        ('{"code":"x","message":2}', INTERNAL_ERROR, "refused without a reason"),
        ('"no"', INTERNAL_ERROR, "refused without a reason"),
        ("null", INTERNAL_ERROR, "refused without a reason"),
    ],
)
def test_an_error_has_a_code_and_a_message(error: str, code: int, message: str) -> None:
    (found,) = read(f'{{"id":1,"error":{error}}}')
    assert isinstance(found, Reply) and found.error is not None
    assert (found.error.code, found.error.message) == (code, message)


def test_a_batch_is_its_messages() -> None:
    first, second, third = read('[{"method":"a"},2,{"id":1,"result":3}]')
    assert (first, third) == (Notification("a", {}), Reply("1", 3, None))
    assert isinstance(second, Unreadable) and second.why == "an invalid message"


def test_blank_lines_are_none() -> None:
    assert read("") == read(" \r") == []


def test_a_message_of_too_many_values_is_given_up() -> None:
    with pytest.raises(ProviderError, match="too many values"):
        read('{"method":"m","params":{"a":[' + "[]," * 300_000 + "0]}}")


@given(st.binary())
def test_any_bytes_are_read(line: bytes) -> None:
    list(messages.read(line))


@given(JSON)
def test_any_json_is_read_and_any_request_can_be_answered(value: object) -> None:
    for message in read(json.dumps(value)):
        if isinstance(message, Call | Invalid):
            answer = json.loads(messages.result(message.id, [1]))
            assert answer == {"jsonrpc": "2.0", "id": json.loads(message.id), "result": [1]}


@given(st.text(), st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text()))
def test_what_is_written_is_read(method: str, params: dict[str, object]) -> None:
    (line,) = [messages.request(7, method, params)]
    assert b"\n" not in line
    assert list(messages.read(line)) == [Call("7", method, params)]
    assert list(messages.read(messages.notification(method, params))) == [
        Notification(method, params)
    ]
    assert list(messages.read(messages.result("7", params))) == [Reply("7", params, None)]
    (refused,) = messages.read(messages.refusal('"a"', RpcError(-1, method or "no", params)))
    assert isinstance(refused, Reply) and refused.error is not None
    assert (refused.id, refused.error.code, refused.error.data) == ('"a"', -1, params)


@pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)
@pytest.mark.parametrize("agent", ["claude-agent-acp", "opencode-acp"])
def test_what_real_agents_send_is_read(agent: str) -> None:
    lines = (Path(FOLDER or "") / "acp" / f"{agent}.jsonl").read_bytes().splitlines()
    found = [message for line in lines for message in messages.read(line)]
    assert len(found) == len(lines)
    assert {type(message) for message in found} <= {Notification, Call, Reply}
