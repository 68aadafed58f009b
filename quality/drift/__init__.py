"""Drift: pure functions of daily aggregates (numpy and scipy only) that measure changes and their significance.

Panels have the shape (cells, days), NaN where a day has too few events. Nothing here reads or writes files or the
clock. An alarm needs an effect and significance; `docs/quality.md` gives each decision's numbers, `benchmarks/drift`
measures.
"""
