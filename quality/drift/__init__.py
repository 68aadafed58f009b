"""Drift: pure functions of daily aggregates (numpy and scipy only) that say what changed, by how much, how surely.

Panels have the shape (cells, days), NaN where a day has too few events. Nothing here reads, writes or asks the clock.
An alarm needs an effect and significance; `docs/quality.md` gives each decision's numbers, `benchmarks/drift` measures.
"""
