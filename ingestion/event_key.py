"""The stable name of an event (contract §7): a hash of its duplicate key, the same in every run on every machine."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from ingestion.contract import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_key(event: Event) -> str:
    """32 hexadecimal digits: MD5 of instant (microseconds since 1970), type, site, worker and workstation.

    Each identifier comes after its length in characters, so that no two duplicate keys give one text.
    """
    since_epoch = event.timestamp - _EPOCH
    microseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds
    identifiers = (event.site_id, event.worker_id, event.workstation_id)
    text = "|".join([str(microseconds), event.event_type, *(f"{len(one)}:{one}" for one in identifiers)])
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()
