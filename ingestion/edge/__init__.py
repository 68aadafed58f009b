"""The edge uploader: keeps the events of cameras behind a bad link on its own disk, and uploads them to the bucket.

It can be used alone: it needs this folder, the files `__init__.py`, `errors.py`, `printable.py` and `variables.py` of
`ingestion`, and Python 3.11 on a POSIX machine. An `s3://` target also needs obstore, imported when such a target is
opened. Nothing here imports the rest of `ingestion`. Landing judges events (contract §2); the uploader does
not read them.
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
