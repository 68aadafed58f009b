"""The plant's registries (contract §1 and §4): CSV files in, checked rows out, or one sentence that says what is wrong.

The dbt project, not this package, derives windows from a shift calendar.
"""

from __future__ import annotations

from ingestion.registry.bucket_files import PREFIX, Registry, read_registry
from ingestion.registry.files import ALL_SITES, UNSCHEDULED, Row

__all__ = ["ALL_SITES", "PREFIX", "UNSCHEDULED", "Registry", "Row", "read_registry"]
