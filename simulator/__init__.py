"""Simulates a camera fleet whose true timeline is known, for the demo, the tests and the benchmarks.

It never reads landed data.
"""

from simulator.arguments import Arguments
from simulator.fleet import plan_fleet
from simulator.simulation import Summary, simulate

__all__ = ["Arguments", "Summary", "plan_fleet", "simulate"]
