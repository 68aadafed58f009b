"""The server of the site, asked over a real socket: parts of files, page addresses, caching, what stays hidden."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.errors import ReportError
from reports.serve import SiteServer, open_server

TABLE = "/data/0123456789abcdef/table.parquet"


def _ask(
    server: SiteServer, target: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_part_of_a_file_is_sent_as_asked(
    site_server: SiteServer, wanted: str, part: bytes, content_range: str
) -> None:
    status, headers, body = _ask(site_server, TABLE, {"Range": wanted})
    assert (status, body, headers["Content-Range"]) == (206, part, content_range)
    assert headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=5-2", "bytes=-0"])
def test_a_part_beyond_the_file_is_refused_with_the_files_size(site_server: SiteServer, wanted: str) -> None:
    status, headers, body = _ask(site_server, TABLE, {"Range": wanted})
    assert (status, headers["Content-Range"], body) == (416, "bytes */10", b"")


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=one-two", "lines=1-2", "bytes=0-1,3-4"])
def test_a_range_nobody_understands_gives_the_whole_file(site_server: SiteServer, wanted: str) -> None:
    status, _, body = _ask(site_server, TABLE, {"Range": wanted})
    assert (status, body) == (200, b"0123456789")


def test_a_part_of_a_file_that_changed_meanwhile_is_the_whole_file(site_server: SiteServer) -> None:
    status, _, body = _ask(site_server, TABLE, {"Range": "bytes=0-1", "If-Range": '"another"'})
    assert (status, body) == (200, b"0123456789")


def test_head_tells_size_and_ranges_without_the_content(site_server: SiteServer) -> None:
    status, headers, body = _ask(site_server, TABLE, method="HEAD")
    assert (status, headers["Content-Length"], headers["Accept-Ranges"], body) == (200, "10", "bytes", b"")


@pytest.mark.parametrize("target", ["/", "/workers/", "/workers/north/W1", "/workers/a%2Fb/W%25?x=1", "//workers//"])
def test_the_address_of_a_page_is_answered_with_the_shell(site_server: SiteServer, target: str) -> None:
    status, headers, body = _ask(site_server, target)
    assert (status, body) == (200, b"<title>the shell</title>")
    assert headers["Cache-Control"] == "no-cache"


def test_a_page_of_an_id_with_a_dot_is_a_page_to_a_browser_that_opens_it(site_server: SiteServer) -> None:
    assert _ask(site_server, "/workers/north/W1.5", {"Accept": "text/html,*/*"})[0] == 200


@pytest.mark.parametrize(
    "target", ["/data/none.parquet", "/data/", "/_app/immutable/none", "/api/none", "/missing.js", "/favicon.ico"]
)
def test_a_missing_file_is_missing_and_never_the_shell(site_server: SiteServer, target: str) -> None:
    status, headers, body = _ask(site_server, target)
    assert (status, body, headers["Cache-Control"]) == (404, b"", "no-store")


@pytest.mark.parametrize(
    "target",
    [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/data/../../outside.txt",
        "/data/%2e%2e%2f%2e%2e%2foutside.txt",
        "/link.txt",
        "/.secret",
        "/%00",
        "/data/\\..\\..\\outside.txt",
        "/" + "a" * 5000 + ".txt",
    ],
)
def test_nothing_outside_the_site_and_nothing_hidden_is_given_away(site_server: SiteServer, target: str) -> None:
    _, _, body = _ask(site_server, target)
    assert b"outside" not in body
    assert b"hidden" not in body


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("/data/manifest.json", "no-store"),
        ("/index.html", "no-cache"),
        ("/icon.svg", "no-cache"),
        ("/api/pages.json", "no-cache"),
        (TABLE, "public, max-age=31536000, immutable"),
        ("/_app/immutable/part.1a.js", "public, max-age=31536000, immutable"),
    ],
)
def test_only_files_named_after_their_content_are_kept_by_browsers(
    site_server: SiteServer, target: str, rule: str
) -> None:
    assert _ask(site_server, target)[1]["Cache-Control"] == rule


def test_a_compressed_twin_is_sent_to_those_who_take_it(site_server: SiteServer) -> None:
    _, headers, body = _ask(site_server, "/_app/immutable/part.1a.js", {"Accept-Encoding": "gzip, br"})
    assert (headers["Content-Encoding"], body, headers["Content-Type"]) == ("gzip", b"compressed", "text/javascript")
    for refusal in ("identity", "gzip;q=0"):
        _, headers, body = _ask(site_server, "/_app/immutable/part.1a.js", {"Accept-Encoding": refusal})
        assert headers["Content-Encoding"] is None
        assert body.startswith(b"let part")


def test_a_file_the_browser_has_is_not_sent_again(site_server: SiteServer) -> None:
    tag = _ask(site_server, "/icon.svg")[1]["ETag"]
    status, _, body = _ask(site_server, "/icon.svg", {"If-None-Match": tag})
    assert (status, body) == (304, b"")


def test_every_answer_forbids_the_page_to_ask_anybody_else(site_server: SiteServer) -> None:
    for target in ("/", "/missing.js", TABLE):
        assert _ask(site_server, target)[1]["Content-Security-Policy"].startswith("default-src 'self';")


def test_a_reader_who_only_writes_is_refused(site_server: SiteServer) -> None:
    assert _ask(site_server, "/", method="POST")[0] == 501


def test_a_busy_port_is_one_clear_sentence(site_server: SiteServer) -> None:
    with pytest.raises(ReportError, match=rf"127\.0\.0\.1 port {site_server.server_port} .*another with --port\.$"):
        open_server(site_server.site, port=site_server.server_port)


def test_the_command_says_in_one_sentence_that_there_is_no_report_yet(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reports.serve", "--port", "0"],
        env={"FLOORHOUSE_DATA_DIR": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"There is no report in {tmp_path / 'site'} yet; run a batch first."
