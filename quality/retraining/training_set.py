"""The training set of a request: labelled events and hard cases of 30 days, as one Parquet file.

It names nobody: camera, station and instant identify a frame. Frames of one camera and day resemble each other, so the
split depends only on site, camera and UTC date, and is the same in every set. No frame of the hold-out has in the other
part a frame of its camera within five minutes, or its own scene (site, worker, station, instant).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from ingestion.contract.event_key import EVENT_KEY_SQL

DAYS = 30
HOLDOUT_SHARE = 0.2
LOW_CONFIDENCE = 0.60
# The most hard cases of each kind: enough to learn from, few enough to review.
MOST_HARD_CASES = 2000

# Frames of a hold-out day this near to midnight are left out, because the day before or after it may be trained on.
GAP_MINUTES = 5

_HOLDOUT_BELOW = f"{round(HOLDOUT_SHARE * 16**8):08x}"
_DAY = 24 * 60 * 60 * 1_000_000
_GAP = GAP_MINUTES * 60 * 1_000_000

# An event that several cameras reported has a row for each camera. The hard cases with the smallest keys are kept: a
# reproducible random draw. Disputed events do not count as labelled.
_TRAINING_SET = f"""
    with events as (
        select
            *,
            {EVENT_KEY_SQL} as event_key,
            md5(concat(
                epoch_us(event_at), '|', length(site_id), ':', site_id, '|', length(worker_id), ':', worker_id,
                '|', length(workstation_id), ':', workstation_id
            )) as scene_key
        from raw.events
        where site_id = $site_id and event_at > $since::timestamptz and event_at <= $as_of::timestamptz
    ),
    sightings as (
        select
            event_key, scene_key, site_id, event_at, workstation_id, camera_id, model_name, model_version, event_type,
            max(confidence) as confidence,
            case when right(md5(concat(
                length(site_id), ':', site_id, '|', length(camera_id), ':', camera_id, '|', epoch_us(event_at) // {_DAY}
            )), 8) < '{_HOLDOUT_BELOW}' then 'holdout' else 'train' end as split
        from events
        group by all
    ),
    held_scenes as (
        select distinct scene_key from sightings where split = 'holdout' and model_name = $model_name
    ),
    scenes as (
        select scene_key
        from sightings
        where event_type <> 'product_count'
        group by scene_key
        having min(camera_id) <> max(camera_id) and min(event_type) <> max(event_type)
    ),
    truths as (
        select distinct event_key, true_event_type
        from handover.int_labelled_events
        where site_id = $site_id and not is_disputed
    ),
    flagged as (
        select
            sightings.*,
            truths.true_event_type,
            truths.event_key is not null as is_labelled,
            coalesce(truths.true_event_type <> sightings.event_type, false) as is_wrong,
            sightings.confidence < {LOW_CONFIDENCE} as is_low,
            scenes.scene_key is not null and sightings.event_type <> 'product_count' as is_disagreed
        from sightings
        left join truths using (event_key)
        left join scenes using (scene_key)
        where sightings.model_name = $model_name
    ),
    ranked as (
        select
            *,
            dense_rank() over (partition by is_low order by event_key) as low_rank,
            dense_rank() over (partition by is_disagreed order by event_key) as disagreed_rank
        from flagged
    )
    select
        event_key,
        site_id,
        event_at as timestamp,
        workstation_id,
        camera_id,
        model_name,
        model_version,
        event_type,
        confidence,
        true_event_type,
        list_filter(
            [
                case when is_labelled then 'labelled' end,
                case when is_wrong then 'wrong_label' end,
                case when is_low then 'low_confidence' end,
                case when is_disagreed then 'camera_disagreement' end
            ],
            lambda reason: reason is not null
        ) as reasons,
        split
    from ranked
    where
        (
            is_labelled
            or (is_low and low_rank <= {MOST_HARD_CASES})
            or (is_disagreed and disagreed_rank <= {MOST_HARD_CASES})
        )
        and case split
            when 'holdout' then epoch_us(event_at) % {_DAY} between {_GAP} and {_DAY - _GAP}
            else scene_key not in (select scene_key from held_scenes)
        end
    order by event_key, camera_id, model_version
"""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The row counts of a file by split and by reason; a row can have several reasons."""

    rows: int
    splits: dict[str, int]
    reasons: dict[str, int]


def write_training_set(
    connection: duckdb.DuckDBPyConnection, path: Path, site_id: str, model_name: str, as_of: datetime
) -> TrainingSet:
    """Write the set of a site's model as of an instant. The same raw records and labels give the same bytes."""
    connection.execute(
        f"create or replace temp table training_set as {_TRAINING_SET}",
        {"site_id": site_id, "model_name": model_name, "as_of": as_of, "since": as_of - timedelta(days=DAYS)},
    )
    connection.execute(
        "copy (from training_set order by event_key, camera_id, model_version) to $path "
        "(format parquet, compression zstd)",
        {"path": str(path)},
    )
    splits = connection.execute("select split, count(*) from training_set group by split order by split").fetchall()
    reasons = connection.execute(
        "select reason, count(*) from (select unnest(reasons) as reason from training_set) group by reason order by all"
    ).fetchall()
    return TrainingSet(sum(count for _, count in splits), dict(splits), dict(reasons))
