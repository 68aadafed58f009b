"""What only `make` runs: setting up, the demo, pictures. Nothing that a plant needs while it works."""
