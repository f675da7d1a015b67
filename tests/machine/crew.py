"""Threads that stand in for workers: they do nothing of themselves, so that order is a choice."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 20.0  # seconds after which what a thread does hangs


class Hand:
    """A thread that does one thing at a time, while who asked for it waits."""

    def __init__(self) -> None:
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def do(self, action: Callable[[], None]) -> None:
        """Does it, and raises what it raises."""
        self._orders.put(action)
        error = self._done.get(timeout=PATIENCE)
        if error is not None:
            raise error

    def _work(self) -> None:
        while True:
            action = self._orders.get()
            try:
                action()
            except BaseException as error:
                self._done.put(error)
            else:
                self._done.put(None)


class Crew:
    """Hands of which as many are made as are ever needed at once."""

    def __init__(self) -> None:
        self._idle: list[Hand] = []

    def hire(self) -> Hand:
        """Returns a hand that nobody else has."""
        return self._idle.pop() if self._idle else Hand()

    def release(self, hand: Hand) -> None:
        """Takes a hand back."""
        self._idle.append(hand)


CREW = Crew()
