"""What a request reads from the simulated prompt cache, and what it leaves there."""

from lfgtui.simulator.wires.base import Json
from lfgtui.simulator.wires.prompt_cache import PromptCache

MARK = {"cache_control": {"type": "ephemeral"}}


def text(words: str, *, marked: bool = False) -> Json:
    return {"type": "text", "text": words} | (MARK if marked else {})


def body(*blocks: Json, model: str = "m", system: str = "Be brief.", **more: object) -> Json:
    messages = [{"role": "user", "content": [*blocks]}]
    return {"model": model, "system": system, "messages": messages, **more}


LONG = "x" * 4000


def test_what_ends_at_a_mark_is_read_by_the_next_that_begins_alike() -> None:
    cache = PromptCache()
    read, written = cache.use(body(text(LONG, marked=True), text("One.")))
    assert read == 0 and written > 1000
    assert cache.use(body(text(LONG, marked=True), text("Two."))) == (written, 0)
    assert cache.use(body(text(LONG, marked=True), model="other"))[0] == 0
    assert cache.use(body(text(LONG, marked=True), system="Be kind."))[0] == 0
    assert cache.use(body(text(f"{LONG}y", marked=True)))[0] == 0


def test_what_is_not_marked_is_neither_kept_nor_looked_for() -> None:
    cache = PromptCache()
    assert cache.use(body(text(LONG), text("One."))) == (0, 0)
    assert cache.use(body(text(LONG, marked=True)))[0] == 0
    assert cache.use(body(text(LONG), text("Two."))) == (0, 0)


def test_a_mark_that_moved_on_finds_what_ended_where_it_was_before() -> None:
    cache = PromptCache()
    _, first = cache.use(body(text(LONG, marked=True)))
    near, far = ([text(str(n)) for n in range(count)] for count in (18, 30))
    assert cache.use(body(text(LONG), *near, text("end", marked=True)))[0] == first
    assert cache.use(body(text(LONG), *far, text("end", marked=True)))[0] == 0
