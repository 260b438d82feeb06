"""The assistant of docs/examples, run as its user runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import complaints

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def assistant(*arguments: str | Path, typed: str = "") -> str:
    """Run the assistant with *typed* as its standard input; return what it printed."""
    python = [sys.executable, "-W", "error", "-X", "dev", "-X", "utf8"]
    done = subprocess.run(
        [*python, EXAMPLES / "assistant.py", *arguments],
        check=False,
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, complaints(done.stderr)) == (0, "")
    return done.stdout


def parts(output: str) -> dict[str, str]:
    """Cut the output at its headlines: ``run 1``, ``run 2``, ``what it knows now``, ``today's log``."""
    pieces = re.split(
        r"^--- (run \d+|what it knows now|today's log).*\n", output, flags=re.MULTILINE
    )
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_demo() -> None:
    """`make demo` shows what is known in the second run, stored once, corrected, forgotten, and logged."""
    said = parts(assistant("--transcript", EXAMPLES / "transcript.txt"))
    assert "Hello. I know nothing yet." in said["run 1"]
    assert "Hello again. Facts I know: 4." in said["run 2"]
    assert "When is therapy?\nbot> therapy is on Thursdays at 3pm." in said["run 2"]
    assert "THERAPY is on Thursdays at 3pm!\nbot> I know that already." in said["run 1"]
    assert said["what it knows now"].lower().count("therapy") == 1
    assert "What is the door code?\nbot> I do not know." in said["run 2"]
    assert "door code" not in said["what it knows now"]
    assert (
        "What do you know about me?\nbot> User context:\n"
        "- Fact: My home is in Graz now. (today, you told me)\n"
        "- Fact: therapy is on Thursdays at 3pm. (today, you told me)\n"
        "- Fact: Nora likes peppermint tea. (today, inferred)\n"
        "- Fact: My sister Nora keeps bees in Lisbon. (today, inferred)\n"
    ) in said["run 2"]
    assert "(forgotten)" in said["what it knows now"]
    log = said["today's log"]
    assert [log.count(word) for word in ('"remember"', '"answer"', '"forget"')] == [8, 5, 1]


def test_demo_corrects_itself() -> None:
    """What the user says of the same thing replaces what was known; a guess is one until the user says yes."""
    said = parts(assistant("--transcript", EXAMPLES / "transcript.txt"))
    assert "My home is in Graz now.\nbot> Noted, in place of: My home is in Bonn." in said["run 2"]
    assert "Where is my home?\nbot> My home is in Graz now." in said["run 2"]
    assert "What did you guess?\nbot> Nora likes peppermint tea.\nyou> Yes." in said["run 2"]
    known = said["what it knows now"]
    assert "My home is in Graz now.  (user_explicit)" in known
    assert "Nora likes peppermint tea.  (inferred)" in known
    assert "Bonn" not in known
    log = said["today's log"]
    assert '"result":"replaced"' in log
    assert '"result":"approved"' in log


def test_what_was_guessed_or_forgotten(tmp_path: Path) -> None:
    """A guess that was denied, and what was forgotten, stay away when they are only told by the way."""
    said = assistant(
        "--db",
        tmp_path / "agent.db",
        typed="Yes\nI think the cat is ill\nNo.\nThe cat is ill\nRemember the cat is ill\n"
        "My home is in Bonn\nMy home is in Rome\nmaybe my home is in Oslo\nyes\nWhere is my home?\n",
    )
    answers = [line.removeprefix("you> ").removeprefix("bot> ") for line in said.splitlines()]
    assert [answer for answer in answers if answer][1:] == [
        "I have not guessed anything.",
        "Is that so? I keep it as a guess until you say yes.",
        "Forgotten: the cat is ill",
        "You had me forget that. Say 'remember ...' to have it back.",
        "I had forgotten that. Now I know it again.",
        "Noted.",
        "Noted, in place of: My home is in Bonn",
        "Is that so? I keep it as a guess until you say yes.",
        "Noted: my home is in Oslo",
        "my home is in Oslo",
    ]


def test_demo_removes_its_file() -> None:
    """The temporary database is named, shared by the runs, and gone afterwards."""
    output = assistant("--transcript", EXAMPLES / "transcript.txt")
    files = set(re.findall(r"^--- run \d+ of (.+)$", output, flags=re.MULTILINE))
    assert len(files) == 1
    assert f"{(path := files.pop())} was temporary, and is removed." in output
    assert not Path(path).parent.exists()


def test_transcript_of_ones_own(tmp_path: Path) -> None:
    """Any text is a transcript; one without an empty line is a single run, read back afterwards."""
    transcript = tmp_path / "talk.txt"
    transcript.write_text(
        "Hi\nI have a dog called Pixel.\nRemember ?!\nRemember that i have a dog called Pixel\n"
        "forget about the weather\nWhat's my dog called?\nGrüße aus Köln 🐝\n",
        encoding="utf-8",
    )
    said = parts(assistant("--transcript", transcript))
    assert list(said) == ["run 1", "what it knows now", "today's log"]
    assert "bot> I cannot remember that" in said["run 1"]
    assert "bot> I know nothing about that." in said["run 1"]
    assert "What's my dog called?\nbot> I have a dog called Pixel." in said["run 1"]
    # The guess became certain when it was said explicitly.
    assert "I have a dog called Pixel.  (user_explicit)" in said["what it knows now"]
    assert "Grüße aus Köln 🐝  (inferred)" in said["what it knows now"]


def test_typed_over_two_runs(tmp_path: Path) -> None:
    """Two runs on one file, through a pipe: the second knows what the first was told."""
    path = tmp_path / "agent.db"
    first = assistant("--db", path, typed="Remember that I take tea, no milk.\n\n")
    assert "Hello. I know nothing yet." in first
    assert "Noted." in first
    second = assistant(
        "--db", path, typed="Do I take milk?\nForget the tea\nremember that i take tea, no milk\n"
    )
    assert "Hello again. Facts I know: 1." in second
    assert "bot> I take tea, no milk." in second
    assert "bot> Forgotten: I take tea, no milk." in second
    assert "bot> I had forgotten that. Now I know it again." in second


def test_scopes(tmp_path: Path) -> None:
    """What one scope was told, another does not know."""
    path = tmp_path / "agent.db"
    assistant("--db", path, "--scope", "user:1", typed="Remember that the cat is called Socks")
    other = assistant("--db", path, "--scope", "user:2", typed="What is the cat called?\n")
    assert "I do not know." in other
    assert "the cat is called Socks" in assistant(
        "--db", path, "--scope", "user:1", typed="What is the cat called?\n"
    )


def test_locomo(tmp_path: Path) -> None:
    """A conversation's file is replayed twice, the second time without adding anything."""
    path = tmp_path / "agent.db"
    conversation = Path(__file__).parents[1] / "fixtures" / "locomo-tiny.json"
    output = assistant("--db", path, "--locomo", conversation)
    assert "replayed once: 3 sessions, 6 events, 3 facts" in output
    assert "replayed twice: 3 sessions, 6 events, 3 facts" in output
    answered = assistant("--db", path, "--scope", "locomo:0", typed="Who built the kite?\n")
    assert "bot> Ada built a kite two metres wide." in answered
