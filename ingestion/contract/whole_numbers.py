"""Reads whole JSON numbers in any notation: 5, 5.0, 5e0 and 50e-1 are one number."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def whole_number(text: str, highest: int) -> int | None:
    """The value of a JSON number; None if it is not whole, below 0 or above `highest`."""
    if len(text) <= 18 and text.isascii() and text.isdigit():
        number = int(text)
        return number if number <= highest else None
    digits, power = _normal_form(text)
    if not digits:
        return 0
    if text.startswith("-") or power < 0 or len(digits) + power > len(str(highest)):
        return None
    number = int(digits) * 10**power
    return number if number <= highest else None


def why_not_whole(text: str) -> str:
    """Why a JSON number is not a whole number in its range."""
    digits, power = _normal_form(text)
    if digits and power < 0:
        return "which is not whole"
    return "which is below 0" if text.startswith("-") else "which is too large"


def _normal_form(text: str) -> tuple[str, int]:
    """A number's size as digits that neither begin nor end with 0, times a power of ten; no digits for 0."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no JSON number")
    _, whole, fraction, exponent = match.groups(default="")
    digits = (whole + fraction).strip("0")
    trailing = len(whole + fraction) - len((whole + fraction).rstrip("0"))
    # A larger exponent decides alone, because no record has that many digits before it.
    size = int(exponent or "0") if len(exponent) < 19 else 10**18 * (-1 if exponent.startswith("-") else 1)
    return digits, size - len(fraction) + trailing
