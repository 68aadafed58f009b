"""From an object's bytes to its records: unpacking, splitting, slices of bounded size."""
