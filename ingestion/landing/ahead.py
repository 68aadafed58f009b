"""Prepares the next items in a thread while the caller uses the current one. Knows nothing about the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_END: Final = object()


class Ahead(Generic[Item]):
    """The same items in the same order, with up to `count` prepared ahead. An error is raised at its item's turn.

    Leaving the block early waits for the item that is being prepared.
    """

    def __init__(self, items: Iterator[Item], count: int = 3) -> None:
        self._items = items
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._following = deque(self._thread.submit(next, items, _END) for _ in range(count))

    def __iter__(self) -> Iterator[Item]:
        while (item := self._following.popleft().result()) is not _END:
            self._following.append(self._thread.submit(next, self._items, _END))
            yield item  # type: ignore[misc]  # not the end

    def is_ready(self) -> bool:
        """Whether the next item, or the end, is available without waiting."""
        return not self._following or self._following[0].done()

    def __enter__(self) -> Ahead[Item]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(cancel_futures=True)
