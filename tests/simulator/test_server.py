"""Faults, cuts, stalls, keys, and what a client that leaves does."""

import asyncio
import time
from email.utils import parsedate_to_datetime

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from lfgtui.errors import UsageError
from lfgtui.simulator.server import Settings, build_app, listening, running
from tests.simulator.conftest import LoadScenario, Serve

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
VERSION = {"anthropic-version": "2023-06-01"}


def body(path: str, model: str, *, stream: bool = True, prompt: str = "hello") -> dict[str, object]:
    common = {"model": model, "stream": stream}
    if path == RESPONSES:
        return {**common, "input": prompt}
    return {**common, "max_tokens": 500, "messages": [{"role": "user", "content": prompt}]}


async def post(http: httpx2.AsyncClient, path: str, model: str, **more: object) -> httpx2.Response:
    prompt = str(more.get("prompt", "hello"))
    said = body(path, model, stream=bool(more.get("stream", True)), prompt=prompt)
    return await http.post(path, json=said, headers=VERSION)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        (MESSAGES, 529, "overloaded_error"),
        (CHAT, 503, "server_error"),
        (RESPONSES, 503, "server_error"),
    ],
)
async def test_an_overload_passes_in_time(serve: Serve, path: str, status: int, kind: str) -> None:
    text = """
        [[turn]]
        fault = [{ status = 529, retry_after = 2.5, times = 2 }, { status = 429 }]
        text = "at last"
    """
    async with serve(text) as http:
        answers = [await post(http, path, "m") for _ in range(4)]
        other = await post(http, path, "m", prompt="another conversation")
    assert [answer.status_code for answer in answers] == [status, status, 429, 200]
    assert other.status_code == status
    assert answers[0].headers["retry-after"] == "2.5"
    assert "retry-after" not in answers[2].headers
    assert answers[0].json()["error"]["type"] == kind
    assert "at" in answers[3].text


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_cut_closes_the_socket_in_mid_body(serve: Serve, path: str, stream: bool) -> None:
    text = '[[turn]]\ncut = { after = 8 }\ntext = "one two three four five six"'
    async with serve(text) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await post(http, path, "m", stream=stream)
        again = await post(http, path, "m", stream=stream)
    assert "six" in again.text


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_an_error_inside_the_200_ends_the_stream(serve: Serve, path: str) -> None:
    text = '[[turn]]\ncut = { after = 8, how = "error" }\ntext = "one two three four five six"'
    async with serve(text) as http:
        response = await post(http, path, "m")
    assert response.status_code == 200
    assert "two" in response.text
    assert "six" not in response.text
    assert '"error"' in response.text.strip().split("\n\n")[-1]


async def test_a_stall_is_silence_with_signs_of_life(serve: Serve) -> None:
    text = '[[turn]]\nstall = { after = 4, seconds = 12 }\ntext = "one two three"'
    async with serve(text) as http:
        messages = await post(http, MESSAGES, "m")
        chat = await post(http, CHAT, "m")
    # One ping comes with every message, three within a stall of 12 s.
    assert messages.text.count("event: ping") == 1 + 3
    assert chat.text.count(": keep-alive\n\n") == 3


async def test_a_client_that_leaves_ends_the_generation(scenario: LoadScenario) -> None:
    text = (
        '[[turn]]\nfirst_token = 0\nstall = { seconds = 100000, pings = false }\ntext = "one two"'
    )
    app = await asyncio.to_thread(build_app, Settings(scenarios={"endless": await scenario(text)}))
    ended = asyncio.Event()

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        ended.set()

    async with listening(noted) as url, httpx2.AsyncClient(base_url=url) as http:
        async with http.stream("POST", CHAT, json=body(CHAT, "endless")) as response:
            await anext(response.aiter_lines())
            assert not ended.is_set()
        await ended.wait()


async def test_closing_does_not_wait_for_a_reply(scenario: LoadScenario) -> None:
    text = '[[turn]]\nfirst_token = 100000\ntext = "one two"'
    settings = Settings(scenarios={"endless": await scenario(text)})
    async with httpx2.AsyncClient() as http:
        async with running(settings) as url:
            said = body(CHAT, "endless")
            response = await http.send(
                http.build_request("POST", f"{url}{CHAT}", json=said), stream=True
            )
        with pytest.raises(httpx2.RemoteProtocolError):
            await response.aread()


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_the_same_seed_gives_the_same_bytes(path: str) -> None:
    texts: list[str] = []
    for seed in (1, 1, 2):
        settings = Settings(seed=seed, speed=0)
        async with running(settings) as url, httpx2.AsyncClient(base_url=url) as http:
            texts.append((await post(http, path, "any-model")).text)
    assert texts[0] == texts[1] != texts[2]


async def test_a_request_sent_again_gets_ids_of_its_own(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        ids = {(await post(http, CHAT, "any-model", stream=False)).json()["id"] for _ in range(3)}
    assert len(ids) == 3


async def test_any_model_answers_the_prompt_in_markdown(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        prompt = "Weigh tabs against spaces"
        response = await post(http, CHAT, "gpt-x", prompt=prompt, stream=False)
    answer = response.json()["choices"][0]["message"]["content"]
    assert answer.startswith(f"## {prompt}\n")
    assert "simulated" in answer


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_a_required_key_is_required(path: str) -> None:
    settings = Settings(speed=0, require_key="right")
    async with running(settings) as url, httpx2.AsyncClient(base_url=url) as http:
        answers = [
            await http.post(path, json=body(path, "m"), headers={**VERSION, **headers})
            for headers in (
                {},
                {"authorization": "Bearer wrong", "x-api-key": "wrong"},
                {"authorization": "Bearer right", "x-api-key": "right"},
            )
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    kind = "authentication_error" if path == MESSAGES else "invalid_request_error"
    assert answers[1].json()["error"]["type"] == kind


async def test_a_path_that_is_not_there_is_refused_in_the_callers_form(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        gpt = await http.get("/v1/nothing")
        claude = await http.get("/v1/nothing", headers=VERSION)
    assert gpt.status_code == claude.status_code == 404
    assert gpt.json()["error"]["message"] == "Invalid URL (GET /v1/nothing)"
    assert claude.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
@pytest.mark.parametrize("data", [b"{", b'{"model": "\xff"}', b"[" * 100_000])
async def test_what_is_not_json_is_refused_as_such(url: str, path: str, data: bytes) -> None:
    async with httpx2.AsyncClient(base_url=url) as http:
        answer = await http.post(path, content=data, headers=VERSION)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


async def test_a_taken_port_is_one_clear_line(url: str) -> None:
    port = int(url.rpartition(":")[2])
    app = await asyncio.to_thread(build_app, Settings())
    with pytest.raises(UsageError, match=f"cannot listen on port {port}"):
        async with listening(app, port):
            pass


async def test_a_response_has_the_time_at_which_it_was_sent() -> None:
    async with running(Settings(speed=0)) as url, httpx2.AsyncClient(base_url=url) as http:
        before = int(time.time())
        answer = await http.get("/v1/models")
        dates = answer.headers.get_list("date")
    assert len(dates) == 1
    assert before <= parsedate_to_datetime(dates[0]).timestamp() <= time.time()
