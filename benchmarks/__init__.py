"""What Floorhouse costs: `python -m benchmarks` measures each stage, with ratios taken side by side in one run."""
