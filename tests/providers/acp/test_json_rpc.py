"""A peer and real agents at the other end of their pipes, good ones and bad ones."""

import asyncio

import pytest

from lfgtui.errors import ProviderError
from lfgtui.providers.acp.json_rpc import MOST_REQUESTS, DisconnectedError, Peer
from lfgtui.providers.acp.messages import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    REQUEST_CANCELLED,
    TOO_MANY_REQUESTS,
    RpcError,
)

from .conftest import Connect

LONG = 600
"""Seconds that an agent would sleep if nobody stopped it."""

ECHO = """
    while True:
        got = receive()
        if "id" in got: send(id=got["id"], result=got)
        else: note("heard", **got)
    """


async def test_a_request_has_a_result_and_a_notification_none(connect: Connect) -> None:
    peer, recorder = await connect(ECHO)
    first, second = await asyncio.gather(peer.request("a", {"é": 1}), peer.request("b", {}))
    assert first == {"jsonrpc": "2.0", "id": 1, "method": "a", "params": {"é": 1}}
    assert second == {"jsonrpc": "2.0", "id": 2, "method": "b", "params": {}}
    await peer.notify("c", {"x": [None]})
    assert await recorder.until(1) == [("heard", "2.0", "c", {"x": [None]})]


async def test_a_refusal_has_a_code_a_message_and_data(connect: Connect) -> None:
    peer, _ = await connect(
        "send(id=receive()['id'], error={'code': -32000, 'message': 'log in', 'data': [1]})"
    )
    with pytest.raises(RpcError, match=r"log in \(-32000\)") as raised:
        await peer.request("session/new", {})
    assert (raised.value.code, raised.value.data) == (-32000, [1])


async def test_what_comes_before_a_response_is_seen_before_it_and_the_rest_after(
    connect: Connect,
) -> None:
    """Though all of it comes in one piece."""
    peer, recorder = await connect("""
        one, two = receive(), receive()
        answer = lambda got: {"id": got["id"], "result": None}
        parts = [{"method": "a"}, {"method": "b"}, answer(two), {"method": "c"},
                 {"id": 1, "method": "d"}, answer(one), {"method": "e"}]
        sys.stdout.write("".join(json.dumps(part) + "\\n" for part in parts))
        sys.stdout.flush()
        receive()
        """)

    async def ask(name: str) -> None:
        await peer.request(name, {})
        recorder.note((f"{name} answered",))

    await asyncio.gather(ask("one"), ask("two"))
    told = "a", "b", "two answered", "c", "d?", "one answered", "e"
    assert await recorder.until(7) == [(one,) for one in told]


async def test_a_message_is_the_same_a_byte_at_a_time(connect: Connect) -> None:
    _, recorder = await connect("""
        os.write(1, b"{")
        data = '"method": "é", "params": {"a": "日本"}}\\n[{"method": "b"}]\\r\\n'.encode()
        for at in range(len(data)): os.write(1, data[at:at + 1]); time.sleep(0.0005)
        receive()
        """)
    assert await recorder.until(2) == [("é", "日本"), ("b",)]


async def test_every_request_is_answered(connect: Connect) -> None:
    """With what was returned, with the refusal that was raised, and after a bug."""
    _, recorder = await connect("""
        ids = [1, "1", None, 1.5, 2]
        for number, method in zip(ids, ["good", "none", "refused", "unknown", "bad"]):
            send(id=number, method=method, params=[] if method == "bad" else {})
        send(id=[], method="good")
        got = [receive() for _ in range(6)]
        told = [[one["id"], one.get("result"), one.get("error", {}).get("code")] for one in got]
        told.sort(key=lambda one: (one[0] is None, str(one[0]), isinstance(one[0], str), one[2]))
        note("answers", **{str(at): one for at, one in enumerate(told)})
        receive()
        """)
    recorder.answers = {"good": {"a": [1]}, "none": None, "refused": RpcError(-5, "no", {"b": 2})}
    got = await recorder.until(5)
    assert got[:4] == [("good?",), ("none?",), ("refused?",), ("unknown?",)]
    assert got[4:] == [
        (
            "answers",
            [1, {"a": [1]}, None],
            ["1", None, None],
            [1.5, None, METHOD_NOT_FOUND],
            [2, None, INVALID_PARAMS],
            [None, None, INVALID_REQUEST],
            [None, None, -5],
        )
    ]


async def test_an_open_question_holds_nothing_else_up(connect: Connect) -> None:
    _, recorder = await connect("""
        send(id=1, method="permission"); note("a")
        send(id=2, method="quick")
        note("answered", id=receive()["id"])
        note("answered", id=receive()["id"])
        receive()
        """)
    permission = asyncio.get_running_loop().create_future()
    recorder.answers = {"permission": permission, "quick": 1}
    assert await recorder.until(4) == [("permission?",), ("a",), ("quick?",), ("answered", 2)]
    permission.set_result("allowed")
    assert (await recorder.until(5))[-1] == ("answered", 1)


async def test_two_open_requests_with_one_id_are_both_refused(connect: Connect) -> None:
    """Or the answer to a harmless one would be taken for that to another."""
    _, recorder = await connect("""
        send(id=5, method="permission", params={"what": "ls"})
        send(id=5, method="permission", params={"what": "rm"})
        note("answers", codes=sorted(receive()["error"]["code"] for _ in "12"))
        send(id=5, method="again")
        note("answers", result=receive()["result"])
        receive()
        """)
    permission = asyncio.get_running_loop().create_future()
    recorder.answers = {"permission": permission, "again": "fine"}
    assert await recorder.until(5) == [
        ("permission?", "ls"),
        ("permission cancelled",),
        ("answers", sorted([REQUEST_CANCELLED, INVALID_REQUEST])),
        ("again?",),
        ("answers", "fine"),
    ]


async def test_a_request_that_the_agent_withdraws_is_cancelled(connect: Connect) -> None:
    _, recorder = await connect("""
        send(id="q", method="permission")
        note("$/cancel_request", requestId="other")
        note("$/cancel_request", requestId="q")
        note("answer", code=receive()["error"]["code"])
        receive()
        """)
    recorder.answers = {"permission": asyncio.get_running_loop().create_future()}
    got = await recorder.until(5)
    assert got[-1] == ("answer", REQUEST_CANCELLED)
    assert ("permission cancelled",) in got


async def test_responses_that_nobody_waits_for_are_told(connect: Connect) -> None:
    peer, recorder = await connect("""
        first = receive()["id"]
        for number in (99, str(first), first, first): send(id=number, result=1)
        send(id=None, error={"code": -32700, "message": "parse error"})
        receive()
        """)
    assert await peer.request("m", {}) == 1
    why = "a response to no open request"
    assert await recorder.until(4) == [
        (why, "id 99"),
        (why, 'id "1"'),
        (why, "id 1"),
        (why, "id null: parse error (-32700)"),
    ]


async def test_a_request_given_up_may_be_answered_late(connect: Connect) -> None:
    peer, recorder = await connect("""
        late = receive()
        if receive()["method"] == "next": send(id=late["id"], result="late")
        note("sent")
        receive()
        """)
    asking = asyncio.ensure_future(peer.request("slow", {}))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await peer.notify("next", {})
    assert await recorder.until(1) == [("sent",)]


async def test_lines_that_are_no_messages_are_told_and_the_rest_is_read(connect: Connect) -> None:
    _, recorder = await connect("""
        print("Debugger attached.\\n\\n[1, 2]"); os.write(1, b"\\xff\\n"); print('{"a": 1')
        note("a")
        receive()
        """)
    got = await recorder.until(6)
    assert ("a",) in got
    assert ("invalid JSON", "Debugger attached.") in got
    assert ("invalid JSON", '{"a": 1') in got
    assert sum(one[0] == "an invalid message" for one in got if isinstance(one, tuple)) == 2


@pytest.mark.parametrize(
    ("death", "message"),
    [
        ("sys.exit('no key')", "the agent ended (exit code 1): no key"),
        ("os.kill(os.getpid(), 9)", "the agent ended (killed by SIGKILL, exit code -9)"),
        ("os.close(1); time.sleep(600)", "the agent closed its output"),
        ("os.kill(os.getppid(), 9); time.sleep(600)", "the agent ended (its supervisor was killed"),
    ],
)
async def test_all_that_waits_hears_of_the_agents_end(
    connect: Connect, death: str, message: str
) -> None:
    peer, recorder = await connect(f"""
        send(id=1, method="permission")
        receive(); receive()
        sys.stdout.write("half a li"); sys.stdout.flush()
        {death}
        """)
    recorder.answers = {"permission": asyncio.get_running_loop().create_future()}
    found = await asyncio.gather(
        peer.request("a", {}), peer.request("b", {}), return_exceptions=True
    )
    assert [type(error) for error in found] == [DisconnectedError] * 2
    assert str(found[0]).startswith(message)
    assert peer.failure is await peer.closed()
    assert recorder.got == [
        ("permission?",),
        ("an unfinished last line", "half a li"),
        ("permission cancelled",),
    ]
    with pytest.raises(DisconnectedError):
        await peer.request("c", {})
    with pytest.raises(DisconnectedError):
        await peer.notify("d", {})


async def test_what_an_agent_says_before_its_end_is_heard_by_those_who_wait(
    connect: Connect,
) -> None:
    """Also if somebody else notices the end first."""
    peer, recorder = await connect("""
        got = receive()
        note("a"); send(id=5, method=1); note("b"); send(id=got["id"], result="done")
        """)
    gate = asyncio.get_running_loop().create_future()
    recorder.answers = {"a": gate}
    asking = asyncio.ensure_future(peer.request("m", {}))
    await recorder.until(1)
    with pytest.raises(DisconnectedError, match=r"the agent ended \(exit code 0\)"):
        while True:
            await peer.notify("n", {})
    with pytest.raises(DisconnectedError, match=r"the agent ended \(exit code 0\)"):
        await peer.request("n", {})
    gate.set_result(None)
    assert await asking == "done"
    assert recorder.got == [("a",), ("b",)]
    assert isinstance(await peer.closed(), DisconnectedError)


async def test_a_message_too_long_ends_the_connection(connect: Connect) -> None:
    peer, _ = await connect(
        'receive(); note("a", text="x" * 2_000_000); time.sleep(600)', line_bytes=1024 * 1024
    )
    with pytest.raises(
        ProviderError, match="a message of the agent exceeds the limit of 1 MB"
    ) as raised:
        await peer.request("a", {})
    assert raised.value.kind == "protocol"


async def test_a_message_of_some_megabytes_is_read(connect: Connect) -> None:
    _, recorder = await connect('note("a", text="é" * 3_000_000); receive()')
    assert await recorder.until(1) == [("a", "é" * 3_000_000)]


async def test_an_agent_that_reads_nothing_holds_nobody_up(connect: Connect) -> None:
    peer, recorder = await connect(f"note('up'); time.sleep({LONG})", write_seconds=0.1)
    await recorder.until(1)
    found = await asyncio.gather(
        *(peer.request("a", {"text": "x" * 500_000}) for _ in range(3)), return_exceptions=True
    )
    assert {str(error) for error in found} == {
        "the agent has not read its standard input for 0.1 s"
    }


async def test_open_requests_are_bounded_on_both_sides(connect: Connect) -> None:
    peer, recorder = await connect(f"""
        for number in range({MOST_REQUESTS} + 1): send(id=number, method="permission")
        got = receive()
        note("refused", id=got["id"], code=got["error"]["code"])
        while True: receive()
        """)
    recorder.answers = {"permission": asyncio.get_running_loop().create_future()}
    got = await recorder.until(MOST_REQUESTS + 1)
    assert got[-1] == ("refused", MOST_REQUESTS, TOO_MANY_REQUESTS)
    asking = [asyncio.ensure_future(peer.request("a", {})) for _ in range(MOST_REQUESTS)]
    await asyncio.sleep(0)
    with pytest.raises(ProviderError, match="more than 100 requests to the agent are open"):
        await peer.request("a", {})
    await peer.aclose()
    closed = await asyncio.gather(*asking, return_exceptions=True)
    assert {str(error) for error in closed} == {"the connection to the agent was closed"}


async def test_a_bug_in_a_handler_ends_the_connection_and_the_agent_gets_its_answer(
    connect: Connect,
) -> None:
    peer, recorder = await connect("""
        send(id=1, method="asked")
        sys.exit(str(receive()["error"]["code"]))
        """)
    recorder.answers = {"asked": ZeroDivisionError("a bug")}
    with pytest.raises(ZeroDivisionError):
        await peer.request("a", {})
    peer, recorder = await connect(f"note('noted'); time.sleep({LONG})")
    recorder.answers = {"noted": ZeroDivisionError("a bug")}
    assert isinstance(await peer.closed(), ZeroDivisionError)


async def test_an_answer_that_is_no_json_is_a_bug_and_answered_too(connect: Connect) -> None:
    peer, recorder = await connect("""
        send(id=1, method="asked")
        sys.exit(str(receive()["error"]["code"]))
        """)
    recorder.answers = {"asked": object()}
    assert isinstance(await peer.closed(), TypeError)


async def test_closing_ends_all_that_is_open_and_leaves_the_child(connect: Connect) -> None:
    peer, recorder = await connect('send(id=1, method="permission"); receive(); receive()')
    recorder.answers = {"permission": asyncio.get_running_loop().create_future()}
    asking = asyncio.ensure_future(peer.request("a", {}))
    await recorder.until(1)
    await peer.aclose()
    assert recorder.got[-1] == ("permission cancelled",)
    with pytest.raises(ProviderError, match="was closed"):
        await asking
    await peer.aclose()


async def test_a_handler_that_takes_its_time_makes_the_agent_wait(connect: Connect) -> None:
    """Nothing is kept but what is bounded, and nothing is lost."""
    _, recorder = await connect(
        """
        for number in range(2_000): note("a", number=number, text="x" * 1_000)
        receive()
        """,
        unread_bytes=50_000,
    )
    await recorder.until(2_000)
    assert [one[1] for one in recorder.got if isinstance(one, tuple)] == list(range(2_000))


class Silent:
    """A handler that never waits."""

    async def notified(self, method: str, params: dict[str, object]) -> None:
        """Take it."""

    async def asked(self, method: str, params: dict[str, object]) -> object:
        return None

    async def unreadable(self, why: str, text: str) -> None:
        """Take it."""


async def test_a_flood_leaves_the_loop_to_others(connect: Connect) -> None:
    peer, _ = await connect("""
        receive()
        for number in range(30_000): sys.stdout.write('{"method":"a"}\\n')
        send(id=1, result=1)
        receive()
        """)
    peer._handler = Silent()
    asking = asyncio.ensure_future(peer.request("a", {}))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert isinstance(peer, Peer)
