"""The pages of `lfg serve --web` in a real browser, over a run that asks before it writes."""

import asyncio
from asyncio.subprocess import PIPE
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
    server = await asyncio.create_subprocess_exec(
        *LFG, "serve", "--web", "--listen", "127.0.0.1:0", stdout=PIPE
    )
    assert server.stdout is not None
    try:
        url = (await server.stdout.readline()).decode().removeprefix("serve: ").strip()
        address, _, token = url.partition("#")
        mine = ticket("writer", folder, model=model)
        async with at_work(folder, mine, writes=WRITES) as r, browser_page() as page:
            await r.until_event("writer", e.ApprovalRequested if model == "writes" else e.TextDelta)
            await page.open(f"{address}{path}#{token}")
            yield r, page
    finally:
        server.terminate()
        assert await server.wait() == 0


async def test_a_phone_shows_a_ticket_and_approves_its_call(tmp_path: Path) -> None:
    async with opened(tmp_path) as (r, page):
        await page.resize(390, 760, phone=True)
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
