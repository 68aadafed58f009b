"""The stable name of an event (contract §7): a hash of its duplicate key, the same in every run on every machine.

The models have the same rule as the macro `event_key`. Which events are in the review sample follows from the key.
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

    Each identifier comes after its length in characters, so that no two duplicate keys give one text. An event without
    a worker has zero characters there.
    """
    since_epoch = event.timestamp - _EPOCH
    microseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds
    identifiers = (event.site_id, event.worker_id or "", event.workstation_id)
    text = "|".join([str(microseconds), event.event_type, *(f"{len(one)}:{one}" for one in identifiers)])
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def sample_bound(fraction: float) -> str:
    """The text that the keys of the review sample are less than: `fraction` of all keys are.

    A key is a number from 0 to 2^128 - 1 as 32 digits, so that texts compare as the numbers do.
    """
    first_outside = ceil(Fraction(fraction) * 2**128)
    return f"{first_outside:032x}" if first_outside < 2**128 else "g"  # after every digit


def is_in_review_sample(key: str, fraction: float) -> bool:
    """Whether people are asked to review the event of this key. A larger fraction only adds events."""
    return key < sample_bound(fraction)


# The same key of a row of raw.events, for DuckDB. Tests hold it, the function above and the models' macro together.
EVENT_KEY_SQL = """md5(concat(
    epoch_us(event_at), '|', event_type,
    '|', length(site_id), ':', site_id,
    '|', length(coalesce(worker_id, '')), ':', coalesce(worker_id, ''),
    '|', length(workstation_id), ':', workstation_id
))"""
