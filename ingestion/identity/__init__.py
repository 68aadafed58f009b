"""How stored data names people: pseudonyms, redacted payloads and the journal of pending deletions."""
