"""What is wrong is said on stderr, and never what was given: it may be a token or a fact."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import memrepo
from memrepo.cli.commands.program import program
from memrepo.cli.main import MORE_COMMANDS, OWN_COMMANDS
from tests.cli.conftest import Command, on_store

_URL = "http://127.0.0.1:9?authToken=S3CRET"
_MISUSES: dict[tuple[str, ...], str] = {
    ("S3CRET",): "no such command; there are backup, ",
    ("--S3CRET",): "there is no such option",
    ("--secret",): "there is no such option: --secret",
    ("search",): "Missing argument 'WORDS...'.",
    ("search", "--token=S3CRET", "a"): "there is no such option: --token",
    ("search", "a", "--limit"): "Option '--limit' requires an argument.",
    ("search", "a", "--limit", "S3CRET"): (
        "Invalid value for '--limit' / '-n': must be a whole number"
    ),
    ("search", "a", "--limit", "0"): "limit: must be ",
    ("search", "a", "--in", "S3CRET"): (
        "Invalid value for '--in': must be facts, events, sessions"
    ),
    ("search", "a", "--in", "events", "--source", "S3CRET"): "--category and --source are for",
    ("search", "a", "--json=S3CRET"): "Option '--json' does not take a value.",
    ("status", "S3CRET"): "too many arguments, or invalid ones",
    ("status", "--db", "ftp://S3CRET"): "ftp: is not a database that memrepo opens",
    ("status", "--db", f"{_URL}&other=S3CRET"): "the URL has an option other than",
    ("status", "--db", "http://127.0.0.1:9/;authToken=S3CRET"): "a token stands in ?authToken=",
    ("status", "--db", "http://127.0.0.1:9/%3Fauth_token=S3CRET"): "a token stands in ?authToken=",
    ("status", "--db", "http://localhost%3FauthToken%3DS3CRET"): "a token stands in ?authToken=",
    ("status", "--db", "host?auth-token=S3CRET"): "a path has no options",
    ("status", "--db", "host?auth%54oken=S3CRET"): "a path has no options",
    ("status", "--db", "host&AUTH%54oken=S3CRET"): "begins with its scheme",
    ("status", "--db", "host#authToken=S3CRET"): "begins with its scheme",
    ("status", "--db", "//user:S3CRET@host/db"): "begins with its scheme",
    ("facts", "--db", " https://user:S3CRET@host"): "begins with its scheme",
    ("facts", "--db", "file:https://user:S3CRET@host"): "is the URL of a server",
    ("backup", "https://user:S3CRET@host"): "FILE: is the URL of a server",
    ("export", "libsql://host/S3CRET"): "FILE: is the URL of a server",
    ("restore-backup", "wss://user:S3CRET@host", "--yes"): "FILE: is the URL of a server",
    ("remember", "S3CRET", "--metadata", "S3CRET"): "must be a JSON object",
    ("remember", "S3CRET", "--metadata", "[1]"): "must be a JSON object",
    ("remember", "S3CRET", "--due", "S3CRET"): "must be 2026-02-28, 2026-02-28T14:30 (local",
    ("remember", "S3CRET", "--due", "999999w"): "must be 2026-02-28, 2026-02-28T14:30 (local",
    ("remember", "S3CRET", "--category", ""): "category: must not be empty or blank",
    ("log", "--day", "S3CRET"): "must be a day as 2026-02-28, today or yesterday",
    ("log", "--digest", "--day", "today", "--type", "S3CRET"): (
        "--digest and --type exclude each other"
    ),
    ("log", "--digest", "--day", "today", "--limit", "50"): (
        "--digest and --limit exclude each other"
    ),
    ("log", "--digest", "--session", "1", "-f"): "--digest and --follow exclude each other",
    ("log", "--tz", "Europe/London"): "--tz needs --day or --digest",
    ("sessions", "--end-abandoned", "--thread", "S3CRET"): (
        "--end-abandoned and --thread exclude each other"
    ),
    ("sessions", "--threads", "--status", "ended"): "--threads and --status exclude each other",
    ("log", "--tz", "S3CRET"): "must be a time zone as Europe/London",
    ("log", "--tz", "../S3CRET"): "must be a time zone as Europe/London",
    ("review", "slots", "--approve", "1"): (
        "--approve and proposals|duplicates|slots exclude each other"
    ),
    ("review", "--reject", "1", "-n", "5"): "--reject and --limit exclude each other",
    ("review", "S3CRET"): "'[proposals|duplicates|slots]': must be proposals, duplicates, slots",
    ("review", "--merge", "1"): "Option '--merge' requires 2 arguments.",
    ("stats", "--days", "9" * 20): "--days must be 1 to 366",
    ("forget", "0"): "WHAT must be an id: a whole number from 1 to 2**63 - 1",
    ("restore", "0"): "'[ID]...': must be an id",
    ("review", "--approve", "S3CRET"): "'--approve': must be an id",
    ("review", "--merge", "1", "9" * 20): "'--merge': must be an id",
    ("log", "--session", "0"): "'--session': must be an id",
    ("remember", "S3CRET\udcff"): "must",
    ("purge",): "Missing option '--before'.",
}


@pytest.mark.parametrize("arguments", _MISUSES)
def test_misuse(arguments: tuple[str, ...], command: Command, path: Path) -> None:
    """Misuse ends with 2, says what is wrong with which option, prints nothing, and makes no file."""
    command("init")
    ran = command(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith("memrepo: ")
    assert _MISUSES[arguments] in ran.err
    assert "S3CRET" not in ran.err
    assert list(path.parent.iterdir()) == [path]


_FAILURES: dict[tuple[str, ...], str] = {
    ("forget", "7"): "NotFoundError",
    ("status", "--db", "none.db"): "DatabaseError",
    ("backup", "folder/S3CRET.db"): "DatabaseError",
    ("import", "facts.txt"): "InvalidInputError",
    ("import", "none.txt"): "InvalidInputError",
    ("restore-backup", "other.db", "--yes"): "InvalidInputError",
    ("remember", "S3CRET", "--session", "9"): "NotFoundError",
}


@pytest.mark.parametrize("arguments", _FAILURES)
def test_failure(arguments: tuple[str, ...], command: Command, path: Path) -> None:
    """With --json, an error is a JSON object on stderr, with its kind; it shows no fact."""
    command("init")
    path.with_name("facts.txt").write_text("S3CRET\n")
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("CREATE TABLE others (id)")
    ran = command(*arguments, "--json")
    assert (ran.status, ran.out) == (1, "")
    error = json.loads(ran.err)["error"]
    assert error["kind"] == _FAILURES[arguments]
    assert ran.err.count("\n") == 1
    if arguments[0] != "backup":
        assert "S3CRET" not in ran.err


def test_input_that_is_not_text(path: Path) -> None:
    """Bytes that are no UTF-8 are said to be so, and not shown; nor is there a traceback for a full disk."""
    program = [sys.executable, "-m", "memrepo"]
    done = subprocess.run(
        [*program, "remember"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        input=b"S3CRET\xff\n",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, b"memrepo: stdin is not text in UTF-8\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*program, "status"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"memrepo: cannot read or write: No space left on device\n"


def test_json_and_nl(command: Command) -> None:
    """Both forms at once are misuse, which is told as JSON, too."""
    ran = command("recall", "--json", "--nl")
    said = {"error": {"kind": "UsageError", "message": "--json and --nl exclude each other"}}
    assert (ran.status, json.loads(ran.err)) == (2, said)


def test_without_a_database(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which database is meant has to be said."""
    monkeypatch.delenv("MEMREPO_URL")
    ran = command("recall")
    assert (ran.status, ran.err) == (
        2,
        "memrepo: which database? Say --db agent.db, or set MEMREPO_URL\n",
    )


@pytest.mark.slow
def test_token_of_the_environment(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of the environment, or of the URL, is in no message of a server that does not answer."""
    monkeypatch.setenv("TURSO_AUTH_TOKEN", "S3CRET")
    for url in ("http://127.0.0.1:9", _URL):
        ran = command("doctor", "--db", url)
        assert (ran.status, ran.err) == (1, "")
        assert "S3CRET" not in ran.out


# --- without click -----------------------------------------------------------------------------


def _without_click(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run memrepo where click and rich are not installed."""
    script = (
        "import sys\nsys.modules['click'] = sys.modules['rich'] = None\n"
        "from memrepo.cli.main import main\nsys.exit(main())"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_without_the_extra(path: Path) -> None:
    """Copy, mcp, --version and the help work; other commands say what to install, with 2."""
    bare = _without_click()
    assert (bare.returncode, bare.stdout) == (0, _without_click("--help").stdout)
    assert "pip install 'memrepo[cli]'" in bare.stdout
    assert _without_click("--version").stdout.startswith("memrepo ")
    missing = _without_click("copy", "none.db", "b.db")
    assert missing.returncode == 1
    assert "there is no such file" in missing.stderr
    ran = _without_click("remember", "S3CRET")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "memrepo: remember needs packages that are not installed: pip install 'memrepo[cli]'\n"
    )


def test_names() -> None:
    """What is named without the extra is what there is with it: about twenty commands."""
    assert MORE_COMMANDS | OWN_COMMANDS.keys() == program.commands.keys()
    assert len(program.commands) == 23


@pytest.mark.slow
def test_completion(path: Path) -> None:
    """A shell can ask which commands and options begin with what is typed."""

    def complete(words: str, n: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "memrepo"],
            env={
                **os.environ,
                "_MEMREPO_COMPLETE": "bash_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(n),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split()

    assert complete("memrepo rest", 1) == ["plain,restore", "plain,restore-backup"]
    assert complete("memrepo recall --ex", 2) == ["plain,--explain"]
    assert complete("memrepo search a --in ", 4) == [
        "plain,facts",
        "plain,events",
        "plain,sessions",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "tea", "-n", 0), "--limit: must be from 1 to 1,000"),
        (("facts", "-n", 0), "--limit: must be from 1 to 10,000"),
        (("recall", "--max-entries", 0), "--max-entries: "),
        (("remember", ""), "TEXT: must not be empty or blank"),
        (("remember", "tea", "--slot", ""), "--slot: "),
        (("remember", "tea", "--scope", "x" * 300), "--scope: "),
        *(
            (("remember", "tea", "--metadata", f'{{"{name}": NaN}}'), "--metadata: a number that")
            for name in ("content", "slot", "limit", "a.content", "facts[0].slot", "")
        ),
        (("review", "--merge", 1, 1), "--merge DROP: must be another fact than"),
        (("review", "--revert", ""), "--revert: must not be empty"),
        (("restore-backup", "agent.db", "--yes"), "--db: is the backup itself"),
        (("facts", "--db", ""), "--db: must name a file"),
        (("init", "--db", "a.db-wal"), "--db: names a file that SQLite keeps"),
        (("init", "--search", "trigram"), '--search: is "english" for this database'),
        (("copy", "a.db-wal", "b.db"), "FROM: names a file that SQLite keeps"),
        (("copy", "agent.db", ""), "TO: must name a file"),
        (("copy", "agent.db", "agent.db"), "TO: is the same database"),
        (("backup", "agent.db"), "FILE: already exists"),
        (("import", ""), "FILE: must name a file"),
        (("import", "https://h/S3CRET"), "FILE: is the URL of a server"),
        (("facts", "--contains", ""), "--contains: must be text that is not empty"),
        (("recall", "--db", "http://ada:S3CRET@h"), "a URL has no user: "),
        (("export", "agent.db"), "FILE: already exists"),
    ],
)
def test_arguments_have_the_names_that_were_typed(
    arguments: tuple[object, ...], said: str, command: Command
) -> None:
    """What the library does not accept is called as it is on the command line."""
    command("init")
    ran = command(*arguments)
    assert (ran.status, f"\nmemrepo: {said}" in f"\n{ran.err}") == (2, True), ran.err


def test_names_of_the_environment(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says is called by its name; a token is called so, wherever it comes from."""
    monkeypatch.setenv("TURSO_AUTH_TOKEN", "S3 CRET")
    said = "memrepo: the token: must be printable ASCII without spaces\n"
    command("init")
    for arguments in (("facts", "--db"), ("copy", "agent.db"), ("doctor", "--repair", "--db")):
        ran = command(*arguments, "http://127.0.0.1:9")
        assert (ran.status, ran.err.endswith(said)) == (2, True)
    monkeypatch.setenv("MEMREPO_URL", "agent.db-wal")
    assert command("facts").err.startswith("memrepo: MEMREPO_URL: names a file that SQLite keeps")


def test_an_empty_db_is_no_other_database(command: Command) -> None:
    """A script whose variable is empty does not work on the database of the environment."""
    command("remember", "Likes tea")
    assert command("erase", "--scope", "", "--yes", "--db", "").status == 2
    assert len(command("facts").table) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--db", "agent.db", "recall"), "--db comes after the command"),
        (("--scope", "ada", "recall"), "--scope comes after the command"),
        (("--token", "recall"), "there is no such option: --token"),
        (("serch", "tea"), "no such command: did you mean search? There are backup, "),
        (("help",), "no such command: did you mean --help? There are backup, "),
        (("version",), "no such command: did you mean --version? There are backup, "),
        (("S3CRET",), "no such command; there are backup, "),
        (("-",), "no such command; there are backup, "),
        (("--", "--secret"), "no such command; there are backup, "),
        (("remember", "- S3CRET"), "there is no such option; what begins with - and is none comes"),
        (("remember", "-S3CRET"), "there is no such option; what begins with - and is none comes"),
        (("search", "-secret"), "there is no such option: -s; what begins with - and is none com"),
    ],
)
def test_says_what_may_be_meant(arguments: tuple[str, ...], said: str, command: Command) -> None:
    """An option before its command, and a command with a typing error, are told apart from what is none."""
    ran = command(*arguments)
    assert ran.status == 2
    assert ran.err.splitlines()[-1].startswith(f"memrepo: {said}")


@pytest.mark.parametrize("name", ["recall", "copy", "mcp"])
def test_short_help(name: str, command: Command) -> None:
    """-h is --help, of every command."""
    short, long = (command(name, option) for option in ("-h", "--help"))
    assert (short.status, short.out) == (0, long.out)
    assert long.out


@pytest.mark.parametrize("arguments", ["recall", "doctor --repair"])
def test_missing_file(arguments: str, command: Command, path: Path) -> None:
    """A file that is not there is said not to be there, with what makes one, and is not made."""
    ran = command(*arguments.split())
    said = f"memrepo: there is no database {path}; memrepo init makes one\n"
    assert (ran.status, ran.err, path.exists()) == (1, said, False)


@pytest.mark.parametrize("name", ["none.jsonl", "", "."])
def test_nothing_to_import(name: str, command: Command, path: Path) -> None:
    """An import of a file that cannot be read makes no database."""
    ran = command("import", name)
    assert (ran.status > 0, ran.err.startswith("memrepo: FILE: ")) == (True, True)
    assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_the_terminal_does_not_have(path: Path, encoding: str) -> None:
    """A text is shown with escapes where the encoding of stdout lacks its letters; nothing fails."""

    async def fill(store: memrepo.Store) -> None:
        await store.memories.remember("Likes \u8336")
        await store.daily_logs.append(None, "topic", {"of": "\u8336"})

    on_store(path, fill)
    for arguments in (("search", "likes"), ("recall",), ("log",), ("facts",)):
        done = subprocess.run(
            [sys.executable, "-m", "memrepo", *arguments],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr, b"\\u8336" in done.stdout) == (0, b"", True)


def test_input_that_is_not_text_in_the_c_locale(path: Path) -> None:
    """Where Python lets bytes pass that are no text, the command still says that they are none."""
    done = subprocess.run(
        [sys.executable, "-m", "memrepo", "remember"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"},
        input=b"Gr\xfc\xdfe\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"memrepo: stdin is not text in UTF-8\n")
