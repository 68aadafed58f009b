"""How often the drift checks alarm for nothing, and how soon they alarm for something, on simulated years."""
