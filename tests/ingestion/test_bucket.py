import errno
import os
from pathlib import Path
from typing import Any

import obstore
import pytest

from ingestion.bucket import Bucket, LocalBucket, S3Bucket, local, open_bucket, plain_s3, retrying, s3
from ingestion.bucket.folders import Folders
from ingestion.errors import BucketError
from tests.plant import Plant
from tests.s3_server import BUCKET

EVENT = (
    b'{"timestamp":"2026-01-15T10:15:00Z","worker_id":"W1","workstation_id":"S3","event_type":"working","confidence":1}'
)


def put(bucket: Bucket, key: str, content: bytes) -> None:
    if isinstance(bucket, LocalBucket):
        path = bucket.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    else:
        assert isinstance(bucket, S3Bucket)
        obstore.put(bucket.store, key, content)


def keys(bucket: Bucket, prefix: str) -> list[str]:
    return sorted(info.key for info in bucket.list(prefix))


def test_the_listing_leaves_out_hidden_and_unfinished_objects(bucket: Bucket) -> None:
    for key in ("events/a/b.jsonl", "events/a.tmp", "events/b.part", "events/_x/c.json", "events/.d.json", "labels/e"):
        put(bucket, key, b"1")
    put(bucket, "events/x.tmp/y.json", b"1")
    assert keys(bucket, "events/") == ["events/a/b.jsonl", "events/x.tmp/y.json"]


def test_keys_with_quotes_spaces_and_other_alphabets_are_read_back(bucket: Bucket) -> None:
    key = 'events/site_id=O\'Hare; drop/Gerät 1 "x".jsonl'
    put(bucket, key, b"content")
    assert [(one.key, one.content) for one in bucket.fetch(keys(bucket, "events/"))] == [(key, b"content")]


def test_an_object_that_is_gone_by_now_is_left_out(bucket: Bucket) -> None:
    put(bucket, "events/a.json", b"1")
    assert [one.key for one in bucket.fetch(["events/a.json", "events/gone.json"])] == ["events/a.json"]


def test_archiving_moves_an_object_and_two_contents_of_a_key_keep_two_copies(bucket: Bucket) -> None:
    for content in (b"first", b"second"):
        put(bucket, "events/a.jsonl", content)
        (fetched,) = bucket.fetch(["events/a.jsonl"])
        assert bucket.archive(fetched)
        assert keys(bucket, "events/") == []
    archived = keys(bucket, "archive/")
    assert sorted(one.content or b"" for one in bucket.fetch(archived)) == [b"first", b"second"]


def test_an_object_replaced_since_it_was_read_stays_where_it_is(bucket: Bucket) -> None:
    put(bucket, "events/a.jsonl", b"first")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    put(bucket, "events/a.jsonl", b"second")
    assert not bucket.archive(fetched)
    assert [one.content for one in bucket.fetch(keys(bucket, "events/"))] == [b"second"]


def test_an_object_replaced_at_the_very_moment_of_archiving_is_not_lost(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replacement comes after the last check and before the move or the delete."""
    put(bucket, "events/a.jsonl", b"first")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    module, name = (os, "rename") if isinstance(bucket, LocalBucket) else (s3, "delete_if_match")
    original = getattr(module, name)
    calls: list[Any] = []

    def replaced_first(*arguments: Any, **named: Any) -> Any:
        if not calls:
            calls.append(arguments)
            bucket.put("events/new", b"second")
            if isinstance(bucket, LocalBucket):
                (bucket.root / "events/new").replace(bucket.root / "events/a.jsonl")
            else:
                put(bucket, "events/a.jsonl", b"second")
                obstore.delete(bucket.store, "events/new")  # type: ignore[attr-defined]
        return original(*arguments, **named)

    with monkeypatch.context() as patched:
        # Tested once for each bucket, by a delete of its own.
        patched.setattr(s3, "knows_conditions", lambda _: True)
        patched.setattr(module, name, replaced_first)
        assert not bucket.archive(fetched)
    assert len(calls) == 1
    assert [one.content for one in bucket.fetch(keys(bucket, "events/"))] == [b"second"]
    (second,) = bucket.fetch(["events/a.jsonl"])
    assert bucket.archive(second)
    assert b"second" in {one.content for one in bucket.fetch(keys(bucket, "archive/"))}


def test_an_object_archived_without_its_content_is_copied_and_deleted(bucket: Bucket) -> None:
    put(bucket, "events/a.jsonl", b"first")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    assert bucket.archive(fetched._replace(content=None))
    assert keys(bucket, "events/") == []
    assert [one.content for one in bucket.fetch(keys(bucket, "archive/"))] == [b"first"]


def test_a_name_too_long_for_the_archives_addition_is_cut_and_stays_unmistakable(bucket: Bucket) -> None:
    names = ["x" * 240 + f"{number}.jsonl.gz" for number in range(2)]
    for name in names:
        put(bucket, f"events/{name}", b"the same")
    assert [bucket.archive(one) for one in bucket.fetch([f"events/{name}" for name in names])] == [True, True]
    assert len(keys(bucket, "archive/")) == 2
    assert all(key.endswith(".jsonl.gz") for key in keys(bucket, "archive/"))


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_a_server_without_conditions_is_checked_once_more_before_the_delete(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "knows_conditions", lambda _: False)
    put(bucket, "events/a.jsonl", b"first")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    put(bucket, "events/a.jsonl", b"second")
    assert not bucket.archive(fetched)
    assert keys(bucket, "events/") == ["events/a.jsonl"]
    assert all(bucket.archive(one) for one in bucket.fetch(["events/a.jsonl"]))
    assert keys(bucket, "events/") == []


def test_a_listing_of_several_pages_is_complete_and_goes_on_where_it_broke_off(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [f"events/site_id=A/{number:04}.jsonl" for number in range(57)]
    for key in expected:
        put(bucket, key, b"1")
    if isinstance(bucket, S3Bucket):
        monkeypatch.setattr(s3, "PAGE_OBJECTS", 10)
        monkeypatch.setattr(retrying, "FIRST_WAIT_SECONDS", 0.001)
        original = obstore.list
        failed: list[int] = []

        def breaking(*arguments: Any, **options: Any) -> Any:
            for number, page in enumerate(original(*arguments, **options)):
                if number == 2 and len(failed) < 3:
                    failed.append(number)
                    raise OSError("the link broke")
                yield page

        monkeypatch.setattr(obstore, "list", breaking)
        assert keys(bucket, "events/") == expected
        assert len(failed) == 2  # 57 keys: at the third attempt the last pages arrive before the fault
    assert keys(bucket, "events/") == expected


def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    put(bucket, "events/a.jsonl", b"first")
    read = os.read

    def appended(descriptor: int, size: int) -> bytes:
        content = read(descriptor, size)
        with (tmp_path / "events/a.jsonl").open("ab") as file:
            file.write(b" and more")
        return content

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", appended)
        assert list(bucket.fetch(["events/a.jsonl"])) == []
    assert [one.content for one in bucket.fetch(["events/a.jsonl"])] == [b"first" + b" and more" * local.READ_TRIES]


def test_what_a_killed_archiving_left_between_two_names_is_put_back(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    for name in ("a.jsonl", "b.jsonl"):
        aside = tmp_path / local.MOVING / "0123/events/site_id=A" / name
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(b"older")
    put(bucket, "events/site_id=A/b.jsonl", b"newer")
    assert bucket.put_back() == 1
    contents = {one.key: one.content for one in bucket.fetch(keys(bucket, "events/"))}
    assert contents == {"events/site_id=A/a.jsonl": b"older", "events/site_id=A/b.jsonl": b"newer"}
    # The other file gets its name back as soon as the newer content is archived.
    assert all(bucket.archive(one) for one in bucket.fetch(["events/site_id=A/b.jsonl"]))
    assert bucket.put_back() == 1
    assert [one.content for one in bucket.fetch(["events/site_id=A/b.jsonl"])] == [b"older"]
    assert not (tmp_path / local.MOVING).exists()


def test_a_share_that_hangs_for_a_moment_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    put(bucket, "events/a.jsonl", b"1")
    monkeypatch.setattr(retrying, "FIRST_WAIT_SECONDS", 0.001)
    original = Folders.open_file
    failures: list[OSError] = []

    def stale_at_first(*arguments: Any) -> Any:
        if len(failures) < 3:
            failures.append(OSError(errno.ESTALE, "Stale file handle"))
            raise failures[-1]
        return original(*arguments)

    monkeypatch.setattr(Folders, "open_file", stale_at_first)
    assert [one.content for one in bucket.fetch(["events/a.jsonl"])] == [b"1"]
    assert len(failures) == 3


def test_the_waits_between_tries_double_and_a_lasting_error_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)

    def fail() -> None:
        raise ConnectionError

    for kind in (ConnectionError, PermissionError):
        with pytest.raises(ConnectionError):
            retrying.retrying(fail, lambda error, kind=kind: isinstance(error, kind))  # type: ignore[misc]
    first = retrying.FIRST_WAIT_SECONDS
    assert len(waits) == retrying.ATTEMPTS - 1
    assert all(first * 2**n / 2 <= wait <= first * 2**n for n, wait in enumerate(waits))


def test_a_folder_that_cannot_be_listed_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    (tmp_path / "events").rmdir()
    for prefix in ("events/", "registry/"):
        with pytest.raises(BucketError, match=r"has no folder events; is it mounted\?"):
            list(bucket.list(prefix))


def test_a_prefix_that_nobody_wrote_to_is_empty(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    assert list(LocalBucket(tmp_path).list("registry/")) == []


def test_a_bucket_that_refuses_the_credentials_is_one_sentence(
    s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**s3_environment, "AWS_SECRET_ACCESS_KEY": "wrong"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BucketError, match=rf"The landing bucket s3://{BUCKET}/x cannot be listed: .*403") as error:
        list(open_bucket(f"s3://{BUCKET}/x").list("events/"))
    assert "\n" not in str(error.value)


def test_a_batch_lands_from_s3_and_a_second_one_finds_nothing_left(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    plant = Plant(tmp_path, landing_url=f"s3://{BUCKET}/batch")
    bucket = open_bucket(plant.settings.landing_url)
    for number in range(40):
        put(bucket, f"events/site_id=A/{number}.jsonl", EVENT.replace(b"W1", b"W%d" % number))
    assert plant.land().accepted == 40
    assert plant.land().objects == 0
    assert (len(keys(bucket, "events/")), len(keys(bucket, "archive/"))) == (0, 40)


@pytest.mark.parametrize("pages", [1000, 2], ids=["on the first page", "behind other pages"])
def test_keys_that_the_client_cannot_say_are_named_and_stop_no_batch(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    list_page = plain_s3.list_page
    monkeypatch.setattr(s3, "list_page", lambda *asked: list_page(*asked)[:pages])
    plant = Plant(tmp_path, landing_url=f"s3://{BUCKET}/odd{pages}", registry_still_seconds=0)
    bucket = open_bucket(plant.settings.landing_url)
    bucket.put("registry/sites.csv", b"site_id,name,timezone\ndefault,One,UTC\n")
    for number in range(4):
        bucket.put(f"events/m{number} +%.json", EVENT)
    odd = ["events/a\nb.json", "events/m1\x07.json", "events/m\r2.json", "events/\x01/deep.json", "events/z\x7f.json"]
    for key in (*odd, "events/_hidden\n.json", "registry/x\n.csv", "events/folder/"):
        body = b"" if key.endswith("/") else b"{}"
        plain_s3.send(plain_s3.address_of(BUCKET), "PUT", f"odd{pages}/{key}", body=body)

    told: list[str] = []
    for landed in (4, 0):
        report = plant.land(log=told.append)
        assert (report.objects, report.archived, report.unread) == (landed, landed, len(odd) + 1)
    assert sum("as their keys hold what no object's name may" in line and "a\\nb.json" in line for line in told) == 2
    assert {row["object_key"] for row in plant.raw("unread_objects")} == {*odd, "registry/x\n.csv"}


def test_an_archived_copy_that_was_rewritten_is_not_replaced_by_the_same_content_sent_again(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    for _ in range(2):
        put(bucket, "events/a.jsonl", b"with the person")
        (fetched,) = bucket.fetch(["events/a.jsonl"])
        assert bucket.archive(fetched)
        (archived,) = keys(bucket, "archive/")
        put(bucket, archived, b"without")
    assert keys(bucket, "events/") == []
    put(bucket, "events/a.jsonl", b"with the person")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    bucket.archive(fetched)
    assert [one.content for one in bucket.fetch([archived])] == [b"without"]
