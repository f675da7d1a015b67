"""One run of the command: reads, maps, delivers, remembers.

The law: a place is saved when everything before it is settled, and after what is malformed before
it has been kept. All waits are short, so that a signal is heard at once.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from snowplow_logging.ship.lines import MalformedError, parsed
from snowplow_logging.ship.logfile import event_id
from snowplow_logging.ship.outcome import Counts, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from snowplow_logging.ship.delivery import Delivery
    from snowplow_logging.ship.files import Files
    from snowplow_logging.ship.lines import Position
    from snowplow_logging.ship.logfile import Chunk
    from snowplow_logging.ship.mapping import LineMapper
    from snowplow_logging.ship.screen import Screen
    from snowplow_logging.ship.state import State

WAIT = 0.1  # seconds that a signal may have to wait
ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
Mark = tuple[int, "Position"]


class Shipment:
    """Ships files.

    Args:
        files: What to read.
        mapper: What lines become.
        delivery: Where events go.
        state: Where places are saved.
        screen: What people see.
        malformed: Where malformed lines are kept.
        level: The least level that is sent.
        max_line: Bytes that a line may have.
        give_up_after: Seconds without any success after which it ends; None: it never does.
    """

    def __init__(
        self,
        files: Files,
        mapper: LineMapper,
        delivery: Delivery[Mark],
        state: State,
        screen: Screen,
        *,
        malformed: IO[bytes] | None,
        level: int,
        max_line: int,
        give_up_after: float | None,
    ) -> None:
        self._files = files
        self._mapper = mapper
        self._delivery = delivery
        self._state = state
        self._screen = screen
        self._malformed = malformed
        self._level = level
        self._max_line = max_line
        self._give_up_after = give_up_after
        self.counts = Counts()
        self._signal = 0  # that asks to stop
        self._gave_up = ""

    def run(self, drain_seconds: float) -> Outcome:
        """Ships until there is nothing more, or a signal comes.

        Args:
            drain_seconds: How long to deliver what is under way after that signal.
        """
        with _signals(self._stop):
            for chunk in self._files:
                if chunk is not None:
                    self._ship(chunk)
                self._settle(0.0 if chunk is not None else WAIT)
                while self._delivery.is_full and not self._is_stopped:
                    self._settle(WAIT)
                if self._is_stopped:
                    break
            self._finish(drain_seconds)
        self.counts.unreadable = self._screen.complaints
        stats, can_repeat = self._delivery.stats(), self._files.can_repeat
        self._screen.end(self._files, self.counts, stats)
        return Outcome(self.counts, stats, self._signal, self._gave_up, can_repeat=can_repeat)

    @property
    def _is_stopped(self) -> bool:
        return bool(self._signal or self._gave_up)

    def _stop(self, number: int) -> None:
        # No more than this: it may have interrupted who holds a lock.
        self._signal = number

    def _ship(self, chunk: Chunk) -> None:
        lines, begin, end = chunk.lines
        offset = begin.offset
        seed = chunk.file.seed
        for number, line in enumerate(lines, begin.lines + 1):
            try:
                self._track(line, seed, offset)
            except MalformedError as error:
                if not chunk.is_whole:
                    self.counts.incomplete += 1
                    return
                self.counts.malformed += 1
                self._screen.malformed(chunk.file.path, number, str(error))
                if self._malformed is not None:
                    _ = self._malformed.write(line[: self._max_line] + b"\n")
            offset += len(line) + 1
        self.counts.lines += len(lines)
        self._delivery.mark((chunk.file.id, end), len(lines), end.offset - begin.offset)

    def _track(self, line: bytes, seed: str, offset: int) -> None:
        said = parsed(line, self._max_line)
        if said is None:
            self.counts.empty += 1
            return
        event, created_ms, severity = self._mapper.mapped(said)
        if event is None or 0 < severity < self._level:
            self.counts.left_out += 1
            return
        if created_ms is None:
            self.counts.timeless += 1
        self._delivery.track(event, created_ms, severity, event_id(seed, offset, line))

    def _settle(self, seconds: float) -> None:
        """Saves what is settled, after waiting for it a while; looks whether all is well."""
        if self._delivery.is_done:
            time.sleep(seconds)
        positions = dict(self._delivery.settled(seconds))
        if positions:
            if self._malformed is not None:
                self._malformed.flush()
            self._state.save(positions)
        stuck = self._delivery.stuck()
        if self._give_up_after is not None and stuck > self._give_up_after:
            self._gave_up = f"nothing could be delivered for {stuck:.0f} s"
        self._screen.progress(self._files, self.counts, self._delivery.stats(), stuck)

    def _finish(self, drain_seconds: float) -> None:
        """Delivers what is under way; after a signal, for a limited time."""
        deadline = time.monotonic() + drain_seconds
        self._delivery.hurry(WAIT)
        while not self._delivery.is_done:
            self._settle(WAIT)
            if self._gave_up or (self._signal and time.monotonic() > deadline):
                break


@contextmanager
def _signals(stop: Callable[[int], None]) -> Generator[None]:
    """Tells of signals that end processes while the block runs; a second one ends it at once."""
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        stop(number)
        for each in heard:
            _ = signal.signal(each, signal.SIG_DFL)

    # What is ignored, as nohup does with SIGHUP, stays so.
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            _ = signal.signal(number, handler)
