"""What a record must be, by docs/contract.md: events, labels, keys and their JSON. Pure: no file, no clock."""
