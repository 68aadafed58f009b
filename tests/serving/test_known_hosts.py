"""Which requests a server answers, judged by their headers alone."""

from __future__ import annotations

import pytest

from ingestion.errors import SettingsError
from ingestion.settings import read_settings
from serving.known_hosts import KnownHosts, known_hosts, objection, read_hosts

KNOWN = known_hosts("127.0.0.1", "plant.example, other.example:8443", "https://figures.example:444/floor/")


def asked(method: str = "GET", known: KnownHosts = KNOWN, **headers: str) -> int | None:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    found = objection(raw, method, known)
    return found.status if found else None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", None),
        ("LOCALHOST:8080", None),
        ("127.0.0.1:1", None),
        ("[::1]:8080", None),
        ("plant.example", None),
        ("plant.example:9999", None),
        ("other.example:8443", None),
        ("other.example", 421),
        ("figures.example:444", None),
        ("figures.example", None),
        ("plant.example.evil.example", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.2", 421),
        ("0.0.0.0:8080", 421),
        ("[::ffff:127.0.0.1]", 421),
        ("localhost@evil.example", 421),
        ("localhost:80:80", 421),
        ("localhost evil.example", 421),
        ("", 421),
    ],
)
def test_a_server_answers_only_under_its_known_names(host: str, status: int | None) -> None:
    assert asked(host=host) == status


def test_a_request_without_a_host_or_with_two_of_which_one_is_unknown_is_refused() -> None:
    assert asked() == 421
    assert objection([(b"host", b"localhost"), (b"host", b"evil.example")], "GET", KNOWN) is not None


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:8080", "http://localhost:8080", None),
        ("localhost:8080", "http://localhost:3000", 403),
        ("localhost:8080", "http://localhost", 403),
        ("localhost:8080", "http://127.0.0.1:8080", 403),
        ("plant.example", "https://plant.example", None),
        ("127.0.0.1:8080", "https://plant.example", None),  # a proxy in front uses another name
        ("127.0.0.1:8080", "https://plant.example:9999", 403),
        ("127.0.0.1:8080", "https://figures.example:444", None),
        ("localhost:8080", "null", 403),
        ("localhost:8080", "http://evil.example", 403),
        ("localhost:8080", "http://localhost:8080@evil.example", 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_asks_its_own_server_only(host: str, origin: str, status: int | None, method: str) -> None:
    assert asked(method, host=host, origin=origin) == status


@pytest.mark.parametrize(
    ("site", "mode", "dest", "method", "status"),
    [
        ("same-origin", "cors", "empty", "POST", None),
        ("none", "navigate", "document", "GET", None),
        ("cross-site", "navigate", "document", "GET", None),
        ("same-site", "navigate", "document", "GET", None),
        ("cross-site", "navigate", "document", "POST", 403),
        ("cross-site", "navigate", "iframe", "GET", 403),
        ("cross-site", "no-cors", "image", "GET", 403),
        ("same-site", "no-cors", "script", "GET", 403),
        ("cross-site", "websocket", "websocket", "GET", 403),
    ],
)
def test_other_pages_may_link_here_and_nothing_else(
    site: str, mode: str, dest: str, method: str, status: int | None
) -> None:
    found = asked(method, host="localhost", sec_fetch_site=site, sec_fetch_mode=mode, sec_fetch_dest=dest)
    assert found == status


def test_an_interface_of_its_own_names_a_server_and_every_interface_names_none() -> None:
    assert asked(known=known_hosts("10.1.2.3", ""), host="10.1.2.3:8080") is None
    assert asked(known=known_hosts("fd00::1", ""), host="[fd00::1]:8080") is None
    assert asked(known=known_hosts("0.0.0.0", ""), host="10.1.2.3:8080") == 421
    assert asked(known=known_hosts("::", ""), host="localhost") is None


def test_the_setting_is_names_with_commas_between_them_or_stops_the_start_with_one_sentence() -> None:
    assert read_hosts(" Plant.example,, 10.0.0.1:80 ,[fd00::1]") == {"plant.example", "10.0.0.1:80", "[fd00::1]"}
    for wrong in ("http://plant.example", "*", "plant example", "a,b/c"):
        with pytest.raises(SettingsError, match=r"^FLOORHOUSE_ALLOWED_HOSTS is '.*'; allowed: names or addresses"):
            read_settings({"FLOORHOUSE_ALLOWED_HOSTS": wrong})
