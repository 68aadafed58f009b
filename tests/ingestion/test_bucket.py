from pathlib import Path
from typing import Any

import obstore
import pytest

from ingestion import bucket as bucket_module
from ingestion.bucket import Bucket, LocalBucket, S3Bucket, open_bucket
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


def test_a_file_replaced_at_the_very_moment_of_archiving_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    put(bucket, "events/a.jsonl", b"first")
    (fetched,) = bucket.fetch(["events/a.jsonl"])
    identity = bucket_module._identity

    def replaced_after_the_check(path: Path) -> Any:
        seen = identity(path)
        if path == tmp_path / "events/a.jsonl":
            (tmp_path / "new").write_bytes(b"second")
            (tmp_path / "new").replace(path)
        return seen

    monkeypatch.setattr(bucket_module, "_identity", replaced_after_the_check)
    assert not bucket.archive(fetched)
    assert (tmp_path / "events/a.jsonl").read_bytes() == b"second"
    assert keys(bucket, "archive/") == []


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
