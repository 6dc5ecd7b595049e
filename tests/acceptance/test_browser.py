"""The pages of `lfg serve --web` in a real browser, over a run that asks before it writes."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.model.tickets import NO_SANDBOX
from tests.acceptance.browser import Page, browser_page, needs_chromium
from tests.engine.harness import Room, ticket
from tests.helpers.terminal import LFG
from tests.server.control.test_listening import WRITES, at_work

pytestmark = [pytest.mark.acceptance, needs_chromium]


@asynccontextmanager
async def opened(
    folder: Path, path: str = "", model: str = "writes"
) -> AsyncIterator[tuple[Room, Page]]:
    """A run whose ticket waits for approval, or in its answer, and a page of the server."""
    server, url = await serving()
    try:
        address, _, token = url.partition("#")
        mine = ticket("writer", folder, model=model)
        async with at_work(folder, mine, writes=WRITES) as r, browser_page() as page:
            await r.until_event("writer", e.ApprovalRequested if model == "writes" else e.TextDelta)
            await page.open(f"{address}{path}#{token}")
            yield r, page
    finally:
        server.terminate()
        assert await server.wait() == 0


async def serving(*options: str) -> tuple[Process, str]:
    """A server, and the address that it prints."""
    listen = options or ("--listen", "127.0.0.1:0")
    server = await asyncio.create_subprocess_exec(*LFG, "serve", "--web", *listen, stdout=PIPE)
    assert server.stdout is not None
    said = await server.stdout.readline()
    return server, said.decode().removeprefix("serve: ").strip()


async def test_a_phone_shows_a_ticket_and_approves_its_call(tmp_path: Path) -> None:
    async with opened(tmp_path) as (r, page):
        await page.resize(390, 760, phone=True)
        await page.until(
            "document.querySelector('.row .wait').innerText.includes('waiting for you')"
        )
        for name in ("Test", "writer"):
            row = (
                f"[...document.querySelectorAll('.row')].find(r => r.innerText.includes('{name}'))"
            )
            await page.until(row)
            await page.evaluate(f"{row}.click()")
        await page.until("document.querySelector('footer pre').innerText.includes('+1')")
        assert not await page.evaluate("location.hash.includes('token')")
        tap = "document.querySelector('footer button')?.click()"  # the first ones come too soon
        await page.until(f"({tap}, document.querySelector('main').innerText.includes('done'))")
        await r.until_event("writer", e.TicketDone)
        await page.until("document.querySelector('footer').innerText == ''")
        assert (tmp_path / "x").read_text() == "1"


async def test_a_phone_shows_all_that_an_agent_asks_about(tmp_path: Path) -> None:
    async with opened(tmp_path, model="half") as (r, page):
        await page.until("document.querySelector('.row')")
        await page.evaluate(f"location.hash = '#/{r.engine.run}/writer'")
        for event in (
            e.ToolCallRequested("c", "Edit", {"command": "sort"}),
            e.FileChange("c", "/one", "@@ -0,0 +1 @@\n+in one\n"),
            e.FileChange("c", "/other", "@@ -0,0 +1 @@\n+in other\n"),
            e.ApprovalRequested("c", "Edit", "Change two files", sandbox=NO_SANDBOX),
        ):
            r.recorder.submit(r.engine.run, "writer", 1, 0.0, event)
        for shown in ("Change two", "runs without", "sort", "/one:", "+in one", "/other:"):
            await page.until(f"document.querySelector('footer').innerText.includes('{shown}')")


async def test_a_tap_for_a_question_that_was_answered_elsewhere_is_none_for_the_next(
    tmp_path: Path,
) -> None:
    footer = "document.querySelector('footer')"
    async with opened(tmp_path, model="half") as (r, page):
        await page.until("document.querySelector('.row')")
        await page.evaluate(
            "window.sent = [];"
            "const send = fetch;"
            "window.fetch = (path, given) => { if (given?.body) sent.push(given.body);"
            " return send(path, given); };"
            "new MutationObserver(() => {"
            " const has = text => document.querySelector('footer').innerText.includes(text);"
            " if (!has('Second') || window.tapped) return;"
            " window.tapped = true;"
            " document.querySelector('footer button').click();"
            f"}}).observe({footer}, {{ childList: true, subtree: true }});"
            f"location.hash = '#/{r.engine.run}/writer'; 0"
        )
        for event in (
            e.ToolCallRequested("c", "Edit", {"command": "sort"}),
            e.ToolCallRequested("d", "Edit", {"command": "rm"}),
            e.ApprovalRequested("c", "Edit", "First"),
            e.ApprovalRequested("d", "Edit", "Second"),
        ):
            r.recorder.submit(r.engine.run, "writer", 1, 0.0, event)
        await page.until(f"{footer}.innerText.includes('First')")
        r.recorder.submit(r.engine.run, "writer", 1, 0.0, e.ApprovalGiven("c"))
        await page.until("window.tapped")
        assert await page.evaluate("sent") == []
        await page.until(f"({footer}.querySelector('button').click(), sent.length)")
        assert '"call_id":"d"' in str(await page.evaluate("sent"))


async def test_the_real_screen_takes_keys_and_is_opened_again(tmp_path: Path) -> None:
    rows = "document.querySelector('.xterm-rows').innerText"
    async with opened(tmp_path, "screen") as (_, page):
        for words in ("ATTACHED", "writer", "a approve"):
            await page.until(f"{rows}.includes('{words}')")
        await page.resize(1000, 700)
        await page.type("?")
        await page.until(f"{rows}.includes('press esc to close')")
        await page.type("\x1b")
        await page.until(f"!{rows}.includes('press esc to close')")
        await page.type("q")
        await page.until("document.querySelector('#notice').innerText.includes('Press Enter')")
        await page.type("\r")
        await page.until(f"document.querySelector('#notice').hidden && {rows}.includes('ATTACHED')")


NOTICE = "document.querySelector('#notice').innerText"


async def test_a_phone_follows_on_when_a_proxy_answered_while_the_server_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    server, url = await serving("--listen", "127.0.0.1:0", "--token-env", "TOKEN")
    port = url.rstrip("/").rpartition(":")[2]
    asked = asyncio.Semaphore(0)

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.release()
        writer.write(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
        )
        writer.close()

    try:
        mine = ticket("writer", tmp_path, model="writes")
        async with at_work(tmp_path, mine, writes=WRITES) as r, browser_page() as page:
            await r.until_event("writer", e.ApprovalRequested)
            await page.open(f"{url}#token=secret")
            await page.until("document.querySelector('.row')")
            await page.evaluate(f"location.hash = '#/{r.engine.run}/writer'")
            await page.until("document.querySelector('footer button')")
            server.terminate()
            await server.wait()
            async with await asyncio.start_server(proxy, "127.0.0.1", int(port)):
                for _ in range(4):
                    await asked.acquire()
                assert "connection is lost" in str(await page.evaluate(NOTICE))
            server, _ = await serving("--listen", f"127.0.0.1:{port}", "--token-env", "TOKEN")
            await page.until("document.querySelector('#notice').hidden")
            tap = "document.querySelector('footer button')?.click()"
            await page.until(f"({tap}, document.querySelector('main').innerText.includes('done'))")
            main = str(await page.evaluate("document.querySelector('main').innerText"))
            assert main.count("Do writer.") == 1, "nothing is shown twice"
    finally:
        server.terminate()
        await server.wait()


async def test_what_is_not_there_is_said_and_not_asked_for_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as (r, page):
        await page.until("document.querySelector('.row')")
        await page.evaluate(f"location.hash = '#/{r.engine.run}/nope'")
        await page.until(f"{NOTICE} == 'This run has no ticket “nope”.'")
        await page.evaluate("location.hash = '#/2026nope'")
        await page.until(f"{NOTICE}.includes('no run \"2026nope\"')")
        assert "again" not in str(await page.evaluate(NOTICE))
        await page.evaluate("location.href = 'screen?run=nope'")
        await page.until(f"{NOTICE} == 'There is no run “nope”.'")


async def test_a_token_that_is_pasted_into_an_open_page_is_tried(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, page):
        await page.until("document.querySelector('.row')")
        await page.evaluate("document.querySelector('.row').remove()")
        await page.evaluate("location.hash = '#token=wrong'")
        await page.until("document.querySelector('.row')")
        assert await page.evaluate("location.hash") == ""
