"""Who may see the pages: the one with the link, on this machine, and no other site."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from memrepo.cli.main import main
from tests.doors.browse.conftest import Memory
from tests.doors.browse.memories import Known
from tests.doors.browse.serving import Pages, browsing, visitor

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


def test_every_answer_has_the_headers(pages: Pages, client: httpx.Client, known: Known) -> None:
    """Pages, files, redirects and refusals alike run nothing, and are kept and shown by nobody."""
    answers = [
        *(
            client.get(path)
            for path in ("facts", "style.css", "icon.svg", "", "nothing", "facts/0")
        ),
        client.get(f"facts/{known.long}/text"),
        client.put("facts"),
        client.post("facts"),
        httpx.get(pages.link),
        httpx.get(pages.origin),
        httpx.get(pages.origin, headers={"Host": "evil.example"}),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.url
    assert [answer.status_code for answer in answers] == [
        *(200, 200, 200, 303, 404, 400),
        *(200, 405, 405, 303, 403, 421),
    ]


def test_nobody_comes_in_without_the_link(pages: Pages, client: httpx.Client) -> None:
    """Without the cookie there is nothing, whatever address is known; another token is no link."""
    for path in (
        "/",
        client.base_url.path,
        f"{client.base_url.path}facts",
        "/?token=",
        "/?token=x",
    ):
        assert httpx.get(f"{pages.origin}{path}").status_code == 403
    cookie = client.cookies["memrepo"]
    for forged in ("", ".", "x.y", '"x.\xfc"', cookie[:-1], f"x{cookie}"):
        headers = {b"Cookie": f"memrepo={forged}".encode("latin-1")}
        assert httpx.get(f"{client.base_url}facts", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "other",
    ["name=Ann Lee", "flag", 'data={"a": 1}', 'text="a', "path=/", "x=\xe9", "memrepo=x.y", ";="],
)
def test_cookies_of_other_programs(client: httpx.Client, other: str) -> None:
    """Whatever cookies other programs of this machine have set, before ours or after, the pages stay."""
    ours = f"memrepo={client.cookies['memrepo']}"
    for cookies in (f"{ours}; {other}", f"{other}; {ours}"):
        headers = {b"Cookie": cookies.encode("latin-1")}
        assert httpx.get(f"{client.base_url}facts", headers=headers).status_code == 200


def test_token_does_not_stay(pages: Pages, client: httpx.Client) -> None:
    """The link leads to an address without its token, and the cookie is for that one address only."""
    answer = httpx.get(pages.link)
    token = urlsplit(pages.link).query.partition("=")[2]
    assert len(token) == 43
    assert token not in answer.headers["location"]
    assert token not in answer.headers["set-cookie"]
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    prefix = answer.headers["location"].rstrip("/")
    assert attributes == {"httponly", "samesite=strict", f"path={prefix}"}
    assert token not in client.get("facts").text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1234", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("", 421),
        ("192.168.0.1", 421),
    ],
)
def test_only_under_the_names_of_this_machine(client: httpx.Client, host: str, status: int) -> None:
    """A page elsewhere whose name was made to point here (DNS rebinding) is refused, even with the cookie."""
    headers = {"Host": host, "Cookie": f"memrepo={client.cookies['memrepo']}"}
    assert client.get("facts", headers=headers).status_code == status


def test_only_this_machine_is_listened_to(pages: Pages) -> None:
    """The port is open on the loopback, and on no other address of the machine."""
    port = urlsplit(pages.link).port
    assert port is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it asks for the address of the way out
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match=r".+"):
        socket.create_connection((address, port), timeout=5).close()


def test_no_text_in_errors_and_logs(pages: Pages, client: httpx.Client) -> None:
    """What was asked for is in no error page and no log; nor is the token, but for the link itself."""
    secret = "PINEAPPLE"
    for path in (
        f"facts?state={secret}",
        f"facts?after={secret}",
        f"log?day={secret}",
        f"recall?q=&tokens={secret}",
        f"sessions?after={secret}",
        f"{secret}",
        f"facts/{secret}",
    ):
        answer = client.get(path)
        assert answer.status_code in {400, 404}, path
        assert secret not in answer.text, path
    log = pages.log.read_text(encoding="utf-8")
    assert secret not in log
    assert log.count(urlsplit(pages.link).query.partition("=")[2]) == 1
    assert "facts" not in log.replace("facts can be changed", "")


def test_pages_of_two_servers_do_not_meet(pages: Pages, tmp_path: Path, written: object) -> None:
    """The cookie of one server is none for another, though a browser may send it: cookies know no ports."""
    path = written.path  # type: ignore[attr-defined]
    other = tmp_path / "agent.db"
    other.write_bytes(path.read_bytes())
    with (
        browsing(other, tmp_path / "log") as others,
        visitor(others) as there,
        visitor(pages) as here,
    ):
        assert there.base_url.path != here.base_url.path
        stolen = {"Cookie": f"memrepo={here.cookies['memrepo']}"}
        assert httpx.get(f"{there.base_url}facts", headers=stolen).status_code == 403


def test_scope_that_cannot_be_one(memory: Memory, capsys: pytest.CaptureFixture[str]) -> None:
    """A scope that no page could show is refused before anything is served."""
    assert main(["browse", "--db", str(memory.path), "--scope", "x" * 256]) == 2
    assert "--scope: must not be longer than 255 characters" in capsys.readouterr().err
