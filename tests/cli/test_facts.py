"""``remember``, ``search``, ``recall``, ``forget``, ``restore`` and ``review``: facts from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import memrepo
from memrepo import MemoryNew
from tests.cli.conftest import Command, on_store


def test_remember(command: Command) -> None:
    """Each text is a fact, stored once; the outcome, the id and what was ignored are said."""
    ran = command("remember", "Likes tea", "likes TEA", "--category", "preference")
    assert (ran.status, ran.out, ran.err) == (
        0,
        "created 1\nduplicate 1 (ignored: content)\n",
        "",
    )
    again = command("remember", "Likes tea", "--json").json
    assert [(its["outcome"], its["entry"]["category"]) for its in again["facts"]] == [
        ("duplicate", "preference")
    ]


def test_remember_from_stdin(command: Command) -> None:
    """Without a text, each line of stdin is a fact, and with --nl each outcome is a line."""
    ran = command("remember", "--nl", stdin="Likes tea\n\n  Has a dog  \n")
    assert [its["entry"]["content"] for its in ran.nl] == ["Likes tea", "Has a dog"]
    assert command("remember", "-", stdin="likes tea.\n").out.startswith("duplicate 1 ")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_remember_from_stdin_until_a_bad_line(command: Command, form: list[str]) -> None:
    """Of many lines, one that is not accepted is named by its number, and so is what was stored before it."""
    lines = [*(f"line {n}" for n in range(1, 701)), "bad\0line", "more"]
    ran = command("remember", *form, stdin="\n".join(lines))
    assert ran.status == 1
    assert "TEXT 701: must not contain a NUL character; stored before it: 500" in ran.err
    assert len(ran.json["facts"] if form else ran.out.splitlines()) == 500
    assert command("remember", "Fine", "bad\0text").err.startswith(
        "memrepo: TEXT 2: must not contain a NUL character; stored before it: 0"
    )


def test_what_is_typed_is_remembered_together(command: Command) -> None:
    """Of any number of texts that were typed, all are stored or, where one is misused, none; and nothing is printed."""
    for form in ((), ("--json",), ("--nl",)):
        ran = command("remember", *(f"Fact {n}" for n in range(600)), "", *form)
        assert (ran.status, ran.out) == (2, "")
        assert "TEXT 601: must not be empty or blank" in ran.err
    assert command("facts").table == []


@pytest.mark.parametrize("form", ["--json", "--nl"])
def test_remember_tells_what_is_stored(form: str, path: Path) -> None:
    """What was stored of stdin before something failed is told, in every form."""
    done = subprocess.run(
        [sys.executable, "-m", "memrepo", "remember", form],
        input="".join(f"Fact number {n:99}\n" for n in range(999)).encode() + b"\xff",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.count(b'"created"')) == (1, 500)
    assert b"stdin is not text in UTF-8" in done.stderr


def test_remember_with_everything(command: Command, path: Path) -> None:
    """Every option reaches the fact, and times are in the local time or from now."""
    session = on_store(path, lambda store: store.scoped("ada").sessions.start())
    ran = command(
        *("remember", "Lives in York", "--scope", "ada", "--source", "app", "--slot", "home"),
        *("--metadata", '{"a": [1]}', "--due", "2030-01-01T10:00+01:00", "--expires", "30d"),
        *("--session", session.id, "--json"),
    )
    (its,) = ran.json["facts"]
    fact = its["entry"]
    assert (fact["scope"], fact["source"], fact["slot"]) == ("ada", "app", "home")
    assert (fact["metadata"], fact["session_id"]) == ({"a": [1]}, session.id)
    assert fact["due_at"] == "2030-01-01T09:00:00.000Z"
    assert fact["expires_at"] > fact["created_at"]
    moved = command("remember", "Lives in Leeds", "--scope", "ada", "--slot", "home")
    assert moved.out == "replaced 2 (instead of 1)\n"


def test_search(command: Command, path: Path) -> None:
    """Facts, events and summaries are found by words, with the reason, and facts by category, too."""

    async def fill(store: memrepo.Store) -> None:
        session = await store.sessions.start()
        await store.memories.remember("Drinks green tea", category="preference")
        await store.memories.remember("Sells tea")
        await store.daily_logs.append(session.id, "topic", {"said": "tea\tat\nfive"})
        await store.sessions.end(session.id, summary="Talked about tea.")

    on_store(path, fill)
    assert command("search", "green", "tea").table[0] == [
        *("1", "1.00", "Drinks green tea", "has 'green' and 'tea'"),
    ]
    (hit,) = command("search", "tea", "--category", "preference", "--json").json["hits"]
    assert hit["entry"]["content"] == "Drinks green tea"
    (event,) = command("search", "tea", "--in", "events").table
    assert event[3:5] == ["topic", '{"said": "tea\\tat\\nfive"}']
    (session,) = command("search", "-", "--in", "sessions", "--nl", stdin="tea").nl
    assert session["entry"]["summary"] == "Talked about tea."
    none = command("search", "zebra")
    assert (none.status, none.out, none.err) == (0, "", "nothing found\n")
    assert command("search", "zebra", "--json").json == {"hits": []}


def test_recall(command: Command, path: Path) -> None:
    """The block for a prompt is printed; --explain shows each choice, and what was left out."""
    facts = [MemoryNew(content=text) for text in ("Likes tea", "Has a dog", "Plays chess")]
    on_store(path, lambda store: store.memories.remember_many(facts))
    assert command("recall", "which", "tea").out == (
        "User context:\n- Fact: Likes tea (today, you told me)\n"
    )
    shown = command("recall", "--max-entries", "2", "--explain").table
    assert [(row[2], row[4]) for row in shown] == [
        ("Plays chess", ""),
        ("Has a dog", ""),
        ("Likes tea", "max_entries"),
    ]
    assert shown[0][3] == "recency 50 + category 20 + source 20: 90"
    found = command("recall", "-", "--json", stdin="tea?").json
    assert [its["entry"]["content"] for its in found["entries"]] == ["Likes tea"]
    assert found["prompt"].startswith("User context:")
    assert [its["entry"]["id"] for its in command("recall", "tea", "--nl").nl] == [1]


def test_forget_and_restore(command: Command) -> None:
    """Facts are forgotten by their ids, listed, and brought back."""
    command("remember", "Likes tea", "Has a dog")
    assert command("forget", "2", "1").out == "forgot 2\nforgot 1\n"
    nothing = command("recall")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "nothing found\n")
    assert {row[2] for row in command("restore").table} == {"Likes tea", "Has a dog"}
    assert len(command("restore", "--json").json["facts"]) == 2
    (fact,) = command("restore", "1", "--json").json["facts"]
    assert fact["deleted_at"] is None
    unknown = command("forget", "99", "--json")
    assert (unknown.status, unknown.out) == (1, "")
    assert '"kind": "NotFoundError"' in unknown.err


def test_dash_is_stdin(command: Command, path: Path) -> None:
    """``-`` is stdin wherever a text, words, ids or an export are asked for, also among other texts."""
    ran = command("remember", "Likes rum", "-", "Likes ale", stdin="Likes tea\nHas a dog\n")
    assert ran.out == "created 1\ncreated 2\ncreated 3\ncreated 4\n"
    assert command("facts", "--nl").nl[-2]["content"] == "Likes tea"
    assert command("search", "-", stdin="a dog\n").table[0][0] == "3"
    assert command("forget", "-", stdin="3\n4\n").out == "forgot 3\nforgot 4\n"
    assert command("forget", "-", stdin="the tea\n").table[0][0] == "2"
    export = command("export", "-").out
    assert command("import", "-", "--db", "b.db", stdin=export).status == 0
    assert not path.with_name("-").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        *(("backup", "-"), ("restore-backup", "-", "--yes"), ("copy", "-", "b.db")),
        *(("copy", "agent.db", "-"), ("facts", "--db", "-"), ("init", "--db", "-")),
    ],
)
def test_dash_is_no_database(arguments: tuple[str, ...], command: Command, path: Path) -> None:
    """Where only a file will do, ``-`` is refused, and no file of that name is made; ./- is one."""
    command("init")
    ran = command(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "cannot be - for a stream; a file of this name is ./-" in ran.err
    assert [*path.parent.iterdir()] == [path]
    assert command("backup", "./-").status == 0


def test_several_ids_are_all_or_none(command: Command, path: Path) -> None:
    """An id that is not there leaves the others as they are, so that nothing happens unsaid."""
    command("remember", "Likes tea", "Has a dog")
    assert command("forget", 1, 99).status == 1
    assert on_store(path, lambda store: store.memories.count()) == 2
    assert command("forget", 1, 2).out == "forgot 1\nforgot 2\n"
    assert command("restore", 1, 99).status == 1
    assert on_store(path, lambda store: store.memories.count()) == 0


def test_forget_by_description(command: Command) -> None:
    """Without a terminal to choose on, the candidates are shown, nothing is forgotten, and the status is 2."""
    command("remember", "Likes green tea", "Has a dog")
    ran = command("forget", "the", "tea")
    assert (ran.status, ran.table[0][2]) == (2, "Likes green tea")
    assert ran.err.splitlines()[-1] == "memrepo: nothing was forgotten: say the id"
    unlike = command("forget", "zebra")
    assert (unlike.status, unlike.out, unlike.err) == (1, "", "memrepo: no fact is like this\n")
    assert len(command("recall", "--json").json["entries"]) == 2


def test_forget_by_description_as_json(command: Command) -> None:
    """With --json the candidates are an object on stdout, and why nothing was forgotten is an error as any other."""
    command("remember", "Likes green tea")
    ran = command("forget", "the", "tea", "--json")
    assert [its["entry"]["id"] for its in ran.json["candidates"]] == [1]
    said = {"kind": "UsageError", "message": "nothing was forgotten: say the id"}
    assert (ran.status, json.loads(ran.err)) == (2, {"error": said})
    unlike = command("forget", "zebra", "--nl")
    said = {"kind": "NotFoundError", "message": "no fact is like this"}
    assert (unlike.status, unlike.out, json.loads(unlike.err)) == (1, "", {"error": said})


def test_review(command: Command, path: Path) -> None:
    """Proposals, near-duplicates and slots are shown together or alone, and decided about."""

    async def fill(store: memrepo.Store) -> None:
        its = store.memories
        for text in ("May like tea", "May like rum"):
            await its.remember(text, proposed=True, source="inferred")
        await its.remember("The meeting with Ada is on Thursday at nine in the morning")
        await its.remember("The meeting with Ada is on Thursday at nine in the mornings")
        await its.remember("Lives in Leeds", slot="home")
        await its.remember("Lives in York", slot="home")

    on_store(path, fill)
    shown = command("review", "--json").json
    assert [fact["content"] for fact in shown["proposals"]] == ["May like tea", "May like rum"]
    assert [(its["first"]["id"], its["second"]["id"]) for its in shown["duplicates"]] == [(3, 4)]
    assert [fact["slot"] for fact in shown["slots"]] == ["home"]
    assert command("review", "slots").table[0][:4] == ["home", "6", "fact", "Lives in York"]
    assert command("review", "--approve", 1, "--reject", 99).status == 1  # all or none
    done = command("review", "--approve", 1, "--reject", 2, "--merge", 3, 4, "--revert", "home")
    assert done.out == "approved 1\nrejected 2\nkept 3 for 4, too\nrestored 5\n"
    after = command("review")
    assert after.err == "no proposals\nno duplicates\n"
    assert after.table == [[*after.table[0][:3], "Lives in Leeds", *after.table[0][4:]]]


def test_facts(command: Command) -> None:
    """All current facts are listed, the latest first, or those of a category, a source or with a text."""
    command("remember", "Likes tea", "Lives in Y\u00f6rk")
    command("remember", "Has a dog", "--category", "pet", "--source", "app")
    command("remember", "Likes rum", "--proposed")
    command("remember", "Likes ale")
    command("forget", 5)
    assert [row[2] for row in command("facts").table] == [
        "Has a dog",
        "Lives in Y\u00f6rk",
        "Likes tea",
    ]
    for arguments, ids in (
        (("--category", "pet"), [3]),
        (("--source", "user_explicit"), [2, 1]),
        (("--contains", "Y\u00d6RK"), [2]),
        (("-n", 1), [3]),
        (("--scope", "ada"), []),
    ):
        assert [its["id"] for its in command("facts", *arguments, "--json").json["facts"]] == ids
    assert command("facts", "--scope", "ada").err == "no facts\n"


@pytest.mark.parametrize("when", ["2020-01-01", "0d"])
def test_expiry_that_is_past(command: Command, when: str) -> None:
    """A fact that nobody would ever see again is not stored: the year may be misspelled."""
    ran = command("remember", "Likes tea", "--expires", when)
    assert (ran.status, "--expires" in ran.err, "to come" in ran.err) == (2, True, True)
    assert command("init").status == 0
    assert command("facts").out == ""


def test_forget_no_number(path: Path, command: Command) -> None:
    """Digits that are no id are refused without being repeated."""
    command("remember", "Likes tea")
    for digits in ("9" * 20, "9" * 5_000):
        ran = command("forget", digits)
        assert ran.status == 2
        assert "99" not in ran.err
    assert on_store(path, lambda store: store.memories.count()) == 1
