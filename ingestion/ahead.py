"""Making the next ones in a thread while this one is used. What is made is not known here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

Item = TypeVar("Item")

_END: Final = object()


def ahead(items: Iterator[Item], count: int = 3) -> Iterator[Item]:
    """The same items in the same order, up to `count` of them made or in the making; an error comes in its turn.

    Whoever stops early waits for the one in the making.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        following = deque(thread.submit(next, items, _END) for _ in range(count))
        while (item := following.popleft().result()) is not _END:
            following.append(thread.submit(next, items, _END))
            yield item  # type: ignore[misc]  # not the end
    finally:
        thread.shutdown(cancel_futures=True)
