"""The names of the day checks.

Imports nothing: Dagster needs the names in every process, but numpy only in processes that run checks.
"""

CONFIDENCE_FLOOR = "confidence_is_above_the_floor"
CONFIDENCE_DROP = "confidence_is_what_it_was"
LOW_SHARE = "few_events_are_unsure"
DISTRIBUTION = "confidence_is_distributed_as_before"
OWN_MIX = "event_mix_is_what_it_was"
BASELINE_MIX = "event_mix_is_near_its_baseline"
VOLUME = "every_camera_sends_as_much_as_before"
COVERAGE = "every_camera_watches"
LATENESS = "events_arrive_in_time"
OLD_EVENTS = "no_event_is_far_older_than_its_site"
LOOK_ALIKES = "no_id_looks_like_a_registered_one"
FRESHNESS = "every_site_is_heard"
