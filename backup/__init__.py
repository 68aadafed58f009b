"""Backup and restore: a plant's own state in one folder, and a plant again from that folder.

The bucket keeps what cameras wrote, so a backup holds what the bucket does not: the warehouse, the registries, what
waits in outboxes, journals of deletions, and Dagster's records. What follows from these is made again.
"""
