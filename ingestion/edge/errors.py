"""The edge uploader's errors. The text of each is one sentence that names the value and what is wrong with it.

FloorhouseError
├── SettingsError            a setting has a value that is not allowed
└── EdgeError
    ├── RecordRefusedError   a record cannot be one line of a spool; it was not taken
    ├── SpoolError           the spool's disk cannot be read or written
    │   └── SpoolFullError   the spool, or the disk below it, has no room; what was acknowledged is safe
    ├── UploadError          the target did not take an object; it stays in the spool
    └── UploaderBusyError    another uploader works on this spool
"""

from __future__ import annotations

from ingestion.errors import FloorhouseError


class EdgeError(FloorhouseError):
    """Base of the edge uploader's errors."""


class RecordRefusedError(EdgeError):
    """A record cannot be one line of a spool; it was not taken."""


class SpoolError(EdgeError):
    """The spool's disk cannot be read or written; `acknowledged` records of the call are durable, the others not."""

    def __init__(self, sentence: str, acknowledged: int = 0) -> None:
        super().__init__(sentence)
        self.acknowledged = acknowledged


class SpoolFullError(SpoolError):
    """The spool, or the disk below it, has no room; try again when the uploader has made some."""


class UploadError(EdgeError):
    """The target did not take an object; it stays in the spool and is tried again."""


class UploaderBusyError(EdgeError):
    """Another uploader works on this spool; this one did nothing."""
