"""
A small assistant with a memory: it remembers, forgets, answers from memory and logs what it did.

    python assistant.py --db agent.db                  talk to it; start it again, and it knows you
    python assistant.py --transcript transcript.txt    replay a conversation; an empty line: a restart
    python assistant.py --locomo conversation.json     replay a LoCoMo conversation, twice

No LLM and no server: it answers with the fact that shares the most words with the question.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

import locomo

import memrepo

_to_remember = re.compile(r"(?:please )?remember(?: that)?\s+(.+)", re.IGNORECASE).fullmatch
_to_forget = re.compile(r"(?:please )?forget(?: that| about)?\s+(.+)", re.IGNORECASE).fullmatch

_NOTED = {
    "created": "Noted.",
    "duplicate": "I know that already.",
    "restored": "I had forgotten that. Now I know it again.",
}
_words = re.compile(r"\w+").findall
_COMMON_WORDS = frozenset(
    _words(
        "a about an and are at do does did i in is it me my of on that the to was"
        " what when where which who why how you your"
    )
)


class Assistant:
    """Answers one utterance after the other, in one session."""

    def __init__(self, store: memrepo.ScopedStore, session: memrepo.Session) -> None:
        self.store = store
        self.session = session

    async def greet(self) -> str:
        """Say how much is known from earlier runs."""
        n_facts = await self.store.memories.count()
        return f"Hello again. Facts I know: {n_facts}." if n_facts else "Hello. I know nothing yet."

    async def reply(self, said: str) -> str:
        """Do what was said, and answer."""
        if match := _to_remember(said):
            return await self.remember(match[1], source="user_explicit")
        if match := _to_forget(said):
            return await self.forget(match[1])
        if said.endswith("?"):
            return await self.answer(said)
        if len(said.split()) > 1:
            return await self.remember(said, source="inferred")
        return "You are welcome. Tell me something, ask me, or say 'forget ...'."

    async def remember(self, fact: str, *, source: str) -> str:
        """Store a fact, unless it is known."""
        try:
            remembered = await self.store.memories.remember(fact, source=source)
        except memrepo.InvalidInputError as error:
            return f"I cannot remember that: it {error.reason}."
        await self.log("remember", remembered.outcome, remembered.id)
        return _NOTED[remembered.outcome]

    async def forget(self, about: str) -> str:
        """Forget the fact that fits best."""
        fact = await self.best_match(about)
        if fact is None:
            return "I know nothing about that."
        await self.store.memories.forget(fact.id)
        await self.log("forget", "forgotten", fact.id)
        return f"Forgotten: {fact.content}"

    async def answer(self, question: str) -> str:
        """Answer with the fact that fits best."""
        fact = await self.best_match(question)
        if fact is None:
            await self.log("answer", "nothing found", None)
            return "I do not know."
        await self.store.memories.touch(fact.id)
        await self.log("answer", "found", fact.id)
        return fact.content

    async def best_match(self, text: str) -> memrepo.MemoryEntry | None:
        """Return the fact that shares the most words with *text*; of equals the newest."""
        wanted, best, most = words(text), None, 0
        async for fact in self.store.memories.iterate():
            if (n_shared := len(wanted & words(fact.content))) > most:
                best, most = fact, n_shared
        return best

    async def log(self, tool: str, result: str, fact_id: int | None) -> None:
        """Write down what was done."""
        await self.store.daily_logs.append(
            self.session.id, "tool_invocation", {"tool": tool, "result": result, "fact": fact_id}
        )


def words(text: str) -> frozenset[str]:
    """Return the words of *text* that say what it is about."""
    return frozenset(_words(text.lower())) - _COMMON_WORDS


async def talk(url: str, scope: str, utterances: AsyncIterator[str]) -> None:
    """Run the assistant once: open the database, talk, close it."""
    async with memrepo.connect(url) as opened:
        store = opened.scoped(scope)
        # end_active: a run that was killed has left its session open.
        async with store.sessions.session(end_active=True) as session:
            assistant = Assistant(store, session)
            print("bot>", await assistant.greet())
            async for said in utterances:
                print("bot>", await assistant.reply(said))


async def typed() -> AsyncIterator[str]:
    """Yield what is typed, until the end of the input (Ctrl-D)."""
    with suppress(EOFError):
        while True:
            if said := (await asyncio.to_thread(input, "you> ")).strip():
                yield said


async def replayed(lines: Iterable[str]) -> AsyncIterator[str]:
    """Yield the lines as if they were typed."""
    for line in lines:
        print("you>", line)
        yield line


async def replay_transcript(url: str, scope: str, transcript: Path) -> None:
    """Replay a conversation, a run of the assistant for each of its parts; show what is left of it."""
    text = await asyncio.to_thread(transcript.read_text, encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    for number, part in enumerate(re.split(r"\n{2,}", "\n".join(lines).strip()), start=1):
        print(f"\n--- run {number} of {url}")
        await talk(url, scope, replayed(part.splitlines()))
    async with memrepo.connect(url) as opened:
        await show(opened.scoped(scope))


async def show(store: memrepo.ScopedStore) -> None:
    """Print the facts, what is forgotten, and today's log."""
    print("\n--- what it knows now")
    async for fact in store.memories.iterate():
        print(f"{fact.id:>3}  {fact.content}  ({fact.source})")
    for fact in await store.memories.forgotten():
        print(f"{fact.id:>3}  (forgotten)")
    print("\n--- today's log (UTC)")
    for event in await store.daily_logs.for_day(memrepo.utc_now().date()):
        print(f"{event.timestamp:%H:%M:%S}  session {event.session_id}  {event.raw_event_data}")


async def run(args: argparse.Namespace, url: str) -> None:
    """Do what the command line asks for."""
    if args.locomo is not None:
        print(await locomo.replay_twice(url, args.locomo))
    elif args.transcript is not None:
        await replay_transcript(url, args.scope, args.transcript)
    else:
        await talk(url, args.scope, typed())


def main() -> None:
    """Read the command line; without ``--db``, use a file of this invocation's own."""
    parser = argparse.ArgumentParser(description="A small assistant with a memory.")
    parser.add_argument("--db", metavar="PATH", help="the database (default: a temporary file)")
    parser.add_argument("--scope", default="", help="whose memory, such as user:42 or locomo:30")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--transcript", metavar="FILE", type=Path, help="a conversation to replay")
    source.add_argument("--locomo", metavar="FILE", type=Path, help="a LoCoMo conversation's JSON")
    args = parser.parse_args()
    if args.db is not None:
        asyncio.run(run(args, args.db))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = str(Path(folder, "agent.db"))
        asyncio.run(run(args, url))
    print(f"\n{url} was temporary, and is removed. Keep a memory with --db agent.db")


if __name__ == "__main__":
    main()
