"""The commands of `floorhouse`: each reads the settings, takes the lock, calls a package and ends with one sentence."""
