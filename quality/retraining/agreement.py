"""A sequential test that people agree with a model less often than required. It is valid however often it is run. Pure.

The unit is the day, because events of a day resemble each other. Each day has one value x, the share of its labelled
events that people agree with. If the agreement is at least m, then betting a share λ of the capital on x below m wins
nothing on average. So the product of 1 + λ(m - x) over the days is a supermartingale, whatever the distribution of the
days (I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B 86, 2024, section 4). The probability that it ever reaches 20 is at most 5 % (J. Ville, "Étude
critique de la notion de collectif", 1939), however often one looks. Several bets are combined, and new bets start every
30 days, so that good months do not hide a bad one. A mean of supermartingales is again a supermartingale.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ERROR = 0.05
RESTART_DAYS = 30
# The bets λ, as parts of 1 ÷ (1 - m), the largest bet that cannot lose more than the capital.
BETS = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.96])
# The number of wrong answers that a reviewer can choose from: four event types, of which one is right.
WRONG_ANSWERS = 3


def evidence(shares: Floats, least: float) -> Floats:
    """The evidence after each day that the agreement is below `least` (0 < least < 1), of the shape of `shares`.

    Chance alone makes it reach 20 with a probability of at most 5 %. `shares` (…, days) are the days' shares of
    agreement (0 to 1), NaN for days without a label, with days without gaps.
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
    found: Floats = total + weight_left  # the part of the capital that is not bet yet
    return found


def upper_bound(shares: Floats) -> float:
    """The upper end of a 95 % confidence sequence for the agreement (0 to 1), from one row of days."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if evidence(shares, middle)[-1] >= 1 / ERROR:
            high = middle
        else:
            low = middle
    return high


def reviewers_error(shared: int, unanimous: int) -> float:
    """A reviewer's error rate (0 to 1), from `shared` events that two reviewers labelled, `unanimous` of them equally.

    It assumes that equal answers are right, because two errors rarely agree. 0 if there are no shared events.
    """
    return 1 - math.sqrt(unanimous / shared) if shared else 0.0


def without_reviewers_error(agreement: float, error: float) -> float:
    """A model's accuracy (0 to 1), from its agreement with reviewers and their error rate.

    W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a screening test", American Journal of
    Epidemiology 107, 1978. It assumes that a third of the reviewers' errors agree with a wrong report.
    """
    by_chance = error / WRONG_ANSWERS
    room = 1 - error - by_chance
    return min(max((agreement - by_chance) / room, 0.0), 1.0) if room > 0 else 1.0
