"""Simulates reviewers: labels the review sample from the truth and writes to the bucket's `labels/`.

`python -m simulator.labels --truth <folder> --published <folder> --landing <folder>`

Reads the sample that a batch published, and the simulator's truth. Timestamps come from the cameras' clocks. So the
plant is planned again from the same arguments, which yields each clock's error. Reviewers err for some events, which
are the same in every run. Events with a label are not labelled again.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.contract.events import EVENT_TYPES
from ingestion.errors import FloorhouseError, SettingsError
from simulator.arguments import Arguments
from simulator.cameras import clock_offsets
from simulator.episodes import plan_episodes
from simulator.fleet import plan_fleet
from simulator.objects import FolderBucket

REVIEWERS = ("reviewer-1", "reviewer-2", "reviewer-3")
ERRS = 0.03  # the share of a reviewer's answers that are wrong
SECOND_OPINION = 0.25  # the share of events with a second answer; half of these have a third one
REVIEWED_AFTER = timedelta(days=2)

# The state at the true instant; product_count if a unit was counted then; absent if nobody was there.
_TRUTHS = """
    select
        queue.event_key,
        case
            when made.worker_id is not null then 'product_count'
            else coalesce(states.state, 'absent')
        end as true_event_type,
        queue.timestamp
    from queue
    left join read_parquet($units) as made
        on queue.event_type = 'product_count'
        and queue.site_id = made.site_id and queue.worker_id = made.worker_id
        and queue.workstation_id = made.workstation_id and queue.true_at = made.made_at
    left join read_parquet($timeline) as states
        on queue.site_id = states.site_id and queue.worker_id = states.worker_id
        and queue.true_at >= states.started_at and queue.true_at < states.ended_at
    where not exists (select 1 from labelled where labelled.event_key = queue.event_key)
    qualify row_number() over (partition by queue.event_key order by states.started_at) = 1
    order by queue.event_key
"""


@dataclass(frozen=True)
class Answer:
    """A reviewer's answer for one event."""

    event_key: str
    true_event_type: str
    reviewer: str
    reviewed_at: datetime

    def line(self) -> str:
        """The label record as one line of JSON, without line end."""
        reviewed_at = self.reviewed_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(
            {
                "event_key": self.event_key,
                "true_event_type": self.true_event_type,
                "reviewer": self.reviewer,
                "reviewed_at": reviewed_at,
            }
        )


def write_labels(truth: Path, published: Path, landing: Path) -> int:
    """Write the labels of sampled events without a label into one new object. Returns the number of events.

    Raises:
        SettingsError: the truth or the published sample is missing.
    """
    truths = read_truths(truth, published, landing)
    if truths:
        lines = [answer.line() for key, kind, at in truths for answer in answers(key, kind, at)]
        content = ("\n".join(lines) + "\n").encode()
        name = hashlib.md5(content, usedforsecurity=False).hexdigest()[:12]
        FolderBucket(landing).put(f"labels/review-{name}.jsonl", content)
    return len(truths)


def answers(event_key: str, true_event_type: str, at: datetime) -> Iterator[Answer]:
    """The answers of one to three reviewers. The key decides them, so they are the same in every run."""
    # The first digits of the key decide whether an event is in the sample, so only later ones are used here.
    draw = iter(int(event_key[place : place + 4], 16) / 65536 for place in range(12, 28, 4))
    spread = next(draw)
    count = 1 + (spread < SECOND_OPINION) + (spread < SECOND_OPINION / 2)
    first = int(event_key[-4:], 16)
    for number in range(count):
        errs = next(draw) < ERRS
        others = [kind for kind in EVENT_TYPES if kind != true_event_type]
        said = others[first % len(others)] if errs else true_event_type
        reviewer = REVIEWERS[(first + number) % len(REVIEWERS)]
        yield Answer(event_key, said, reviewer, at + REVIEWED_AFTER + timedelta(minutes=number))


def read_truths(truth: Path, published: Path, landing: Path) -> list[tuple[str, str, datetime]]:
    """Key, true type and timestamp of the sampled events without a label in the bucket.

    Raises:
        SettingsError: the truth or the published sample is missing.
    """
    queue_path, stamp = published / "review_queue.parquet", truth / "simulation.json"
    for path in (queue_path, stamp, truth / "timeline.parquet", truth / "units.parquet"):
        if not path.exists():
            raise SettingsError(f"{path} does not exist, so there is nothing to review.")
    asked = json.loads(stamp.read_text(encoding="utf-8"))["arguments"]
    labelled = [
        json.loads(line)["event_key"]
        for folder in ("labels", "archive/labels")
        for path in sorted((landing / folder).glob("review-*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        queue = connection.read_parquet(str(queue_path)).to_arrow_table()
        connection.register("queue", _with_true_instants(queue, asked))
        connection.register("labelled", pa.table({"event_key": pa.array(labelled, pa.string())}))
        files = {name: str(truth / f"{name}.parquet") for name in ("units", "timeline")}
        return connection.execute(_TRUTHS, files).fetchall()


def _with_true_instants(queue: pa.Table, asked: dict[str, Any]) -> pa.Table:
    """The sample with the instants at which the events happened, in the column `true_at`."""
    names = ("sites", "cameras", "workers", "days", "seed", "objects_per_camera_hour")
    arguments = Arguments(
        Path("bucket"), Path("truth"), start=date.fromisoformat(asked["start"]), **{name: asked[name] for name in names}
    )
    fleet = plan_fleet(sites=arguments.sites, cameras=arguments.cameras, workers=arguments.workers, seed=arguments.seed)
    episodes = plan_episodes(fleet, arguments.begins_ms, arguments.ends_ms)
    seen_us = np.asarray(queue["timestamp"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    true_us = seen_us.copy()
    sites, stations = (np.asarray(queue[name].to_pylist(), dtype=object) for name in ("site_id", "workstation_id"))
    for site in fleet.sites:
        first_camera = {station.workstation_id: station.camera for station in site.stations}
        rows = np.flatnonzero(sites == site.site_id)
        camera = np.array([first_camera[name] for name in stations[rows]], dtype=np.int64)
        # The clock's error depends on the true instant, which is not known. So it is approximated in two more steps.
        usual = clock_offsets(site, camera, seen_us[rows] // 1000, episodes)
        for _ in range(2):
            usual = clock_offsets(site, camera, seen_us[rows] // 1000 - usual, episodes)
        true_us[rows] = seen_us[rows] - usual * 1000
    return queue.append_column("true_at", pa.array(true_us).cast(pa.timestamp("us", tz="UTC")))


def main(arguments: list[str] | None = None) -> int:
    """Write the labels. Returns exit status 0, or 1 after a message if they cannot be written."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.labels", description="Label the review sample of a simulated plant."
    )
    parser.add_argument("--truth", type=Path, required=True, help="folder that the simulator wrote its truth to")
    parser.add_argument("--published", type=Path, required=True, help="folder of the published marts")
    parser.add_argument("--landing", type=Path, required=True, help="folder of the bucket")
    options = parser.parse_args(arguments)
    try:
        count = write_labels(options.truth, options.published, options.landing)
    except FloorhouseError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count:,} sampled events labelled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
