"""How stored data identifies people: pseudonyms, redacted payloads and the journal of pending deletions."""
