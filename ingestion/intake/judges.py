"""Where a body is judged: a small one at once, a large one in a process of its own, while others are answered.

A thread would not do: reading JSON holds the interpreter, and with it everybody, for as long as a body takes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime

from ingestion.intake.judging import Judge, Judged
from ingestion.intake.keys import Sender
from ingestion.intake.waiting import Turns

# What may be judged in place: the costliest bodies within these take some 10 ms. Commas bound the number of values,
# which cost more than bytes: `[1,1,1,…` has a hundred times as many as an honest batch.
IN_PLACE_BYTES = 64 << 10
IN_PLACE_COMMAS = 1_500


class JudgeLostError(Exception):
    """The process that judges ended twice over one body; the text is a sentence."""


class Judges:
    """Judges bodies, large ones one after the other, each sender in its turn."""

    def __init__(self) -> None:
        self._turns = Turns()
        self._process: ProcessPoolExecutor | None = None

    async def judge(self, judge: Judge, body: bytes, sender: Sender, now: datetime, holder: str) -> Judged:
        """The outcome of `judge`, or what it raises.

        Raises:
            JudgeLostError: the process was ended, by the system for want of memory or by hand.
        """
        if len(body) <= IN_PLACE_BYTES and body.count(b",") <= IN_PLACE_COMMAS:
            return judge(body, sender, now)
        loop = asyncio.get_running_loop()
        async with self._turns.turn(holder):
            for _ in range(2):
                self._process = self._process or _new_process()
                try:
                    return await loop.run_in_executor(self._process, judge, body, sender, now)
                except BrokenProcessPool:
                    self._process = None
        raise JudgeLostError("The process that judges large requests was ended; send it again later.")


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """In the new process: Ctrl+C is for the one that started it, and it ends when that one does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    starter = multiprocessing.parent_process()

    def end_with_starter() -> None:
        if starter is not None:
            starter.join()
            os._exit(0)

    threading.Thread(target=end_with_starter, daemon=True).start()
