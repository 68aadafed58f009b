"""The condition of a plant and its machine, for `floorhouse doctor` and `floorhouse status`. Changes nothing."""
