"""The second version of the hash rule: which facts are hashed anew, and that none is lost."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import pytest
from hypothesis import example, given, settings, strategies as st

import memrepo
from memrepo import MemoryFilter, content_hash
from memrepo.admin.migrate import migrate
from memrepo.admin.migrations import load_migrations
from memrepo.domain.hashing import hash_normalized
from memrepo.domain.instants import encode_instant
from tests.admin.original import THEN, Program
from tests.conftest import Clock

KNOWN = load_migrations()
REHASHING = next(its for its in KNOWN if its.name.endswith("hash_unstable_texts_anew"))
#: JavaScript's, as the rule has it.
_SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_HARD = (
    f".;!?{_SPACES}aJHTΙΥ\u03aa\u1fbcİ\u212a\u037e\u0301\u0340\u0344\u030c\u0307\u0331\u0345\u0323Σ"  # noqa: RUF001
)


def first_version(text: str, scope: str = "") -> str:
    """The hash by the first version of the rule, which took each step once."""
    once = unicodedata.normalize("NFC", text).strip(_SPACES).lower()
    return hash_normalized(re.sub(f"[{_SPACES}]+", " ", once).rstrip(".,;:!?"), scope)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE memory_entries (content TEXT, hash_version INTEGER)")
        yield database


@settings(max_examples=200)
@given(st.text(_HARD, min_size=1, max_size=8) | st.text(st.characters(exclude_characters="\0")))
@example("done. .")
@example("J\u030c")
@example("a \u037e")
def test_every_text_whose_hash_changes_is_hashed_anew(
    database: sqlite3.Connection, text: str
) -> None:
    """The migration's condition holds for each text to which the two versions give two hashes."""
    text = text.encode(errors="replace").decode()
    database.execute("DELETE FROM memory_entries")
    database.execute("INSERT INTO memory_entries VALUES (?, 1)", (text,))
    for statement in REHASHING.statements():
        database.execute(statement.sql)
    is_hashed_anew = database.execute("SELECT hash_version = 0 FROM memory_entries").fetchone()[0]
    assert is_hashed_anew or first_version(text) == content_hash(text)


@pytest.mark.asyncio
async def test_facts_are_hashed_anew(place: tuple[str, Program], clock: Clock) -> None:
    """After the upgrade a text is found by its new hash, the same twice are one, and no row is gone."""
    url, original = place
    texts = ["It is done", "It is done. .", "Likes J\u030cazz", "Forgotten ! ?", "Plain. Text"]
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[: REHASHING.number - 1], clock())
    for text in texts:
        gone = f"'{THEN}'" if "Forgotten" in text else "NULL"
        original.run(
            "INSERT INTO memory_entries (content, content_hash, category, source, created_at, "
            f"deleted_at, hash_version) VALUES ('{text}', '{first_version(text)}', 'fact', "
            f"'user_explicit', '{THEN}', {gone}, 1)"
        )
    async with memrepo.connect(url, clock=clock) as store:
        assert await store.verify() == []
        current = [fact.content for fact in await store.memories.find_many()]
        assert sorted(current) == ["It is done", "Likes J\u030cazz", "Plain. Text"]
        everything = MemoryFilter(include_forgotten=True, include_superseded=True)
        by_text = {fact.content: fact for fact in await store.memories.find_many(everything)}
        assert sorted(by_text) == sorted(texts)
        assert by_text["It is done. ."].superseded_by == by_text["It is done"].id
        for text, known in (("likes \u01f0azz", "Likes J\u030cazz"), ("It is done!", "It is done")):
            again = await store.memories.remember(text, source="inferred")
            assert (again.outcome, again.id) == ("duplicate", by_text[known].id)
        held = await store.memories.remember("Forgotten", source="inferred")
        assert (held.outcome, held.id) == ("forgotten", by_text["Forgotten ! ?"].id)


_LATER = "'9999-01-01T00:00:00.000Z'"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("known", "again"),
    [
        pytest.param({"superseded_by": "2"}, {}, id="which it had superseded"),
        pytest.param({"expires_at": f"'{THEN}'"}, {}, id="which has expired"),
        pytest.param(
            {"expires_at": f"'{THEN}'"}, {"expires_at": _LATER}, id="which expires earlier"
        ),
        pytest.param(
            {"content": "'Done! ?'", "deleted_at": f"'{THEN}'"}, {}, id="hashed anew, too"
        ),
        pytest.param({}, {"deleted_at": f"'{THEN}'"}, id="itself forgotten, then restored"),
    ],
)
async def test_what_was_current_stays_so_once(
    place: tuple[str, Program], clock: Clock, known: dict[str, str], again: dict[str, str]
) -> None:
    """A text that was current is so after the upgrade, too, whatever becomes the same fact: one current fact."""
    url, original = place
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[: REHASHING.number - 1], clock())
    for row in ({"content": "'Done.'", **known}, {"content": "'Done. .'", **again}):
        values = {
            "content_hash": f"'{first_version(row['content'].strip(chr(39)))}'",
            **dict.fromkeys(("category", "source"), "'fact'"),
            "created_at": f"'{THEN}'",
            "hash_version": "1",
            **row,
        }
        names = ", ".join(values)
        original.run(f"INSERT INTO memory_entries ({names}) VALUES ({', '.join(values.values())})")
    async with memrepo.connect(url, clock=clock) as store:
        if "deleted_at" in again:
            await store.memories.restore(2)
        (current,) = await store.memories.find_many()
        expires_at = None if current.expires_at is None else encode_instant(current.expires_at)
        assert expires_at == (_LATER.strip("'") if "expires_at" in again else None)
        assert (await store.memories.remember("Done", source="inferred")).outcome == "duplicate"
        assert await store.memories.count(MemoryFilter(include_superseded=True)) == (
            1 if "deleted_at" in known else 2
        )
        assert await store.verify() == []


@pytest.mark.asyncio
async def test_the_original_states_an_unstable_text(
    place: tuple[str, Program], clock: Clock
) -> None:
    """What the original hashes in one step only becomes, when the store is opened, the fact that it states."""
    url, original = place
    async with memrepo.connect(url, clock=clock) as store:
        done = await store.memories.remember("It is done")
    once = sha256(b"it is done. ").hexdigest()
    original.run(
        "INSERT INTO memory_entries (content, content_hash, category, source, created_at) "
        f"VALUES ('It is done. .', '{once}', 'fact', 'user_explicit', '{THEN}')"
    )
    async with memrepo.connect(url, clock=clock) as store:
        assert [fact.id for fact in await store.memories.find_many()] == [done.id]
        assert [fact.content for fact in await store.memories.history(done.id)] == ["It is done. ."]
        assert await store.verify() == []
