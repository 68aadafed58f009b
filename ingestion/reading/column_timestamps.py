"""Finds the texts of a column that DuckDB's cast and the contract read as the same timestamp.

The cast is more lenient than the contract (`24:00`, one digit for an hour, a zone's name) and is trusted only for texts
of certain layouts. All texts of one layout are checked together as a matrix of bytes, which takes a fifth of the time
of a regular expression.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view

from ingestion.reading.text_columns import Bytes, Flags, bytes_of

_BETWEEN, _HOUR = 10, 11  # positions in a text
_SECONDS = ("", ":59", *(":59." + "9" * digits for digits in range(1, 7)))
# The position of each zone's sign, from the end; it distinguishes layouts of one length.
_SIGNS = {"Z": 0, "+19:59": -6, "+1959": -5, "+19": -3}


class _Layout(NamedTuple):
    """The bytes allowed at each position: the lowest, and the distance to the highest."""

    lowest: Bytes
    span: Bytes
    sign: int  # position of the sign from the end, 0 for Z


def _layout(seconds: str, zone: str) -> _Layout:
    """A layout from the highest byte at each position; the lowest is 0 for a digit, else the same byte."""
    highest = np.frombuffer(f"9999-19-39T29:59{seconds}{zone}".encode(), np.uint8)
    is_digit = (highest >= ord("0")) & (highest <= ord("9"))
    span = np.where(is_digit, highest - ord("0"), 0).astype(np.uint8)
    sign = _SIGNS[zone]
    free = [_BETWEEN, sign] if sign else [_BETWEEN]  # one of two bytes, checked separately
    span[free] = 255
    lowest = highest - span
    lowest[free] = 0
    return _Layout(lowest, span, sign)


_PLACES = sorted({0, *_SIGNS.values()})
# By the text's length and the position of its sign.
_LAYOUTS = {
    len(_PLACES) * len(one.lowest) + _PLACES.index(one.sign): one
    for one in (_layout(*each) for each in product(_SECONDS, _SIGNS))
}


def are_plain_timestamps(column: pa.StringArray) -> Flags:
    """Per text, whether it has one of these layouts; NULL has none. The cast checks whether the day exists."""
    codes, bounds = bytes_of(column)
    kinds = _kinds(codes, bounds)
    plain = np.zeros(len(column), np.bool_)
    for kind in np.flatnonzero(np.bincount(kinds[kinds <= max(_LAYOUTS)])).tolist():
        if layout := _LAYOUTS.get(kind):
            places = np.flatnonzero(kinds == kind)
            length = len(layout.lowest)
            if len(places) == len(column):  # the rows are contiguous already
                plain[:] = _fit(codes[bounds[0] : bounds[-1]].reshape(-1, length), layout)
            else:
                plain[places] = _fit(sliding_window_view(codes, length)[bounds[places]], layout)
    return plain


def _kinds(codes: Bytes, bounds: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Per text, the number of the only layout that it can have."""
    ends = bounds[1:]
    lengths: npt.NDArray[np.int64] = np.diff(bounds).astype(np.int64)
    kinds: npt.NDArray[np.int64] = len(_PLACES) * lengths
    is_open = codes.take(ends - 1, mode="clip") != ord("Z")
    zones = np.full(len(kinds), _PLACES.index(0))
    if not is_open.any():
        kinds += zones
        return kinds
    for sign in (place for place in _PLACES if place):
        marks = codes.take(ends + sign, mode="clip")
        zones[is_open & ((marks == ord("+")) | (marks == ord("-")))] = _PLACES.index(sign)
    kinds += zones
    return kinds


def _fit(texts: Bytes, layout: _Layout) -> Flags:
    # The row is repeated because numpy is slow at broadcasting a short row over a long matrix.
    above = texts.ravel() - np.tile(layout.lowest, len(texts))
    within = (above <= np.tile(layout.span, len(texts))).reshape(texts.shape)
    fit: Flags = np.ones(len(texts), np.bool_) if within.all() else np.logical_and.reduce(within, axis=1)
    fit &= (texts[:, _BETWEEN] == ord("T")) | (texts[:, _BETWEEN] == ord(" "))
    fit &= (texts[:, _HOUR] < ord("2")) | (texts[:, _HOUR + 1] <= ord("3"))
    if layout.sign:
        fit &= (texts[:, layout.sign] == ord("+")) | (texts[:, layout.sign] == ord("-"))
    return fit
