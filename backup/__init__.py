"""Backup and restore: copies a plant's own state into one folder, and makes a plant from that folder.

The bucket keeps the cameras' files. So a backup contains the rest: the warehouse, the registries, the outboxes, the
journals of deletions, and Dagster's records. Files that are derived from these are not copied; a batch writes them
again.
"""
