"""Performance benchmarks. `python -m benchmarks` measures each stage; both parts of a ratio are measured in one run."""
