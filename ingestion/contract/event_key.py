"""The stable key of an event (contract §7): a hash of its duplicate key, the same in every run on every machine.

The dbt macro `event_key` implements the same rule. The key decides which events are in the review sample.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil

from ingestion.contract.events import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_key(event: Event) -> str:
    """32 hexadecimal digits: MD5 of instant (microseconds since 1970), type, site, worker and workstation.

    Each identifier is preceded by its length in characters, so that different duplicate keys give different texts. An
    event without a worker has length zero there.
    """
    since_epoch = event.timestamp - _EPOCH
    microseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds
    identifiers = (event.site_id, event.worker_id or "", event.workstation_id)
    text = "|".join([str(microseconds), event.event_type, *(f"{len(one)}:{one}" for one in identifiers)])
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def sample_bound(fraction: float) -> str:
    """The upper bound (exclusive) of the keys in the review sample, which is a `fraction` of all keys.

    A key is a number from 0 to 2^128 - 1 written with 32 digits, so keys compare as texts in numerical order.
    """
    first_outside = ceil(Fraction(fraction) * 2**128)
    return f"{first_outside:032x}" if first_outside < 2**128 else "g"  # sorts after every key


def is_in_review_sample(key: str, fraction: float) -> bool:
    """Whether people are asked to review the event of this key. A larger fraction only adds events."""
    return key < sample_bound(fraction)


# The same key for a row of raw.events, in DuckDB's SQL. Tests check that it, `event_key` and the macro agree.
EVENT_KEY_SQL = """md5(concat(
    epoch_us(event_at), '|', event_type,
    '|', length(site_id), ':', site_id,
    '|', length(coalesce(worker_id, '')), ':', coalesce(worker_id, ''),
    '|', length(workstation_id), ':', workstation_id
))"""
