"""How people are named in what is stored: pseudonyms, redacted payloads, the journal of deletions still owed."""
