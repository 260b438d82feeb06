"""
A small assistant with a memory: it remembers, corrects, recalls, forgets, answers from memory and logs what it did.

    python assistant.py --db agent.db                  talk to it; start it again, and it knows you
    python assistant.py --transcript transcript.txt    replay a conversation; an empty line: a restart
    python assistant.py --locomo conversation.json     replay a LoCoMo conversation, twice

No LLM and no server: it answers with the fact that is most relevant to the question. Asked what it knows, it shows what a
model would be given: the facts to have in mind, each learnt in a session.
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

_to_recall = re.compile(r"what do you (?:know|remember)(?: about me)?\?", re.IGNORECASE).fullmatch

_guess = re.compile(
    r"(?:maybe|perhaps|I (?:think|guess)(?: that)?),?\s+(.+)", re.IGNORECASE
).fullmatch
_to_review = re.compile(r"what (?:do|did) you guess\?", re.IGNORECASE).fullmatch
_is_answer = re.compile(r"(yes|no)\W*", re.IGNORECASE).fullmatch

# What it knows how to correct: of the facts that fill a slot, the last one holds.
_SLOTS = {
    "home": re.compile(r"my home is .+", re.IGNORECASE).match,
    "door_code": re.compile(r"(?:the|my) door code is .+", re.IGNORECASE).match,
}

_NOTED = {
    "created": "Noted.",
    "duplicate": "I know that already.",
    "restored": "I had forgotten that. Now I know it again.",
    "approved": "Noted. I had guessed that.",
    "proposed": "Is that so? I keep it as a guess until you say yes.",
    "forgotten": "You had me forget that. Say 'remember ...' to have it back.",
    "superseded": "You have corrected that. Say 'remember ...' to have it back.",
}


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
        if _to_recall(said):
            return await self.recall()
        if _to_review(said):
            return await self.guesses()
        if said.endswith("?"):
            return await self.answer(said)
        return await self.hear(said)

    async def hear(self, said: str) -> str:
        """Keep what was told without being asked to: what can be corrected as said, the rest as inferred."""
        if match := _is_answer(said):
            return await self.review(is_true=match[1].lower() == "yes")
        if match := _guess(said):
            return await self.remember(match[1], source="inferred", proposed=True)
        if len(said.split()) > 1:
            source = "user_explicit" if slot_of(said) else "inferred"
            return await self.remember(said, source=source)
        return "You are welcome. Tell me something, ask me, or say 'forget ...'."

    async def remember(self, fact: str, *, source: str, proposed: bool = False) -> str:
        """Store a fact, unless it is known, in place of what it corrects."""
        try:
            remembered = await self.store.memories.remember(
                fact,
                source=source,
                slot=slot_of(fact),
                proposed=proposed,
                session_id=self.session.id,
            )
        except memrepo.InvalidInputError as error:
            return f"I cannot remember that: it {error.reason}."
        await self.log("remember", remembered.outcome, remembered.id)
        if remembered.replaced is not None:
            return f"Noted, in place of: {remembered.replaced.content}"
        return _NOTED[remembered.outcome]

    async def guesses(self) -> str:
        """List what waits for a yes or a no, the oldest first."""
        waiting = [proposal.content async for proposal in self.store.memories.iterate_proposals()]
        return "\n".join(waiting) or "Nothing."

    async def review(self, *, is_true: bool) -> str:
        """Approve or reject the oldest guess."""
        memories = self.store.memories
        for guess in await memories.proposals(limit=1):
            if is_true:
                await memories.approve(guess.id)
            else:
                await memories.reject(guess.id)
            await self.log("review", "approved" if is_true else "rejected", guess.id)
            return f"{'Noted' if is_true else 'Forgotten'}: {guess.content}"
        return "I have not guessed anything."

    async def recall(self) -> str:
        """Show what to have in mind, as a model would be told."""
        context = await self.store.memories.recall()
        await self.log("recall", "found" if context.entries else "nothing found", None)
        return context.to_prompt() or "I know nothing yet."

    async def forget(self, about: str) -> str:
        """Forget the fact that fits best."""
        hits = await self.store.memories.find_to_forget(about, limit=1)
        if not hits:
            return "I know nothing about that."
        fact = await self.store.memories.forget(hits[0].entry.id)
        await self.log("forget", "forgotten", fact.id)
        return f"Forgotten: {fact.content}"

    async def answer(self, question: str) -> str:
        """Answer with the fact that fits best, if one is relevant enough."""
        context = await self.store.memories.recall(question, max_entries=1, touch=True)
        if not context.entries:
            await self.log("answer", "nothing found", None)
            return "I do not know."
        fact = context.entries[0].entry
        await self.log("answer", "found", fact.id)
        return fact.content

    async def log(self, tool: str, result: str, fact_id: int | None) -> None:
        """Write down what was done."""
        await self.store.daily_logs.append(
            self.session.id, "tool_invocation", {"tool": tool, "result": result, "fact": fact_id}
        )


def slot_of(fact: str) -> str | None:
    """Return the slot that a fact fills, if it is one that can be corrected."""
    return next((slot for slot, fills in _SLOTS.items() if fills(fact)), None)


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
    async for fact in store.memories.iterate(memrepo.MemoryFilter(include_forgotten=True)):
        shown = "(forgotten)" if fact.deleted_at else f"{fact.content}  ({fact.source})"
        print(f"{fact.id:>3}  {shown}")
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
