"""Random draws that are the same, bit for bit, on every machine.

Only integers and + - * / on doubles are used. `log`, `exp` and normal draws use the machine's own mathematics library
and can differ in the last bit. Then the same seed would not produce the same bytes.
"""

from enum import IntEnum
from math import log

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Quantiles of the exponential distribution in thousandths. Rounding removes differences in the logarithm's last bit.
_QUANTILES: Integers = np.array([round(-1000 * log(1 - (step + 0.5) / 1024)) for step in range(1024)], dtype=np.int64)


class Purpose(IntEnum):
    """The purpose of a stream of draws.

    Each purpose has its own stream, so additional draws for one purpose never change another.
    """

    FLEET = 0
    TIMELINE = 1
    CAMERAS = 2
    DELIVERY = 3


def stream(seed: int, purpose: Purpose, site_number: int) -> np.random.Generator:
    """The generator of one purpose at one site."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(int(purpose), site_number))))


def between(rng: np.random.Generator, low: int, high: int, shape: int | tuple[int, ...]) -> Integers:
    """Whole numbers from `low` to `high`, inclusive."""
    return rng.integers(low, high, shape, dtype=np.int64, endpoint=True)


def chance(
    rng: np.random.Generator, probability: float | npt.NDArray[np.float64], shape: int | tuple[int, ...]
) -> Flags:
    """Flags that are true with the given probability."""
    return rng.random(shape) < probability


def durations(rng: np.random.Generator, mean_ms: Integers | int, shape: int | tuple[int, ...]) -> Integers:
    """Durations in milliseconds with the mean `mean_ms`, skewed to the right like the lengths of human activities."""
    pair = _QUANTILES[rng.integers(0, 1024, shape)] + _QUANTILES[rng.integers(0, 1024, shape)]
    return np.asarray(pair * mean_ms // 2000, dtype=np.int64)


def ranks(group_sizes: Integers) -> Integers:
    """0, 1, … within each group, for groups one after another: [0, 1, 0, 1, 2] for the sizes [2, 3]."""
    ends = np.cumsum(group_sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - group_sizes, group_sizes)
