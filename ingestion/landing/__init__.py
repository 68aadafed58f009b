"""One batch into the raw tables, exactly once: the pipeline, the manifest, archiving, replay."""
