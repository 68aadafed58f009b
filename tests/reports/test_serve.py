"""The site's server over a real socket: ranges, page addresses, caching, hidden files."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.client
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.errors import ReportError
from reports.content_security import with_policy
from reports.responses import open_below
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
def test_a_part_of_a_file_is_sent_as_requested(
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
        ("/api/pages.json", "private, no-cache"),
        (TABLE, "private, max-age=31536000, immutable"),
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


def test_a_link_that_leads_out_is_not_followed_also_as_a_compressed_twin_or_a_folder(site_server: SiteServer) -> None:
    site, outside = site_server.site, site_server.site.parent / "outside.txt"
    (site / "icon.svg.gz").symlink_to(outside)
    (site / "_app/immutable/part.1a.js.gz").unlink()
    (site / "_app/immutable/part.1a.js.gz").symlink_to(outside)
    (site / "folder").symlink_to(site.parent)
    for target in ("/icon.svg", "/icon.svg.gz", "/_app/immutable/part.1a.js", "/folder/outside.txt"):
        _, headers, body = _ask(site_server, target, {"Accept-Encoding": "gzip"})
        assert b"outside" not in body
        assert headers["Content-Encoding"] is None


def test_a_file_that_became_a_link_between_looking_and_opening_is_missing(site_server: SiteServer) -> None:
    site = site_server.site.resolve()
    file = site / "icon.svg"
    with open_below(site, file) or pytest.fail("it is there") as opened:
        assert opened.read() == b"<svg/>"
    file.unlink()
    file.symlink_to(site.parent / "outside.txt")
    assert open_below(site, file) is None
    assert open_below(site, site / "none") is None
    (site / "data").rename(site / "moved")
    (site / "data").symlink_to(site / "moved")
    assert open_below(site, site / "data/manifest.json") is None
    assert open_below(site, site.parent / "outside.txt") is None


def test_a_pipe_in_the_site_keeps_nobody_waiting(site_server: SiteServer) -> None:
    os.mkfifo(site_server.site / "pipe.js")
    assert _ask(site_server, "/pipe.js")[0] == 404


def test_the_body_of_a_question_is_not_read_as_another_question(site_server: SiteServer) -> None:
    hidden = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for head in (f"Content-Length: {len(hidden)}\r\n\r\n", f"Transfer-Encoding: chunked\r\n\r\n{len(hidden):x}\r\n"):
        with socket.create_connection(("127.0.0.1", site_server.server_port), timeout=10) as connection:
            connection.sendall(b"GET /api/pages.json HTTP/1.1\r\nHost: localhost\r\n" + head.encode() + hidden)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while received := connection.recv(4096):
                    answer += received
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"<svg/>" not in answer


def test_a_crowd_that_asks_in_one_moment_is_served_to_the_last(site_server: SiteServer) -> None:
    with contextlib.ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", site_server.server_port), timeout=60))
            for _ in range(300)
        ]
        for one in crowd:
            one.sendall(b"GET /data/manifest.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert all(one.recv(4096).startswith(b"HTTP/1.1 200 ") for one in crowd)


@pytest.mark.parametrize("target", ["/", "/api/pages.json", TABLE])
def test_a_name_that_was_made_to_point_here_and_pages_of_others_get_nothing(
    site_server: SiteServer, target: str
) -> None:
    for headers, status in (
        ({"Host": "rebound.example"}, 421),
        ({"Host": f"rebound.example:{site_server.server_port}"}, 421),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
    ):
        found, answered, body = _ask(site_server, target, headers)
        assert (found, answered["Cache-Control"]) == (status, "no-store")
        assert b"shell" not in body


def test_text_is_compressed_for_those_who_take_it_and_has_a_tag_of_its_own(site_server: SiteServer) -> None:
    text = '{"worker_id": "W1"}' * 500
    (site_server.site / "api/workers.json").write_text(text)
    _, plain, body = _ask(site_server, "/api/workers.json")
    assert (body.decode(), plain["Content-Encoding"], plain["Vary"]) == (text, None, "Accept-Encoding")
    _, headers, body = _ask(site_server, "/api/workers.json", {"Accept-Encoding": "gzip"})
    assert (gzip.decompress(body).decode(), headers["Content-Encoding"]) == (text, "gzip")
    assert len({plain["ETag"], headers["ETag"]}) == 2
    for method in ("GET", "HEAD"):
        given = {"Accept-Encoding": "gzip", "If-None-Match": f'W/"other", {headers["ETag"]}'}
        assert _ask(site_server, "/api/workers.json", given, method)[0] == 304
    status, headers, body = _ask(site_server, "/api/workers.json", {"Accept-Encoding": "gzip", "Range": "bytes=0-3"})
    assert (status, body, headers["Content-Encoding"]) == (206, text[:4].encode(), None)


def test_a_large_file_comes_whole_and_a_part_from_its_middle_as_it_is(site_server: SiteServer) -> None:
    content = os.urandom(3 << 20)
    (site_server.site / "data/0123456789abcdef/large.parquet").write_bytes(content)
    assert _ask(site_server, "/data/0123456789abcdef/large.parquet")[2] == content
    part = _ask(site_server, "/data/0123456789abcdef/large.parquet", {"Range": "bytes=1000-2000000"})[2]
    assert part == content[1000:2000001]


def test_the_policy_allows_no_script_or_style_but_those_that_the_page_was_built_with(site_server: SiteServer) -> None:
    page = with_policy("<html><head><script>let a = 1;</script><style>p {}</style></head></html>")
    (site_server.site / "index.html").write_text(page)
    for encoding in ("identity", "gzip"):
        policy = _ask(site_server, "/", {"Accept-Encoding": encoding})[1]["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert "unsafe-inline" not in policy
        assert "'unsafe-eval'" not in policy
        for name, content in (("script-src", b"let a = 1;"), ("style-src", b"p {}")):
            assert f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'" in rules[name]
        assert rules["frame-ancestors"] == "'self'"
