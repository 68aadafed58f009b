"""How a plant and its machine are: what `floorhouse doctor` and `floorhouse status` look at. Changes nothing."""
