"""Tokens: equal for one worker, different for different workers, and not reversible without the key."""

import re

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.identity.pseudonyms import PATTERN, key_check, pseudonym, pseudonymise

KEY = b"a key that is long enough for a plant"
IDS = st.text(min_size=1, max_size=64)


@given(site=IDS, worker=IDS)
def test_a_token_is_short_readable_and_the_same_every_time(site: str, worker: str) -> None:
    token = pseudonym(KEY, site, worker)
    assert re.fullmatch(PATTERN, token)
    assert token == pseudonym(KEY, site, worker)
    assert token != pseudonym(KEY + b"!", site, worker)


@given(st.lists(st.tuples(IDS, IDS), unique=True, max_size=50))
def test_no_two_workers_share_a_token(pairs: list[tuple[str, str]]) -> None:
    assert len({pseudonym(KEY, *pair) for pair in pairs}) == len(pairs)


def test_where_the_site_ends_and_the_worker_begins_makes_a_difference() -> None:
    assert (
        len(
            {
                pseudonym(KEY, "a", "bc"),
                pseudonym(KEY, "ab", "c"),
                pseudonym(KEY, "1", "1:x"),
                pseudonym(KEY, "11", ":x"),
            }
        )
        == 4
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("vwxyz")), max_size=40))
def test_a_whole_column_gets_the_tokens_of_its_rows(pairs: list[tuple[str, str]]) -> None:
    events = pa.table(
        {
            "position": pa.array(range(len(pairs)), pa.int64()),
            "site_id": pa.array([site for site, _ in pairs], pa.string()),
            "worker_id": pa.array([worker for _, worker in pairs], pa.string()),
        }
    )
    hidden = pseudonymise(events, KEY)
    assert hidden["worker_id"].to_pylist() == [pseudonym(KEY, *pair) for pair in pairs]
    assert hidden.drop("worker_id") == events.drop("worker_id")
    chunked = pa.concat_tables([events.slice(0, 7), events.slice(7)])
    assert pseudonymise(chunked, KEY)["worker_id"].to_pylist() == hidden["worker_id"].to_pylist()


def test_the_check_tells_keys_apart_and_is_no_token() -> None:
    assert key_check(KEY) == key_check(KEY) != key_check(b"another key that is long enough too!")
    assert KEY.decode() not in key_check(KEY)
