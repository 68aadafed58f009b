"""Performance benchmarks: `python -m benchmarks` measures each stage, with ratios measured side by side in one run."""
