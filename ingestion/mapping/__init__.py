"""Mappings (contract §1): a plant's own `select` turns the payloads of its cameras into records of the contract."""
