"""Dagster's assets, one module per stage. A body reads, calls one function of its stage and reports what it did."""
