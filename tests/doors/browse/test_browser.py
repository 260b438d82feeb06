"""The pages in a real browser: used with a mouse and a keyboard, attacked by another site, looked at by axe-core."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.doors.browse.conftest import Memory
from tests.doors.browse.memories import Known
from tests.doors.browse.serving import Pages, browsing

pytestmark = pytest.mark.xdist_group("chromium")  # one worker, and one browser

#: Milliseconds that a page may take, on a machine that is busy.
_WAIT_MS = 60_000
expect.set_options(timeout=_WAIT_MS)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = (
    *("facts", "facts?state=all", "facts?state=due", "facts?q=Where+does+Ada+live", "sessions"),
    *(
        "log",
        "log?view=digest",
        "recall",
        "recall?q=honey+of+hives",
        "recall?q=",
        "growth",
        "scopes",
    ),
    *("nothing", "facts?state=wrong"),
)


def _executable() -> str:
    """A browser of this machine."""
    if found := next(filter(None, map(shutil.which, _BROWSERS)), None):
        return found
    reason = "there is no Chromium on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    executable = _executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=_WAIT_MS,
        )
        yield browser
        browser.close()


@contextmanager
def opened(chromium: Browser, link: str, **options: object) -> Iterator[Page]:
    """A window of its own, on the link."""
    context: BrowserContext = chromium.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(_WAIT_MS)
    page = context.new_page()
    page.goto(link)
    yield page
    context.close()


def base_of(page: Page) -> str:
    """What the addresses of all pages begin with."""
    return page.url.rpartition("/")[0]


def go(page: Page, base: str, path: str) -> None:
    """Open a page, and wait until it has been counted."""
    page.goto(f"{base}/{path}")
    expect(page.get_by_text("Counting.")).to_have_count(0)


@pytest.fixture
def edited(memory: Memory, tmp_path: Path) -> Iterator[Pages]:
    """A server that may change facts."""
    with browsing(memory.path, tmp_path / "log", "--edit") as pages:
        yield pages


def test_click_through_everything(chromium: Browser, pages: Pages) -> None:
    """From the link on, every page is reached by clicks and forms; nothing is refused by the page's own rules."""
    said: list[str] = []
    with opened(chromium, pages.link) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("requestfailed", lambda request: said.append(f"{request.url}: {request.failure}"))
        assert "token" not in page.url
        page.get_by_label("Search, as you would ask").fill("Where does Ada live?")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="Ada lives in Porto").first.click()
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        page.get_by_role("link", name="Ada lives in Lisbon").click()
        expect(page.get_by_text("superseded by")).to_be_visible()
        page.get_by_role("link", name="session 20").first.click()
        expect(page.get_by_text("Hive 19 gave 22 jars of honey")).to_be_visible()
        menu = page.get_by_role("navigation", name="Pages", exact=True)
        menu.get_by_role("link", name="Facts").click()
        page.get_by_label("Category").select_option("bees")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".facts > li")).to_have_count(20)
        page.get_by_role("link", name="Proposed").click()
        page.get_by_role("link", name="Forgotten").click()
        menu.get_by_role("link", name="Sessions").click()
        page.get_by_role("navigation", name="Threads").get_by_role("link", name="phone").click()
        page.locator(".timeline a").first.click()
        menu.get_by_role("link", name="Log").click()
        page.get_by_role("link", name="←").click()
        page.get_by_role("link", name="Digest").click()
        expect(page.get_by_role("heading", name="Tools")).to_be_visible()
        menu.get_by_role("link", name="Recall").click()
        page.get_by_label("Question").fill("How much honey?")
        page.get_by_label("Most facts").fill("3")
        page.get_by_role("button", name="Recall").click()
        expect(page.locator(".numbered > li")).to_have_count(3)
        expect(page.locator(".block")).to_contain_text("User context:")
        menu.get_by_role("link", name="Growth").click()
        expect(page.locator("svg.plot")).to_have_count(3)
        page.get_by_text("Events per day as a table").click()
        menu.get_by_role("link", name="Scopes").click()
        page.get_by_role("link", name="user:grace").click()
        expect(page.get_by_text("Grace builds compilers")).to_be_visible()
    # A click may come before the icon of the page that it leaves.
    assert [its for its in said if not its.endswith("net::ERR_ABORTED")] == []


def test_forget_and_restore_with_a_keyboard(chromium: Browser, edited: Pages, known: Known) -> None:
    """A fact is forgotten, restored and corrected without a mouse."""
    with opened(chromium, edited.link) as page:
        page.goto(f"{base_of(page)}/facts/{known.porto}")
        page.get_by_role("button", name="Forget").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("The fact was forgotten.")
        page.get_by_role("button", name="Restore").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("The fact was restored.")
        page.get_by_label("The text, as it should be").fill("Ada lives in Porto, by the river")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("The fact was corrected.")
        expect(page.locator("blockquote")).to_have_text("Ada lives in Porto, by the river")
        page.reload()
        expect(page.locator("blockquote")).to_have_text("Ada lives in Porto, by the river")


def test_skip_link_comes_first(chromium: Browser, pages: Pages) -> None:
    """The first stop of the keyboard leads past the menu, and each stop can be seen."""
    with opened(chromium, pages.link) as page:
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("Search, as you would ask")).to_be_focused()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


# --- another site -------------------------------------------------------------------------------


@contextmanager
def site(html: str) -> Iterator[str]:
    """Another site, with one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_form_of_another_site_is_refused(
    chromium: Browser, edited: Pages, known: Known, host: str
) -> None:
    """A page of another origin that knows even the address cannot forget a fact by a form: not of another site, nor of another port."""
    with opened(chromium, edited.link) as page:
        base = base_of(page)
        attack = f"""
            <form id="f" action="{base}/facts/{known.porto}/forget" method="post">
            <input name="form_token" value="guessed"></form><script>f.submit()</script>
        """
        with site(attack) as elsewhere:
            page.goto(elsewhere.replace("localhost", host))
            page.wait_for_url("**/forget", timeout=_WAIT_MS)
            expect(page.locator("body")).to_contain_text(
                "Open the link" if host == "localhost" else "another site"
            )
        page.goto(f"{base}/facts/{known.porto}")
        expect(page.get_by_role("button", name="Forget")).to_be_visible()


def test_another_site_cannot_look(chromium: Browser, pages: Pages) -> None:
    """A page of another site can neither frame a page, nor read it, nor use its style to find out that it is there."""
    with opened(chromium, pages.link) as page:
        base = base_of(page)
        with site(f'<iframe src="{base}/facts"></iframe><p>here</p>') as elsewhere:
            page.goto(elsewhere)
            expect(page.get_by_text("here")).to_be_visible()
            frame = page.frames[1]
            frame.wait_for_load_state()
            assert "Facts" not in frame.content()
            outcome = page.evaluate(
                "url => fetch(url, {credentials: 'include', mode: 'no-cors'})"
                ".then(() => 'there', () => 'refused')",
                f"{base}/facts",
            )
            assert outcome == "refused"


@pytest.mark.timeout(600)
def test_nothing_is_sent_to_where_a_link_leads(chromium: Browser, pages: Pages) -> None:
    """Every request of every page is to its own server, without a referrer."""
    asked: list[tuple[str, str | None]] = []
    with opened(chromium, pages.link) as page:
        base = base_of(page)
        page.on("request", lambda its: asked.append((its.url, its.headers.get("referer") or None)))
        for path in PAGES:
            go(page, base, path)
    assert {urlsplit(url).netloc for url, _ in asked} == {urlsplit(pages.link).netloc}
    assert {referrer for _, referrer in asked} == {None}


# --- how it looks -------------------------------------------------------------------------------

WINDOWS = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}


@pytest.mark.timeout(600)  # some twenty pages, each gone through by axe-core
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_axe_finds_nothing(
    chromium: Browser, edited: Pages, known: Known, scheme: str, window: str
) -> None:
    """On every page, light and dark, on a phone and on a desktop, axe-core finds nothing; nor is any page too wide."""
    every = (*PAGES, *(f"facts/{n}" for n in (known.porto, known.inferred, known.proposed)))
    every += (f"facts/{known.forgotten}", f"facts/{known.hostile}", f"sessions/{known.session}")
    options = {"color_scheme": scheme, "viewport": WINDOWS[window], "bypass_csp": True}
    with opened(chromium, edited.link, **options) as page:
        base = base_of(page)
        for path in every:
            go(page, base, path)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= WINDOWS[window]["width"], path
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
