"""tickets.toml: what is read from it, and what is refused, at which line."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import STDIN, SourceError, UsageError
from lfgtui.model.needs import select, with_needs
from lfgtui.model.ticket_keys.approvals import ALL_TOOLS, Approval
from lfgtui.model.tickets import Ticket, distrusted
from lfgtui.model.tickets_file import (
    TicketsFile,
    TicketTable,
    load_tickets,
    read_tickets,
    single_ticket,
)

NO_PATHS = ["none", "~nobody-of-that-name", "a\\u0000b", pytest.param("x" * 5000, id="a long name")]
A = '[[ticket]]\nid = "a"\nprompt = "Do a."\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tickets")


def load(folder: Path, text: str) -> TicketsFile:
    file = folder / "tickets.toml"
    file.write_text(text, encoding="utf-8", newline="")
    return load_tickets(file)


def only(folder: Path, text: str) -> Ticket:
    """The one ticket of a file."""
    (ticket,) = load(folder, text).tickets
    return ticket


def refused(folder: Path, text: str) -> str:
    """Line and message of the refusal."""
    with pytest.raises(SourceError) as caught:
        load(folder, text)
    return f"{caught.value.line}: {caught.value.message}"


def test_a_ticket_is_complete_with_id_and_prompt(folder: Path) -> None:
    workspace = str(folder.resolve())
    assert only(folder, A) == Ticket(id="a", prompt="Do a.", workspace=workspace)


def test_the_run_is_named_by_title_or_else_by_the_file(folder: Path) -> None:
    assert load(folder, 'title = "Rewrite"\n' + A).title == "Rewrite"
    assert load(folder, A).title == "tickets"


@pytest.mark.parametrize(("before", "line"), [("", 1), (A, 4)], ids=["run", "ticket"])
def test_a_title_that_fills_screens_is_refused(folder: Path, before: str, line: int) -> None:
    after = "" if before else A
    told = refused(folder, f'{before}title = "{"x" * 1001}"\n{after}')
    assert told == f"{line}: `title`: expected `str` of length <= 1000"


def test_json_lines_are_tickets_as_tables_are(folder: Path) -> None:
    lines = (
        '{"id": "b", "prompt": "x", "needs": ["a"]}\n{"id": "a", "prompt": "Do a.", "model": null}'
    )
    assert load(folder, lines) == load(folder, f'[[ticket]]\nid="b"\nprompt="x"\nneeds=["a"]\n{A}')
    assert refused(folder, "\n" + lines.replace('["a"]', '["aa"]')) == (
        '2: "b" needs "aa", which is not a ticket; did you mean "a"?'
    )
    assert refused(folder, lines.replace("model", "modle")) == (
        '2: unknown key "modle"; did you mean "model"?'
    )


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ('{"id": "a", "prompt": "Do\\n a."}', "Do a."),
        ('{"id": "a", "prompt": "x", "title": "T"}\n{"id": "b", "prompt": "y"}', "T and 1 more"),
        (f'title = "Rewrite"\n{A}', "Rewrite"),
    ],
)
def test_a_run_without_a_file_is_named_by_its_tickets(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str, title: str
) -> None:
    monkeypatch.chdir(folder)
    file = read_tickets(STDIN, lines)
    assert (file.title, file.tickets[0].workspace) == (title, str(folder.resolve()))


def test_defaults_hold_where_the_ticket_says_nothing(folder: Path) -> None:
    defaults = '[defaults]\nmodel = "m"\nmax_turns = 3\nstream = false\n'
    mine, other = load(
        folder, defaults + A + 'max_turns = 5\nstream = true\n[[ticket]]\nid="b"\nprompt="x"\n'
    ).tickets
    assert (mine.model, mine.max_turns, mine.stream) == ("m", 5, True)
    assert (other.model, other.max_turns, other.stream) == ("m", 3, False)


def test_an_empty_value_of_the_ticket_beats_the_default(folder: Path) -> None:
    assert only(folder, '[defaults]\ntools = ["read_file"]\n' + A + "tools = []\n").tools == ()


def test_the_prompt_may_be_in_a_file_beside_the_tickets(folder: Path) -> None:
    (folder / "prompt.md").write_text("Do it.\n")
    text = '[[ticket]]\nid = "a"\nprompt_file = "prompt.md"\n'
    assert only(folder, text).prompt == "Do it.\n"


def test_files_for_the_prompt_are_named_from_the_workspace_on(folder: Path) -> None:
    text = '[defaults]\ncontext = ["docs/*.md"]\n' + A
    assert only(folder, text).context == ("docs/*.md",)
    assert only(folder, text + 'context = ["a.py", "**"]\n').context == ("a.py", "**")
    inside = "expected a path inside the workspace, relative to it"
    for name in ("/etc/passwd", "~/x", "../x", "a/../../x", "a\\u0000b"):
        told = refused(folder, A + f'context = ["a.py", "{name}"]\n')
        shown = name.replace("\\u0000", "\0")
        assert told == f'4: context "{shown}": {inside}'
        assert refused(folder, f'[defaults]\ncontext = ["{name}"]\n{A}').startswith("2: context")
    assert refused(folder, A + 'context = [""]\n') == "4: expected `str` of length >= 1"
    watching = A + '[[ticket]]\nid = "w"\nprompt = "x"\nwatch = true\n'
    assert load(folder, text + watching.removeprefix(A)).tickets[1].context == ()
    assert '"context"' in refused(folder, watching + 'context = ["a.py"]\n')


@pytest.mark.parametrize("said", ["true", "false", '"7d"', '"48h"'])
def test_answers_may_be_given_again_up_to_an_age(folder: Path, said: str) -> None:
    wanted = only(folder, f"{A}cache_answers = {said}\n").cache_answers
    assert wanted == {"true": True, "false": False}.get(said, said.strip('"'))


def test_an_age_that_is_none_is_refused(folder: Path) -> None:
    told = '4: cache_answers: invalid duration "a while": expected e.g. 30d, 12w or 48h'
    assert refused(folder, f'{A}cache_answers = "a while"\n') == told


def test_a_relative_workspace_starts_at_the_files_folder(folder: Path) -> None:
    (folder / "src").mkdir()
    assert only(folder, A + 'workspace = "src"\n').workspace == str((folder / "src").resolve())


def test_a_tilde_in_the_workspace_is_the_home_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert only(folder, A + 'workspace = "~"\n').workspace == str(tmp_path.resolve())


@pytest.mark.parametrize("said", NO_PATHS)
def test_a_workspace_that_is_no_folder_is_refused(folder: Path, said: str) -> None:
    assert refused(folder, A + f'workspace = "{said}"\n').startswith('4: workspace "')


@pytest.mark.parametrize("said", [*NO_PATHS, "."])
def test_a_prompt_file_that_cannot_be_read_is_refused(folder: Path, said: str) -> None:
    text = f'[[ticket]]\nid = "a"\nprompt_file = "{said}"\n'
    assert refused(folder, text).startswith("None: ")


def test_a_prompt_file_that_has_no_end_or_one_too_far_is_refused(folder: Path) -> None:
    text = '[[ticket]]\nid = "a"\nprompt_file = "{}"\n'
    assert "is a device or a pipe, not a file" in refused(folder, text.format("/dev/zero"))
    with (folder / "huge").open("wb") as file:
        file.truncate(10**12)
    assert "is larger than 10 MB" in refused(folder, text.format("huge"))


def test_a_schema_is_read_checked_and_part_of_the_ticket(folder: Path) -> None:
    pytest.importorskip("jsonschema_rs")
    text = '[[ticket]]\nid = "a"\nprompt = "x"\nschema = "s.json"\n'
    place = f'4: schema "{folder.resolve() / "s.json"}": '
    assert refused(folder, text) == f"{place}cannot read: No such file or directory"
    for content, why in (
        ("{", "not valid JSON: Input data was truncated"),
        ("[]", "a schema is a JSON object, or true or false"),
        ('{"$ref": "#/x"}', "Pointer '/x' does not exist"),
        ('"' + "x" * 256_000 + '"', "larger than 256 KB, too large for a schema"),
    ):
        (folder / "s.json").write_text(content)
        assert refused(folder, text) == place + why
    (folder / "s.json").write_text('{"type": "object"}')
    file = load(folder, text)
    assert file.tickets[0].schema == {"type": "object"}
    assert file.schema_files == {"a": str(folder.resolve() / "s.json")}


@pytest.mark.parametrize(
    ("defaults", "own", "model"),
    [
        ('provider = "x"\nmodel = "m"', 'provider = "claude"', None),
        ('provider = "x"\nmodel = "m"', 'provider = "claude"\nmodel = "n"', "n"),
        ('provider = "x"\nmodel = "m"', 'provider = "x"', "m"),
        ('model = "m"', 'provider = "claude"', "m"),
    ],
)
def test_a_model_in_the_defaults_is_that_of_their_provider(
    folder: Path, defaults: str, own: str, model: str | None
) -> None:
    assert only(folder, f"[defaults]\n{defaults}\n{A}{own}\n").model == model


def test_fallbacks_are_the_tickets_or_the_defaults(folder: Path) -> None:
    said = '[defaults]\nfallback = ["a/b", "c/d"]\n'
    assert only(folder, said + A).fallback == ("a/b", "c/d")
    assert only(folder, said + A + "fallback = []\n").fallback == ()


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "None: no [[ticket]] in it; a run needs at least one"),
        ('\n[[ticket]]\nid = "a"\n', '2: ticket "a" has no prompt'),
        ('[[ticket]]\nid = "a"\nprompt = " "\n', '1: ticket "a" has no prompt'),
        (A + 'prompt_file = "x"\n', '1: ticket "a" has both "prompt" and "prompt_file"; keep one'),
        ('[[ticket]]\nprompt = "x"\n', '1: missing key "id"'),
        (A.replace('"a"', '"a b"'), '2: id "a b": only letters, digits, ".", "_" and "-"'),
        (A.replace('"a"', '""'), '2: id "": only letters, digits, ".", "_" and "-"'),
        (A + A, '5: id "a" is taken (line 2); ids are unique'),
        (A + 'tols = ["read_file"]\n', '4: unknown key "tols"; did you mean "tools"?'),
        (A + 'approve = "atuo"\n', '4: `approve`: unknown value "atuo"; did you mean "auto"?'),
        (A + 'needs = ["a"]\n', "4: circular needs: a -> a"),
        ('[defaults]\nneeds = ["a"]\n' + A, '2: "needs" belongs to a ticket, not to [defaults]'),
        ("[defaults]\nwatch = true\n" + A, '2: "watch" belongs to a ticket, not to [defaults]'),
        (
            A + 'watch = true\n[[ticket]]\nid = "b"\nprompt = "x"\nneeds = ["a"]\n',
            '8: "b" needs "a", which watches until all have ended',
        ),
        (
            A + 'watch = true\nneeds = ["b"]\n[[ticket]]\nid = "b"\nprompt = "x"\n',
            '5: "a" watches the others from the start: it takes no "needs"',
        ),
        (
            A + "watch = true\ncopies = 2\n",
            '5: "a" watches the others from the start: it takes no "copies"',
        ),
        ("[[on_end]]\n" + A, '1: on_end needs either "command" or "webhook"'),
        (
            '[[on_end]]\nwebhook = "h"\n' + A,
            '2: webhook "h" must begin with http:// or https:// and a host',
        ),
        (A + "watch_every = 0\n", "4: `watch_every`: expected `int` >= 1"),
        (A + 'setup = "make"\n', '4: "setup" needs worktree = true: it runs in a new worktree'),
        (A + 'worktree = "yes"\n', "4: `worktree`: expected `bool`, got `str`"),
        (A + "max_turns = 0\n", "4: `max_turns`: expected `int` >= 1"),
        (A + "timeout = -1.5\n", "4: `timeout`: expected `float` > 0.0"),
        (A + "idle_timeout = nan\n", "4: `idle_timeout`: expected `float` > 0.0"),
        ("[defaults]\nmax_turns = 0\n" + A, "2: `max_turns`: expected `int` >= 1"),
    ],
)
def test_what_cannot_run_is_refused_at_its_line(folder: Path, text: str, refusal: str) -> None:
    assert refused(folder, text) == refusal


def test_an_unknown_need_is_refused_with_the_nearest_id(folder: Path) -> None:
    text = A.replace('"a"', '"schema"') + A + 'needs = ["shcema"]\n'
    assert refused(folder, text) == (
        '7: "a" needs "shcema", which is not a ticket; did you mean "schema"?'
    )


def test_a_circle_of_needs_is_shown_whole(folder: Path) -> None:
    text = "".join(
        f'[[ticket]]\nid = "{name}"\nprompt = "x"\nneeds = ["{need}"]\n'
        for name, need in [("start", "a"), ("a", "b"), ("b", "c"), ("c", "a")]
    )
    assert refused(folder, text) == "8: circular needs: a -> b -> c -> a"


@given(st.text())
def test_any_text_is_tickets_or_a_source_error(folder: Path, text: str) -> None:
    try:
        load(folder, text)
    except SourceError as error:
        assert str(error)


keys = st.sampled_from([*TicketTable.__struct_fields__, "ticket", "defaults", "modle"])
values = st.sampled_from(
    [
        *('"a"', '""', '"."', '"~"', '"~x"', '"auto"', '"low"', '"\\u0000"', "0", "-1", "1.5"),
        *("nan", "inf", "true", "[]", '["a"]', '["read_file"]', "{}", '{ read_file = "deny" }'),
        *("{ a = 1 }", "2026-01-01", "[[1]]", '{ a = { a = "b" } }'),
    ]
)
statements = st.one_of(
    st.sampled_from(["[[ticket]]", "[defaults]", "[ticket.approve]", "[defaults.extra]", "#"]),
    st.builds("{} = {}".format, keys, values),
)


@given(st.lists(statements, max_size=12))
def test_anything_like_a_tickets_file_is_read_or_refused(folder: Path, lines: list[str]) -> None:
    try:
        load(folder, "\n".join([A, *lines]))
    except SourceError as error:
        assert error.line is None or 1 <= error.line <= len(lines) + 4


def test_only_takes_its_needs_along_in_file_order(folder: Path) -> None:
    text = "".join(
        f'[[ticket]]\nid = "{name}"\nprompt = "x"\nneeds = {needs}\n'
        for name, needs in [("d", []), ("c", ["b"]), ("b", ["a"]), ("a", [])]
    )
    file = load(folder, text)
    assert [ticket.id for ticket in select(file, ("c",)).tickets] == ["c", "b", "a"]
    assert [ticket.id for ticket in select(file, ("a", "d")).tickets] == ["d", "a"]


def test_needs_of_any_depth_and_breadth_are_followed() -> None:
    """Each of two tickets needs both before them, 2,000 times over: 2 ** 2,000 ways."""
    rows = [(f"a{n}", f"b{n}") for n in range(2_000)]
    needs = {name: before for before, row in zip([(), *rows], rows, strict=False) for name in row}
    by_id = {n: Ticket(id=n, prompt="p", workspace="/", needs=of) for n, of in needs.items()}
    assert with_needs(by_id, ["a1999"]) == by_id.keys() - {"b1999"}


def test_only_refuses_an_unknown_id_with_the_nearest(folder: Path) -> None:
    file = load(folder, A.replace('"a"', '"schema"'))
    with pytest.raises(UsageError, match='no ticket "shema"; did you mean "schema"'):
        select(file, ("shema",))


def test_a_single_prompt_is_a_run_named_by_its_beginning(tmp_path: Path) -> None:
    file = single_ticket("Say\n  hello " + "very " * 20 + "politely.", tmp_path)
    assert file.title.startswith("Say hello very very")
    assert len(file.title) == 60
    assert file.tickets[0].prompt.endswith("politely.")
    assert file.tickets[0].workspace == str(tmp_path)


def ticket(approve: Approval | dict[str, str] | None = None, tools: object = ALL_TOOLS) -> Ticket:

    said = {"id": "a", "prompt": "x", "workspace": ".", "approve": approve, "tools": tools}
    return msgspec.convert(said, Ticket)


@pytest.mark.parametrize(
    ("approve", "approvals"),
    [
        (None, ["auto", "auto", "auto", "ask", "ask", "ask"]),
        *((word, [word] * 6) for word in ("auto", "ask", "deny")),
        (
            {"run_command": "auto", "read_file": "deny"},
            ["deny", "auto", "auto", "ask", "ask", "auto"],
        ),
    ],
)
def test_a_word_holds_for_every_tool_and_a_table_for_its_own(
    approve: Approval | dict[str, str] | None, approvals: list[Approval]
) -> None:
    assert [ticket(approve).approval_for(tool) for tool in ALL_TOOLS] == approvals


def test_trust_is_about_the_offered_tools_beyond_reading_that_would_not_ask() -> None:
    assert ticket().approves_by_itself() == ()
    assert ticket("auto").approves_by_itself() == ("write_file", "edit_file", "run_command")
    assert ticket({"run_command": "auto"}).approves_by_itself() == ("run_command",)
    assert ticket("auto", ["read_file", "edit_file"]).approves_by_itself() == ("edit_file",)


def test_servers_are_named_and_their_tools_approved_by_name(folder: Path) -> None:
    text = '[defaults]\nmcp = ["time"]\n' + A + 'approve = { mcp__time = "auto" }\n'
    ticket = only(folder, text)
    assert ticket.mcp == ("time",) and ticket.may_write
    assert ticket.approves_by_itself() == ("mcp__time",)
    mistake = A + 'approve = { tiem = "auto" }\nmcp = ["time"]\n'
    assert refused(folder, mistake).startswith('4: unknown tool "tiem" (known: edit_file,')
    assert only(folder, A + 'mcp = ["time"]\ntools = []\n').mcp == ("time",)


def test_a_run_that_nobody_trusted_has_no_servers(folder: Path) -> None:
    assert distrusted(only(folder, A + 'mcp = ["time"]\n')).mcp == ()


def test_a_run_that_nobody_trusted_is_given_no_files(folder: Path) -> None:
    assert distrusted(only(folder, A + 'context = ["**"]\n')).context == ()


def test_an_approval_that_is_none_is_refused_at_its_tool(folder: Path) -> None:
    wrong = A + '[ticket.approve]\nread_file = "auto"\nrun_command = "atuo"\n'
    assert refused(folder, wrong) == (
        '6: `run_command`: unknown value "atuo"; did you mean "auto"?'
    )


def test_a_ticket_that_watches_has_only_the_tools_that_it_names(folder: Path) -> None:
    defaults = '[defaults]\ntools = ["read_file"]\ncopies = 2\nworktree = true\nsetup = "make"\n'
    watching = A + "watch = true\n"
    (folder / "watch.toml").write_text(defaults + watching)
    (ticket,) = load_tickets(folder / "watch.toml").tickets
    assert (ticket.tools, ticket.copy_of, ticket.worktree) == ((), "", False)
    (folder / "watch.toml").write_text(defaults + watching + 'tools = ["search_files"]\n')
    (ticket,) = load_tickets(folder / "watch.toml").tickets
    assert ticket.tools == ("search_files",)
