"""The published marts: versions, files, fingerprints, and suppression of small groups."""
