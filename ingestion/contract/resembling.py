"""Guesses which field of the contract an unexpected field was meant to be, such as `count` for `quantity`.

A misspelt optional field would otherwise be replaced by its default without any notice.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from ingestion.contract.events import FIELDS

# Other systems' names for the same thing, written without separators.
_OTHER_WORDS = {
    "count": (
        *("quantity", "qty", "cnt", "amount", "units", "pieces", "pcs", "parts", "number", "num", "value", "output"),
        *("produced", "made", "productcount", "piececount", "partcount", "itemcount", "unitcount", "goodcount"),
    ),
    "count_total": ("total", "counter", "totalcount", "totalizer", "reading", "cumulative", "runningtotal"),
    "confidence": ("conf", "score", "confidencescore", "probability", "prob", "certainty"),
    "timestamp": ("time", "ts", "datetime", "date", "eventtime", "eventtimestamp", "occurredat", "createdat"),
    "worker_id": ("worker", "operator", "operatorid", "employee", "employeeid", "person", "personid", "badge"),
    "workstation_id": ("workstation", "station", "stationid", "machine", "machineid", "cell", "line"),
    "event_type": ("type", "event", "state", "status", "activity", "class", "label"),
    "site_id": ("site", "plant", "plantid", "factory", "location"),
    "camera_id": ("camera", "cam", "camid", "device", "deviceid", "sensor", "sensorid"),
    "model_name": ("model", "network", "detector"),
    "model_version": ("version", "modelver"),
    "event_id": ("id", "uuid", "guid", "uid", "messageid"),
}
_MEANT = {word: field for field, words in _OTHER_WORDS.items() for word in words} | {
    field.replace("_", ""): field for field in FIELDS
}
_ALIKE = 0.88  # difflib's ratio, about one differing letter in eight: `camera_ip` is no `camera_id`


def is_common_word(name: str) -> bool:
    """Whether a field is called by a word that systems like this one use: such a name tells of nobody."""
    return _word(name) in _MEANT


def resembled(name: str) -> str | None:
    """The contract's field that an unexpected one resembles, or None."""
    word = _word(name)
    if word in _MEANT:
        return _MEANT[word]
    close = get_close_matches(word, sorted(field.replace("_", "") for field in FIELDS), 1, _ALIKE)
    return _MEANT[close[0]] if close else None


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
