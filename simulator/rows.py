"""Rows stored as columns: frozen dataclasses whose fields are numpy arrays of equal length."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

R = TypeVar("R")


def columns(rows: Any) -> dict[str, Any]:
    """The arrays of a dataclass of rows, by field name."""
    if not is_dataclass(rows):
        raise TypeError(f"{type(rows).__name__} is not a dataclass of columns")
    return {field.name: getattr(rows, field.name) for field in fields(rows)}


def take(rows: R, chosen: Any) -> R:
    """The rows at these positions, or the rows for which this mask is true."""
    return type(rows)(**{name: values[chosen] for name, values in columns(rows).items()})


def concatenated(parts: Sequence[R]) -> R:
    """The rows of all parts, one part after another. There must be at least one part."""
    names = columns(parts[0])
    return type(parts[0])(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
