"""What is known about people: pseudonyms, retention, erasure and its proof, suppression of small groups."""
