"""Encodes detections as JSON lines in bulk. `delivery` assigns lines to objects.

A line consists of a few pieces, and each piece is looked up in a small table of byte strings. Half a million lines take
a fifth of a second; calling a JSON encoder for each record takes several seconds.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingestion.contract.events import EVENT_TYPES
from simulator.cameras import PRODUCT_COUNT, Detections
from simulator.draws import Integers
from simulator.episodes import MODEL_NAME, VERSIONS
from simulator.fleet import Camera, Site

MINUTE_MS = 60_000
QUARTER_HOUR = 15  # minutes; today's time zones change their offset only at quarter hours
FILLER = b"\0"  # pads the pieces to one width; JSON text cannot contain it


@dataclass(frozen=True)
class Lines:
    """Encoded lines, padded to one width. `body` returns the text of consecutive lines without padding."""

    padded: npt.NDArray[np.void]

    def body(self, first: int, end: int) -> bytes:
        """The lines from `first` to before `end`, each with its line end, without padding."""
        return self.padded[first:end].tobytes().translate(None, FILLER)


class LineEncoder:
    """Encodes the detections of one site, with tables of their pieces."""

    def __init__(self, site: Site) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._local = np.array([camera.writes_local_time for camera in site.cameras])
        self._seconds = _table(f":{ms // 1000:02d}.{ms % 1000:03d}" for ms in range(MINUTE_MS))
        self._workers = [f'","worker_id":{json.dumps(worker.worker_id)}' for worker in site.workers]
        self._types = _table(
            f',"workstation_id":{json.dumps(station.workstation_id)},"event_type":"{event_type}","confidence":'
            for station in site.stations
            for event_type in EVENT_TYPES
        )
        self._confidence = _table(json.dumps(thousandths / 1000) for thousandths in range(1001))
        self._tails = _table(_tail(site, camera, model.version) for camera in site.cameras for model in VERSIONS)

    def encode(self, rows: Detections) -> Lines:
        """One JSON line per detection, in its camera's style."""
        minute = rows.at_ms // MINUTE_MS
        first, last = (int(minute.min()), int(minute.max())) if len(minute) else (0, 0)
        minutes, zone_of_minute, zones = self._clock(first, last)
        # The table contains the minutes twice, in UTC and then in local time.
        moment = minute - first + np.where(self._local[rows.camera], last - first + 1, 0)
        counted = rows.event_type == PRODUCT_COUNT
        counts = _table(["", *(f',"count":{units}' for units in range(int(rows.units.max(initial=0)) + 1))])
        workers = _table(f"{zone}{worker}" for zone in zones for worker in self._workers)
        pieces = (
            (minutes, moment),
            (self._seconds, rows.at_ms % MINUTE_MS),
            (workers, zone_of_minute[moment] * len(self._workers) + rows.worker),
            (self._types, rows.station * len(EVENT_TYPES) + rows.event_type),
            (self._confidence, rows.confidence),
            (counts, np.where(counted, rows.units + 1, 0)),
            (self._tails, rows.camera * len(VERSIONS) + rows.version),
        )
        padded = np.empty(len(minute), [(f"piece_{number}", table.dtype) for number, (table, _) in enumerate(pieces)])
        for number, (table, chosen) in enumerate(pieces):
            padded[f"piece_{number}"] = table[chosen]
        return Lines(padded)

    def _clock(self, first: int, last: int) -> tuple[npt.NDArray[np.bytes_], Integers, list[str]]:
        """For each minute from `first` to `last` (since 1970), in UTC and then in local time: the opening of a line,
        and the position of its zone; then the texts of the zones.
        """
        quarter = np.arange(first // QUARTER_HOUR, last // QUARTER_HOUR + 1)
        offsets = np.array([self._offset_minutes(int(one) * QUARTER_HOUR * 60) for one in quarter], dtype=np.int64)
        minute = np.arange(first, last + 1)
        offset = offsets[minute // QUARTER_HOUR - quarter[0]]
        known = np.unique(offset)
        zones = ["Z", *(f"{'-' if o < 0 else '+'}{abs(o) // 60:02d}:{abs(o) % 60:02d}" for o in known.tolist())]
        openings = np.char.add(
            b'{"timestamp":"',
            np.concatenate([_iso_minutes(minute), np.char.replace(_iso_minutes(minute + offset), b"T", b" ")]),
        )
        zone = np.concatenate([np.zeros(len(minute), dtype=np.int64), np.searchsorted(known, offset) + 1])
        return openings, zone, zones

    def _offset_minutes(self, epoch_seconds: int) -> int:
        offset = datetime.fromtimestamp(epoch_seconds, UTC).astimezone(self._zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds()) // 60


def _iso_minutes(minutes: Integers) -> npt.NDArray[np.bytes_]:
    """`2026-10-19T08:15` for minutes since 1970."""
    return np.datetime_as_string(minutes.astype("datetime64[m]")).astype("S16")


def _table(texts: Iterable[str]) -> npt.NDArray[np.bytes_]:
    return np.array([text.encode() for text in texts])


def _tail(site: Site, camera: Camera, version: str) -> str:
    """The fields that are equal in every record of one camera and model version."""
    fields: dict[str, object] = {"model_name": MODEL_NAME, "model_version": version}
    if not camera.leaves_out_place:
        fields = {"site_id": site.site_id, "camera_id": camera.camera_id} | fields
    if camera.extra_field:
        fields["firmware"] = "3.2"
    return "," + json.dumps(fields, separators=(",", ":"))[1:] + camera.line_end
