"""``--edit``: what can be changed, and that nobody else can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doors.browse.memories import Known
from tests.doors.browse.serving import Page, read


def send(client: httpx.Client, page: Page, change: str, **fields: str) -> httpx.Response:
    """Send a form of a page, as a browser does."""
    action, given = page.form(f"/{change}")
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    url = f"http://{client.base_url.netloc.decode()}{action}"
    return client.post(url, data={**given, **fields}, headers=headers, follow_redirects=True)


def fact(client: httpx.Client, number: int) -> Page:
    """The page of a fact."""
    return read(client.get(f"facts/{number}"))


def test_correct_a_text(editor: httpx.Client, known: Known) -> None:
    """A text is corrected under its number; one that another fact has is refused, and what was typed stays."""
    done = read(
        send(editor, fact(editor, known.porto), "correct", content="Ada lives in Porto, Portugal")
    )
    assert "The fact was corrected. Ada lives in Porto, Portugal" in done.text
    taken = read(send(editor, done, "correct", content="Allergic to peanuts"), 409)
    assert "Nothing was changed" in taken.text
    assert f"{known.pinned}" in taken.text
    assert "Allergic to peanuts</textarea>" in taken.html
    assert read(send(editor, done, "correct", content="  "), 409)
    assert "Porto, Portugal" in fact(editor, known.porto).text


def test_line_breaks_stay_as_they_were(editor: httpx.Client, known: Known) -> None:
    """A form has CR LF for a line break; the fact has LF, as before."""
    page = fact(editor, known.porto)
    send(editor, page, "correct", content="one\r\ntwo\n\n three")
    assert editor.get(f"facts/{known.porto}/text").text == "one\ntwo\n\n three"


def test_forget_and_restore(editor: httpx.Client, known: Known) -> None:
    """A fact is forgotten with what it had replaced, and comes back with it."""
    gone = read(send(editor, fact(editor, known.porto), "forget"))
    assert "The fact was forgotten" in gone.text
    forgotten = read(editor.get("facts?state=forgotten")).text
    assert "Ada lives in Porto" in forgotten
    assert "Ada lives in Lisbon" in forgotten
    back = read(send(editor, gone, "restore"))
    assert "The fact was restored" in back.text
    assert "Ada lives in Porto" in read(editor.get("facts")).text
    assert "Ada lives in Lisbon" in read(editor.get("facts?state=superseded")).text


@pytest.mark.parametrize(("answer", "state"), [("approve", "current"), ("reject", "forgotten")])
def test_answer_a_proposal(editor: httpx.Client, known: Known, answer: str, state: str) -> None:
    """A proposal that is approved is a fact that the user said; one that is rejected is forgotten."""
    page = fact(editor, known.proposed)
    assert not [action for action in page.forms if action.endswith(("/forget", "/correct"))]
    assert read(send(editor, page, answer))
    there = read(editor.get("facts", params={"state": state})).text
    assert "Maybe a vegetarian" in there
    assert "Maybe a vegetarian" not in read(editor.get("facts?state=proposed")).text


def test_what_is_gone_meanwhile(editor: httpx.Client, known: Known) -> None:
    """A form of an old page, for what is not so any more, changes nothing and says so."""
    page = fact(editor, known.proposed)
    send(editor, page, "approve")
    late = read(send(editor, page, "reject"), 409)
    assert "Nothing was changed" in late.text


WRONG: list[dict[str, Any]] = [
    {"form_token": ""},
    {"form_token": "0" * 64},
    {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {"Sec-Fetch-Site": "same-site"}},
    {"headers": {"Sec-Fetch-Site": "none"}},
    {"headers": {"Origin": "http://evil.example"}},
    {"headers": {"Origin": "http://127.0.0.1:9"}},
    {"cookies": {}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_form_of_another_site_changes_nothing(
    editor: httpx.Client, known: Known, wrong: dict[str, Any]
) -> None:
    """Without the token of the session, its cookie, or from elsewhere, a form is refused."""
    action, fields = fact(editor, known.porto).form("/forget")
    data = {**fields, **{name: wrong[name] for name in wrong if name == "form_token"}}
    cookies = wrong.get("cookies", {"memrepo": editor.cookies["memrepo"]})
    url = f"http://{editor.base_url.netloc.decode()}{action}"
    with httpx.Client(cookies=cookies) as other:
        assert other.post(url, data=data, headers=wrong.get("headers", {})).status_code == 403
    assert "Ada lives in Porto" in read(editor.get("facts")).text


def test_token_of_another_session_is_none(
    editor: httpx.Client, known: Known, tmp_path: Path
) -> None:
    """What one who came by the link has in his forms does not work with the cookie of another."""
    link = (tmp_path / "log").read_text(encoding="utf-8").partition("open ")[2].split()[0]
    with httpx.Client(follow_redirects=True) as other:
        base = str(other.get(link).url).rpartition("/")[0]
        page = read(other.get(f"{base}/facts/{known.porto}"))
    assert send(editor, page, "forget").status_code == 403


def test_form_that_is_no_form(editor: httpx.Client, known: Known) -> None:
    """A body that is too long, or is no text, is refused without being kept."""
    url = f"facts/{known.porto}/forget"
    assert editor.post(url, content=b"content=" + b"x" * 14_000_000).status_code == 413
    assert editor.post(url, content=b"\xff=\xfe").status_code == 413
    assert editor.post(url, content=b"&".join([b"a=b"] * 50)).status_code == 413
    assert editor.get(url).status_code in {404, 405}


def test_nothing_can_be_changed_without_it(client: httpx.Client, known: Known) -> None:
    """Without ``--edit`` no page has a form that changes something, and one that is made up is refused."""
    page = read(client.get(f"facts/{known.porto}"))
    assert page.forms == {}
    for change in ("correct", "forget", "restore", "approve", "reject"):
        answer = client.post(f"facts/{known.porto}/{change}", data={"content": "x"})
        assert answer.status_code == 403


def test_scope_of_a_form_is_that_of_its_page(editor: httpx.Client) -> None:
    """A fact of another scope is changed there."""
    page = read(editor.get("facts?scope=user:grace"))
    (link,) = [its for its in page.links if "/facts/" in its]
    its = read(editor.get(f"http://{editor.base_url.netloc.decode()}{link}"))
    done = read(send(editor, its, "correct", content="Grace builds engines"))
    assert "Grace builds engines" in done.text
    number = link.rpartition("/")[2].partition("?")[0]
    assert editor.get(f"facts/{number}").status_code == 404
