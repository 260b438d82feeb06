"""
Take the screenshots of docs/how-to/browse.md, of a memory that is made for them.

``python docs/generate_screenshots.py`` needs the environment of ``make door-browse``, and a Chromium. It writes
docs/how-to/browse-*.png.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

import memrepo
from memrepo import DailyLogNew, Store

_FOLDER: Final = Path(__file__).parent / "how-to"
_DESKTOP: Final = {"width": 1100, "height": 760}
_PHONE: Final = {"width": 390, "height": 760}
#: What is taken: of which page, in which window, light or dark.
_SHOTS: Final = (
    ("facts-light", "facts", _DESKTOP, "light"),
    ("recall-dark", "recall?q=What+should+I+cook+for+Ada%3F&entries=3", _DESKTOP, "dark"),
    ("sessions-phone-light", "sessions", _PHONE, "light"),
    ("fact-phone-dark", "facts/{number}", _PHONE, "dark"),
    ("growth-light", "growth", _DESKTOP, "light"),
)
_FACTS: Final = (
    ("Ada is allergic to peanuts", "health"),
    ("Ada cooks for four on Sundays", "preference"),
    ("Nora keeps bees in Lisbon", "family"),
    ("Ada lives in Porto", "fact"),
    ("Ada lives in Lisbon, by the river", "fact"),
    ("Therapy on Thursdays at 3pm", "schedule"),
    ("Ada likes green tea, no milk", "preference"),
    ("The green bicycle is at the repair shop until Friday", "fact"),
    ("Grandmother's soup has white beans and mint", "family"),
    ("Prefers trains to planes", "preference"),
)
_TALKS: Final = (
    "Planned the Sunday lunch; no peanuts.",
    "Moved the therapy to Thursdays.",
    "Looked for a train to Coimbra.",
    "Ordered jars for the honey.",
    None,
)


async def _fill(store: Store, now: datetime) -> None:
    """Have a store know what a family's assistant might."""
    for n in range(60):
        day = now - timedelta(days=60 - n, hours=n % 5)
        then = store.at(lambda day=day: day)  # type: ignore[misc]
        session = await then.sessions.start(("", "phone", "laptop")[n % 3])
        events = [
            DailyLogNew(
                session_id=session.id,
                event_type="tool_invocation",
                event_data={"toolName": ("calendar", "mail")[m % 2], "success": m != 3},
            )
            for m in range(2 + n * n % 7)
        ]
        await then.daily_logs.append_many(events)
        for m in range(n % 4):
            text = f"Hive {n % 7 + 1} gave {n + m} jars of honey"
            await then.memories.remember(text, category="bees", session_id=session.id)
        if n >= 60 - len(_FACTS):
            text, category = _FACTS[n - 60 + len(_FACTS)]
            slot = "home_city" if "lives in" in text else None
            await then.memories.remember(text, category=category, slot=slot, session_id=session.id)
        end = day + timedelta(minutes=7 + n % 20)
        later = store.at(lambda end=end: end)  # type: ignore[misc]
        await later.sessions.end(session.id, summary=_TALKS[n % len(_TALKS)])
    memories = store.at(lambda: now).memories
    peanuts = await memories.find_by_content("Ada is allergic to peanuts")
    assert peanuts is not None
    await memories.pin(peanuts.id)
    for n in range(3):
        await memories.observe("short_answers", f"said ok, {n}", content="Prefers short answers")
    await memories.remember("May be looking for a new job", source="inferred", proposed=True)
    await memories.remember("Passport is with the consulate", expires_at=now + timedelta(days=9))


async def _write(path: Path) -> int:
    """Write the memory, and return the id of the fact whose history is shown."""
    now = datetime.now(UTC).replace(minute=5, second=0, microsecond=0) - timedelta(hours=1)
    async with memrepo.connect(path) as store:
        await _fill(store, now)
        found = await store.memories.in_slot("home_city")
        assert found is not None
        return found.id


@contextmanager
def _pages(path: Path) -> Iterator[str]:
    """Serve the pages, and yield the link."""
    command = [sys.executable, "-m", "memrepo", "browse", "--db", str(path), "--tz", "UTC"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        links = (re.search(r"memrepo: open (\S+)", line) for line in process.stderr)
        try:
            yield next(filter(None, links))[1]
        finally:
            process.terminate()


def _take(browser: Browser, link: str, number: int) -> None:
    for name, path, window, scheme in _SHOTS:
        context = browser.new_context(viewport=window, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(link)
        base = page.url.rpartition("/")[0]
        page.goto(f"{base}/{path.format(number=number)}")
        page.get_by_text("Counting.").wait_for(state="detached")
        page.screenshot(path=_FOLDER / f"browse-{name}.png")
        context.close()


def main() -> None:
    """Take them all."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "family.db"
        number = asyncio.run(_write(path))
        with sync_playwright() as playwright, _pages(path) as link:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            _take(browser, link, number)
            browser.close()


if __name__ == "__main__":
    main()
