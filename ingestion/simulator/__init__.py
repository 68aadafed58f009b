"""A camera fleet with a known truth, for the demo, the tests and the benchmarks. It never reads what landing made."""

from ingestion.simulator.arguments import Arguments
from ingestion.simulator.fleet import plan_fleet
from ingestion.simulator.simulation import Summary, simulate

__all__ = ["Arguments", "Summary", "plan_fleet", "simulate"]
