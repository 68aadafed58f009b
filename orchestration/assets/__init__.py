"""Dagster's assets, one module per stage. A body reads, calls one function of its stage and says what it did."""
