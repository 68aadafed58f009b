"""The bridge's errors. The text of each is one sentence that names the value and what is wrong with it."""

from __future__ import annotations

from ingestion.errors import FloorhouseError


class BridgeError(FloorhouseError):
    """Base of the bridge's errors."""


class BrokerError(BridgeError):
    """The broker cannot be reached, or refuses what the bridge needs; it is tried again."""


class BridgeBusyError(BridgeError):
    """Another bridge works on this spool; this one did nothing."""
