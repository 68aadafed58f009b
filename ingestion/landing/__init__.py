"""Landing one batch into the raw tables, exactly once: pipeline, manifest, archiving and replay."""
