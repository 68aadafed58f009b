"""The errors that a person may see. Each message is one sentence that says what is wrong with which value.

FloorhouseError
├── SettingsError            a setting has a value that is not allowed
├── RegistryError            a registry file has an invalid row
├── ClockError               the machine's clock is implausible
├── BucketError              the landing bucket cannot be listed, read or written
├── WarehouseBusyError       another batch is writing the warehouse
├── WarehouseError           the warehouse cannot be opened or written
│   └── WarehouseLostError   it is missing, damaged or older than what was landed
├── TransformError           a dbt model or test failed
├── ReportError              the site cannot be built or written
└── BackupError              a backup cannot be taken, or is not whole
"""

from ingestion.printable import printable


class FloorhouseError(Exception):
    """Base of all errors with a message for the person who runs the plant; the message is escaped for terminals.

    `exit_status` is that of a program which ends by it.
    """

    exit_status = 1

    def __str__(self) -> str:
        return printable(super().__str__())


class SettingsError(FloorhouseError):
    """A setting has a value that is not allowed; nothing was touched."""

    exit_status = 2


class RegistryError(FloorhouseError):
    """A registry file has an invalid row; nothing was landed."""


class ClockError(FloorhouseError):
    """The machine's clock is far ahead of all that was seen before; nothing was landed, closed or deleted."""


class BucketError(FloorhouseError):
    """The landing bucket cannot be listed, read or written."""


class WarehouseBusyError(FloorhouseError):
    """Another batch is writing the warehouse; this one did nothing."""


class WarehouseError(FloorhouseError):
    """The warehouse cannot be opened or written; what was committed before stays."""


class WarehouseLostError(WarehouseError):
    """The warehouse is missing, damaged or older than what was landed; nothing was touched."""


class TransformError(FloorhouseError):
    """A dbt model or test failed; the published marts stay as they were."""


class ReportError(FloorhouseError):
    """The site cannot be built or written; the one that is served stays as it was."""


class BackupError(FloorhouseError):
    """A backup cannot be taken, or cannot be restored; the plant and the backup stay as they are."""


def reason_of(error: Exception) -> str:
    """The first part of a bucket client's message, on one line, without its internal structure and the server's XML."""
    return " ".join(str(error).split()).partition(" Debug source:")[0].partition(": <?xml")[0]
