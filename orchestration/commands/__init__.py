"""The programs that people start: each reads the settings, takes the lock, calls a package, ends with one sentence."""
