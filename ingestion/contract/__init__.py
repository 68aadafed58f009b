"""The record rules of docs/contract.md: events, labels, keys and their JSON. Pure: reads no file and no clock."""
