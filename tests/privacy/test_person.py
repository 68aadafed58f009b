"""Whether a record is a person's: exact for parsed records, cautious for unreadable ones."""

import gzip
import json
from random import Random
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract.events import Folder
from ingestion.records.encoding import read_text
from ingestion.records.framing import split_records
from privacy.contents import rows_without_person, without_person
from privacy.person import Person, is_theirs

W1 = Person("A", "W1", frozenset({"W1"}), frozenset({"k" * 32}))
NOWHERE = Folder()


@pytest.mark.parametrize(
    ("raw", "folder", "theirs"),
    [
        ('{"worker_id": "W1", "site_id": "A"}', NOWHERE, True),
        ('{"worker_id": " W1 ", "site_id": " A"}', NOWHERE, True),
        ('{"worker_id": "W10", "site_id": "A"}', NOWHERE, False),
        ('{"worker_id": "W1", "site_id": "B"}', Folder("A"), False),
        ('{"worker_id": "W1"}', Folder("A"), True),
        ('{"worker_id": "W1"}', NOWHERE, False),  # of the site `default`
        ('{"worker_id": "\\u0057\\u0031", "site_id": "A"}', NOWHERE, True),
        ('{"worker\\u005fid": "W1", "site_id": "A"}', NOWHERE, True),
        ('{"worker_id": "W1", "worker_id": "W2", "site_id": "A"}', NOWHERE, True),
        ('{"worker_id": "W2", "worker_id": "W1", "site_id": "A"}', NOWHERE, True),
        ('{"workstation_id": "W1", "worker_id": "W2", "site_id": "A"}', NOWHERE, False),
        ('[[{"worker_id": "W1"}]]', Folder("A"), True),
        ('{"site_id": "A", "batch": [{"worker_id": "W1"}]}', NOWHERE, True),
        ('{"event_key": "' + "k" * 32 + '", "reviewer": "R1"}', NOWHERE, True),
        ('{"event_key": "' + "j" * 32 + '", "reviewer": "R1"}', NOWHERE, False),
        ('{"worker_id": "W1", "site_id": "A"', NOWHERE, True),  # cut, so not JSON; names both
        ('{"worker_id": "W1", ', Folder("A"), True),
        ('{"worker_id": "W1", ', Folder("B"), False),
        ('{"worker_id": "W10", "site_id": "A"', NOWHERE, False),
        ('{"worker_id": "W1-2", "site_id": "A"', NOWHERE, False),
    ],
)
def test_a_record_is_theirs_when_it_names_them_at_their_site(raw: str, folder: Folder, theirs: bool) -> None:
    assert is_theirs(raw.encode(), folder, W1) is theirs


def test_an_id_that_cameras_send_as_a_number_is_found_too() -> None:
    seven = Person("A", "7", frozenset({"7"}))
    assert is_theirs(b'{"worker_id": 7, "site_id": "A"}', NOWHERE, seven)
    assert not is_theirs(b'{"worker_id": 77, "count": 7, "site_id": "A"}', NOWHERE, seven)


def records(random: Random) -> list[dict[str, Any]]:
    return [
        {"n": number, "worker_id": random.choice(["W1", "W10", "W", "é"]), "site_id": random.choice(["A", "B"])}
        for number in range(random.randint(0, 8))
    ]


def pack(key: str, content: bytes) -> bytes:
    if key.endswith(".gz"):
        return gzip.compress(content)
    return zstandard.ZstdCompressor().compress(content) if key.endswith(".zst") else content


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(["lines", "crlf", "blanks", "array", "pretty array", "value"]),
    ending=st.sampled_from(["", ".gz", ".zst"]),
    ascii_only=st.booleans(),
)
def test_what_is_left_of_an_object_is_exactly_the_others_where_they_were(
    seed: int, form: str, ending: str, ascii_only: bool
) -> None:
    sent = records(Random(seed))
    texts = [json.dumps(record, ensure_ascii=ascii_only) for record in sent]
    whole = {
        "lines": "".join(text + "\n" for text in texts),
        "crlf": "\ufeff" + "\r\n".join(texts),
        "blanks": "\n\n" + "\n \n".join(texts),
        "array": "[" + ",".join(texts) + "]",
        "pretty array": json.dumps(sent, indent=2),
        "value": json.dumps(sent[0], indent=1) if sent else "",
    }[form]
    key = f"events/a.json{ending}"
    content = pack(key, whole.encode())
    before = split_records(read_text(content, 10**6)[0])
    rewritten, count = without_person(content, NOWHERE, W1, 10**6)
    after = split_records(read_text(rewritten, 10**6)[0])

    kept = {
        position: json.loads(raw)
        for position, raw in zip(before.positions, before.raws, strict=True)
        if (json.loads(raw)["worker_id"], json.loads(raw)["site_id"]) != ("W1", "A")
    }
    assert [json.loads(raw) for raw in after.raws] == list(kept.values())
    assert count == len(before.raws) - len(kept)
    assert count > 0 or rewritten == content
    if len(kept) > 1:  # a single value has position 1 on any line
        assert list(after.positions) == list(kept)


def test_a_row_of_a_registry_goes_and_every_other_byte_stays() -> None:
    content = (
        '\ufeffname,worker_id,site_id,note\r\n"Jane\nDoe",W1,A,"x ""y"""\n\r\nJohn, W1 ,B\nJim,W10,A\nJoe, W1 , A \n'
    )
    kept, count = rows_without_person(content.encode(), W1)
    assert count == 2
    assert kept.decode() == "\ufeffname,worker_id,site_id,note\r\n\r\nJohn, W1 ,B\nJim,W10,A\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
def test_a_row_goes_out_of_what_a_spreadsheet_wrote(encoding: str) -> None:
    content = "sep=;\r\nSite ID;Worker_ID; Name\r\nA;W1\u200b;Jane\r\nB;W1;Jim\r\n"
    kept, count = rows_without_person(content.encode(encoding), W1)
    assert count == 1
    assert kept.decode(encoding) == "sep=;\r\nSite ID;Worker_ID; Name\r\nB;W1;Jim\r\n"


def test_a_row_without_a_site_is_of_the_site_default() -> None:
    person = Person("default", "W1", frozenset({"W1"}))
    assert rows_without_person(b"site_id,worker_id,name\n,W1,x\n", person) == (b"site_id,worker_id,name\n", 1)
    assert rows_without_person(b"site_id,worker_id,name\n,W1,x\n", W1)[1] == 0


def test_a_row_is_theirs_however_a_spreadsheet_wrote_their_id() -> None:
    person = Person("default", "W 1", frozenset({"W 1"}))
    head = '"site_id", "worker_id", "name"\n'
    for row in ('"", "W\u00a01", "x"', '," W 1 ",x', ',="W 1",x', "\u200b,W 1\u200b,x"):
        assert rows_without_person(f"{head}{row}\n".encode(), person) == (head.encode(), 1), row


def test_a_registry_without_the_person_stays_byte_for_byte() -> None:
    content = b"worker_id,name\r\nW2,x"
    assert rows_without_person(content, W1) == (content, 0)
