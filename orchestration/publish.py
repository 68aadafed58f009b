"""Publish what the last build made, and note that it is published. How files are written is decided in `publishing`."""

from ingestion.settings import Settings
from orchestration.dbt.build_state import last_build, note_published
from publishing import versions
from publishing.versions import PublishReport


def publish_build(settings: Settings, anew: bool = False) -> PublishReport:
    """Publish the marts of the last finished build; with `anew` no file of the version before is used again.

    The caller holds the warehouse's lock.

    Raises:
        WarehouseError: the marts are unfinished, or a file cannot be written; the version published before stays.
    """
    report = versions.publish_marts(settings, last_build(settings), anew)
    note_published(settings, report.version)
    return report
