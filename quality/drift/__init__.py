"""Drift: pure functions of daily aggregates (numpy and scipy only) that measure changes and their significance.

Panels have the shape (cells, days), with NaN for a day with too few events. Only `panels` reads the marts; nothing
reads files or the clock. An alarm needs an effect and significance. `docs/quality.md` lists the numbers of each
decision, and `benchmarks/drift` measures them.
"""
