"""From an object's bytes to its records: unpacking, splitting, and slices of bounded size."""
