"""Which texts of a column are timestamps that DuckDB's cast and the contract read alike.

The cast is kinder than the contract (`24:00`, one digit for an hour, a zone's name) and only trusted with texts of
certain layouts. All texts of one layout are looked at at once, as a matrix of bytes, which takes a fifth of what a
regular expression does.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view

from ingestion.reading.text_columns import Bytes, Flags, bytes_of

_BETWEEN, _HOUR = 10, 11  # places in a text
_SECONDS = ("", ":59", *(":59." + "9" * digits for digits in range(1, 7)))
# Each zone's place of the sign, from the end; texts of one length are told apart by it.
_SIGNS = {"Z": 0, "+19:59": -6, "+1959": -5, "+19": -3}


class _Layout(NamedTuple):
    """The bytes that may stand at each place: the lowest, and how far above it the highest one is."""

    lowest: Bytes
    span: Bytes
    sign: int  # its place from the end, 0 for Z


def _layout(seconds: str, zone: str) -> _Layout:
    """From the highest byte at each place; the lowest is 0 for a digit, and else the same."""
    highest = np.frombuffer(f"9999-19-39T29:59{seconds}{zone}".encode(), np.uint8)
    is_digit = (highest >= ord("0")) & (highest <= ord("9"))
    span = np.where(is_digit, highest - ord("0"), 0).astype(np.uint8)
    sign = _SIGNS[zone]
    free = [_BETWEEN, sign] if sign else [_BETWEEN]  # one of two bytes, each looked at by itself
    span[free] = 255
    lowest = highest - span
    lowest[free] = 0
    return _Layout(lowest, span, sign)


_PLACES = sorted({0, *_SIGNS.values()})
# By the text's length and the place of its sign.
_LAYOUTS = {
    len(_PLACES) * len(one.lowest) + _PLACES.index(one.sign): one
    for one in (_layout(*each) for each in product(_SECONDS, _SIGNS))
}


def are_plain_timestamps(column: pa.StringArray) -> Flags:
    """Per text, whether its layout is one of those; NULL has none. Whether there is such a day, the cast says."""
    codes, bounds = bytes_of(column)
    kinds = _kinds(codes, bounds)
    plain = np.zeros(len(column), np.bool_)
    for kind in np.flatnonzero(np.bincount(kinds[kinds <= max(_LAYOUTS)])).tolist():
        if layout := _LAYOUTS.get(kind):
            places = np.flatnonzero(kinds == kind)
            length = len(layout.lowest)
            if len(places) == len(column):  # they lie beside each other already
                plain[:] = _fit(codes[bounds[0] : bounds[-1]].reshape(-1, length), layout)
            else:
                plain[places] = _fit(sliding_window_view(codes, length)[bounds[places]], layout)
    return plain


def _kinds(codes: Bytes, bounds: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Per text the number of the only layout that it may have."""
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
    # Numpy is slow at applying a short row to a long matrix, so that it is repeated.
    above = texts.ravel() - np.tile(layout.lowest, len(texts))
    within = (above <= np.tile(layout.span, len(texts))).reshape(texts.shape)
    fit: Flags = np.ones(len(texts), np.bool_) if within.all() else np.logical_and.reduce(within, axis=1)
    fit &= (texts[:, _BETWEEN] == ord("T")) | (texts[:, _BETWEEN] == ord(" "))
    fit &= (texts[:, _HOUR] < ord("2")) | (texts[:, _HOUR + 1] <= ord("3"))
    if layout.sign:
        fit &= (texts[:, layout.sign] == ord("+")) | (texts[:, layout.sign] == ord("-"))
    return fit
