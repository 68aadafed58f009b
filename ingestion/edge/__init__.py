"""The edge uploader: from a camera behind a bad link to the landing bucket, with a durable spool on its own disk.

Usable alone: this folder, `ingestion/__init__.py` and `ingestion/errors.py` on a POSIX machine with Python 3.11 are
enough; an `s3://` target also needs obstore, imported when such a target is opened. Nothing here may import the rest
of `ingestion`, and what an event means is not known here: landing judges (contract §2).
"""

from ingestion.edge.errors import EdgeError, RecordRefusedError, SpoolError, SpoolFullError
from ingestion.edge.settings import EdgeSettings, read_edge_settings
from ingestion.edge.spool import Spool

__all__ = [
    "EdgeError",
    "EdgeSettings",
    "RecordRefusedError",
    "Spool",
    "SpoolError",
    "SpoolFullError",
    "read_edge_settings",
]
