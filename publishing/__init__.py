"""The published marts: versions, files, fingerprints, what may be shown of whom."""
