"""How sure it is that people agree with a model less often than they should, however often one looks. Pure.

The unit is the day, because events of a day resemble each other: a day gives the share of its labelled events that
people agree with. If the agreement is at least m, a bet of the share λ of one's money that a day lies below m wins
nothing on average, so the money 1 + λ(m - x) multiplied over the days is a supermartingale, whatever its days are like
otherwise (I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", Journal of the
Royal Statistical Society B 86, 2024, section 4). It ever reaches 20 with a probability of at most 5 % (J. Ville, "Étude
critique de la notion de collectif", 1939), however many looks there are. Several bets are made at once, and new ones
every 30 days, so that good months do not hide a bad one: a mean of supermartingales is one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ERROR = 0.05
RESTART_DAYS = 30
# The bets λ, as parts of the largest one that cannot lose everything, 1 ÷ (1 - m).
BETS = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.96])
# How many answers a reviewer who errs may give in place of the right one.
WRONG_ANSWERS = 3


def evidence(shares: Floats, least: float) -> Floats:
    """The evidence after each day that the agreement is under `least`, 0 < least < 1: 20 is reached by chance in 5 %.

    `shares` (…, days) are the days' shares of agreement, NaN for days without a label, days without gaps.
    """
    days = shares.shape[-1]
    bets = BETS / (1 - least)
    gain = np.where(np.isnan(shares), 0.0, least - np.nan_to_num(shares))
    money = np.cumsum(np.log1p(gain[..., None, :] * bets[:, None]), axis=-1)
    total = np.zeros(shares.shape)
    weight_left = np.ones(days)
    for number, start in enumerate(range(0, days, RESTART_DAYS), start=1):
        weight = 1 / (number * (number + 1))
        before = money[..., start - 1 : start] if start else 0.0
        total[..., start:] += weight * np.exp(money[..., start:] - before).mean(axis=-2)
        weight_left[start:] -= weight
    found: Floats = total + weight_left  # what is not bet yet is kept
    return found


def upper_bound(shares: Floats) -> float:
    """The largest agreement that the days (one row) leave possible: the upper end of a 95 % confidence sequence."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if evidence(shares, middle)[-1] >= 1 / ERROR:
            high = middle
        else:
            low = middle
    return high


def reviewers_error(shared: int, unanimous: int) -> float:
    """How often a reviewer errs, from events that two saw: both are right, or they differ (two errors hardly agree)."""
    return 1 - math.sqrt(unanimous / shared) if shared else 0.0


def without_reviewers_error(agreement: float, error: float) -> float:
    """A model's true accuracy where reviewers who err so often agree with it so often (W. J. Rogan and B. Gladen,
    "Estimating prevalence from the results of a screening test", American Journal of Epidemiology 107, 1978).

    A reviewer's wrong answer agrees with a wrong report in one of three cases.
    """
    by_chance = error / WRONG_ANSWERS
    room = 1 - error - by_chance
    return min(max((agreement - by_chance) / room, 0.0), 1.0) if room > 0 else 1.0
