"""Publishes the result of the last build, and records that it is published.

`publishing` decides how files are written.
"""

from ingestion.settings import Settings
from orchestration.dbt.build_state import last_build, note_published
from orchestration.declared_marts import all_descriptions, all_marts
from publishing import versions
from publishing.coarser import COARSER, DESCRIBED
from publishing.plant_file import is_in_its_place, put_in_its_place
from publishing.versions import PublishReport


def publish_build(settings: Settings, anew: bool = False) -> PublishReport:
    """Publish the marts of the last finished build. With `anew` no file of the previous version is used again.

    The caller holds the warehouse's lock.

    Raises:
        WarehouseError: the marts are unfinished, or a file cannot be written; the previously published version stays.
    """
    report = versions.publish_marts(settings, last_build(settings), anew)
    note_published(settings, report.version)
    return report


def follow_a_moved_folder(settings: Settings) -> None:
    """Make the published views name the data folder at its current path. Other batches read no declaration for it."""
    if is_in_its_place(settings.published_path):
        return
    marts, described = [*all_marts(), COARSER], {**all_descriptions(), COARSER.name: DESCRIBED}
    put_in_its_place(settings.published_path, marts, described)
