"""Making the next ones in a thread while this one is used. What is made is not known here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_END: Final = object()


class Ahead(Generic[Item]):
    """The same items in the same order, up to `count` of them made or in the making; an error comes in its turn.

    Whoever leaves the block early waits for the one in the making.
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
        """Whether the next one, or the end, need not be waited for."""
        return not self._following or self._following[0].done()

    def __enter__(self) -> Ahead[Item]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(cancel_futures=True)
