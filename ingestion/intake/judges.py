"""Judges bodies: small ones at once, large ones in a separate process, so that other requests are answered meanwhile.

A thread would not help: parsing JSON holds Python's global lock, and every other request would wait.
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

# Bodies within both limits are judged in place: the costliest take about 10 ms. The commas limit the number of values,
# which cost more than bytes: a body `[1,1,1,…` has a hundred times as many values as a normal batch.
IN_PLACE_BYTES = 64 << 10
IN_PLACE_COMMAS = 1_500


class JudgeLostError(Exception):
    """The judging process ended twice on one body; the text is a sentence."""


class Judges:
    """Judges bodies. Large ones are judged one at a time, and senders take turns."""

    def __init__(self) -> None:
        self._turns = Turns()
        self._process: ProcessPoolExecutor | None = None

    async def judge(self, judge: Judge, body: bytes, sender: Sender, now: datetime, holder: str) -> Judged:
        """The result of `judge`, or the exception that it raises.

        Raises:
            JudgeLostError: the process was killed, by hand or by the system for lack of memory.
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
    """In the new process: ignore Ctrl+C, and end when the parent process ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    starter = multiprocessing.parent_process()

    def end_with_starter() -> None:
        if starter is not None:
            starter.join()
            os._exit(0)

    threading.Thread(target=end_with_starter, daemon=True).start()
