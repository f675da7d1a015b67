"""Everything around the engine: time, collector, callbacks, workers, processes."""

from __future__ import annotations

import itertools
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from snowplow_logging import AsyncEmitter, Emitter
from snowplow_logging._batch import Stop
from snowplow_logging._clock import Clock
from snowplow_logging._guard import is_delivering
from snowplow_logging._sender import SHORTEST_TIMEOUT
from snowplow_logging._spooled import SpooledOutbox
from snowplow_logging._spooler import KEEP_PATIENCE
from snowplow_logging._transport import Answer
from snowplow_logging.payload import body_of, finished, queued_at_of
from tests.machine.crew import CREW
from tests.machine.disk import Doing, FakeDisk, File
from tests.machine.model import Event, Process, Said, body_with, fate, number_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable, Sequence

    from snowplow_logging._batch import Batch
    from snowplow_logging._disk import Disk
    from snowplow_logging.payload import Payload

CREATED_MS = 1_700_000_000_000
LONGEST_REST = 100.0  # seconds; more than any ``max_retry_delay`` here
UP = Said()


class Act(NamedTuple):
    """What somebody does: a callback, a finaliser, a transport, or another thread."""

    what: str
    argument: Any = None


class WorkedEmitter(AsyncEmitter):
    """An emitter with a pool, whose workers are simulated: it starts no threads.

    Attributes:
        works: Whether the pool is said to live; else flush sends in its own thread.
    """

    works = True
    world: World

    def _after_put(self) -> None:
        """Wakes nobody."""

    def _drains_here(self) -> bool:
        return is_delivering() or not self.works

    def _open_disk(self, on_lost: Callable[[], None]) -> Disk:
        return FakeDisk(self.world.file, self.world, on_lost)


class World:
    """One emitter, and what it lives in.

    Args:
        kind: ``"sync"``, ``"pool"``, or ``"no threads"``: a pool that could start none.
        options: As the emitter takes them.
    """

    def __init__(self, kind: str, **options: Any) -> None:
        self.now = 1_000.0
        self.options = options
        self.wrong: list[str] = []
        self.usual = UP  # what the collector says where nothing else is scripted
        self.says: deque[Said] = deque()
        self.reactions: deque[Act] = deque()  # of callbacks
        self.inner: deque[Act] = deque()  # of the transport, in the middle of a request
        self.meanwhile: deque[tuple[float, Act]] = deque()  # in other threads, while one waits
        self.at_disk: deque[Act] = deque()  # in other threads, while one is at the disk
        self.finaliser: tuple[int, Act] | None = None  # runs when the clock was read so often
        self.has_transport = True
        self._simultaneous = False  # another thread acts, and time stands still
        self._excused: list[float] = []  # seconds that others took, of each wait under way
        self._numbers = itertools.count(1)
        self._kind = kind
        self.file = File()
        self.events: dict[int, Event] = {}
        self.processes: list[Process] = []
        self.crashed: list[Process] = []
        self.emitter, self.process = self._start()
        self.processes.append(self.process)

    def _start(self) -> tuple[Emitter, Process]:
        """Begins a process."""
        make: Callable[..., Emitter] = Emitter if self._kind == "sync" else WorkedEmitter
        WorkedEmitter.world = self
        emitter = make(
            "https://c.acme.com",
            clock=Clock(self.read, lambda: self.now, self.wait),
            transport=self.make_transport,
            on_success=self.on_success,
            on_failure=self.on_failure,
            on_drop=self.on_drop,
            **self.options,
        )
        if isinstance(emitter, WorkedEmitter):
            emitter.works = self._kind == "pool"
        return emitter, Process(emitter._outbox, emitter._sender, emitter._spooler)

    # Time.

    def read(self) -> float:
        """Returns the time; a finaliser may run at any moment, so also now."""
        if self.finaliser is not None:
            readings, act = self.finaliser
            self.finaliser = (readings - 1, act) if readings > 1 else None
            if self.finaliser is None:
                self.react(act)
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Lets time pass, or another thread act, as ``Condition.wait`` does."""
        assert seconds is not None, "waits for ever"
        after, act = self.meanwhile.popleft() if self.meanwhile else (seconds, None)
        self.now += min(after, seconds)
        if act is None or after > seconds:
            return
        lock: Any = condition  # to be let go of as a whole, as Condition.wait does
        held = lock._release_save()
        try:
            self._in_another_thread(act)
        finally:
            lock._acquire_restore(held)

    def _in_another_thread(self, act: Act) -> None:
        before, self._simultaneous = self._simultaneous, True
        hand = CREW.hire()
        try:
            hand.do(lambda: self.react(act))
        except (ZeroDivisionError, SystemExit) as error:
            self.wrong.append(f"{act} raised {error!r}")
        finally:
            CREW.release(hand)
            self._simultaneous = before

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Finds wrong what takes longer than ``seconds``, but for what others do meanwhile."""
        began = self.now
        self._excused.append(0.0)
        yield
        took = self.now - began - self._excused.pop()
        if took > seconds + SHORTEST_TIMEOUT + 1e-6:
            self.wrong.append(f"took {took} s, not {seconds}")

    # The collector.

    def make_transport(self) -> Transport:
        if not self.has_transport:
            message = "no transport today"
            raise RuntimeError(message)
        return Transport(self, self.process)

    def answer(self, process: Process, batch: Sequence[Payload], timeout: float) -> Answer:
        """Answers a request as it is scripted."""
        self._check_request(process, batch, timeout)
        said = self.says.popleft() if self.says else self.usual
        if not self._simultaneous:
            self.now += min(said.took, timeout)
        if said.raises:
            raise OSError("the transport's own mistake")
        if said.lost or said.status is None or said.took > timeout:
            return Answer(None, "no answer")
        verdict = fate(said.status, self.options["custom_retry_codes"])
        self.wrong += process.answered(batch, verdict)
        return Answer(said.status, None if verdict == "delivered" else "bad", said.retry_after)

    def _check_request(self, process: Process, batch: Sequence[Payload], timeout: float) -> None:
        process.overtaking = process.overtaking or len(process.outbox._in_flight) > 1
        numbers = [number_of(body_of(payload)) for payload in batch]
        limit = 1 if self.options["method"] == "get" else self.options["batch_size"]
        facts = {
            "is made outside the lock": not process.outbox.is_entered,
            "has events": 0 < len(numbers) <= limit,
            "its events are of this process": process.events.keys() >= set(numbers),
            "its events are pending": process.pending >= set(numbers),
            "its events are as they were put": all(
                process.events[n].body == body_of(p) for n, p in zip(numbers, batch, strict=True)
                if n in process.events
            ),
            "its time-out is right": 0 < timeout <= self.options["request_timeout"],
        }  # fmt: skip
        self.wrong += [f"not true of a request: {fact}" for fact, true in facts.items() if not true]

    # Callbacks.

    def on_success(self, payloads: list[dict[str, Any]]) -> None:
        for process, numbers in self._by_process(payloads):
            if not process.delivered.issuperset(numbers) or process.told.intersection(numbers):
                self.wrong.append(f"on_success was told of {numbers}")
            process.told.update(numbers)
        self._run_reaction()

    def on_failure(self, sent: int, payloads: list[dict[str, Any]]) -> None:
        # What on_success has sent meanwhile may be delivered by now.
        known = sum(len(numbers) for _, numbers in self._by_process(payloads))
        if known != len(payloads) or sent + known == 0:
            self.wrong.append(f"on_failure was told of {payloads}")
        self._run_reaction()

    def on_drop(self, reason: str, payloads: list[dict[str, Any]]) -> None:
        if not payloads:
            self.wrong.append(f"on_drop was told of nothing dropped as {reason}")
        for process, numbers in self._by_process(payloads):
            self.wrong += process.gone(reason, numbers, self.now, self.options["max_age"])
        self._run_reaction()

    def _by_process(self, payloads: list[dict[str, Any]]) -> list[tuple[Process, list[int]]]:
        numbers = [int(payload["n"]) for payload in payloads]
        pairs = [
            (p, [n for n in numbers if n in p.events and n not in p.left]) for p in self.processes
        ]
        return [(process, mine) for process, mine in pairs if mine]

    def _run_reaction(self) -> None:
        if self.process.outbox.is_entered:
            self.wrong.append("a callback runs under the lock")
        if self.reactions:
            self.react(self.reactions.popleft())

    def react(self, act: Act) -> None:
        """Does what somebody does meanwhile; those who wait are excused for the time it takes."""
        began = self.now
        try:
            self.do(act)
        finally:
            if self._excused:
                self._excused[-1] += self.now - began

    # What anybody does.

    def do(self, act: Act) -> None:
        """Does it."""
        what, argument = act
        if what == "raise":
            raise ZeroDivisionError(argument)
        if what == "exit":
            raise SystemExit(argument)
        actions: dict[str, Callable[[Any], object]] = {
            "put": lambda size_and_severity: self.put(*size_and_severity),
            "flush": self.flush,
            "close": self.close,
            "refuse": self.refuse,
            "fork": lambda _: self.fork(),
            "work": self.work,
            "finish": self.finish_first,
            "write": lambda _: self.write(),
        }
        actions[what](argument)

    def put(self, size: int, severity: int) -> None:
        number = next(self._numbers)
        body = body_with(number, size)
        self.events[number] = Event(body, severity, self.now)
        self.process.put(number, self.events[number])
        self.emitter.enqueue(finished(body, CREATED_MS, severity))

    def refuse(self, reason: str) -> None:
        self.process.refused[reason] += 1
        self.emitter.refuse(reason)

    def flush(self, seconds: float | None) -> None:
        process = self.process
        before = set(process.pending)
        with self.within(self.emitter.shutdown_timeout if seconds is None else seconds):
            flushed = self.emitter.flush(seconds)
        places = [*process.queued(), *process.in_flight(), *process.on_disk_alone()]
        left = before.intersection(places)
        if flushed and left and process is self.process:
            self.wrong.append(f"flush said True, but {left} are pending")

    def close(self, seconds: float | None) -> None:
        process = self.process
        process.was_closed = True
        before = set(process.pending)
        # Then whoever delivers, or is in the midst of a change, goes on after it.
        inside = is_delivering() or process.outbox.is_entered
        allowed = self.emitter.shutdown_timeout if seconds is None else seconds
        with self.within(allowed + (0 if process.spooler is None else KEEP_PATIENCE)):
            self.emitter.close(seconds)
        left = before.intersection(process.queued())
        if left and not inside and process is self.process:
            self.wrong.append(f"close has left {left} in the queue")

    def fork(self) -> None:
        """Makes the emitter the child's; what the parent has in flight, it goes on with."""
        if self._simultaneous:
            return  # in a child there is no thread that waits for this one
        parked = self.emitter._outbox._parked
        for index, call in enumerate(parked):
            parked[index] = call._replace(process=0)  # another one's, as it would be
        self.emitter.after_fork_in_child()
        emitter = self.emitter
        self.process = Process(emitter._outbox, emitter._sender, emitter._spooler)
        self.processes.append(self.process)

    # Workers.

    def take(self) -> None:
        """Lets a worker take a batch, if one is due now or once it has waited to fill.

        Without a pool it is who puts that sends, so there is nobody to take one and wait.
        """
        if not isinstance(self.emitter, WorkedEmitter):
            return
        process, hand = self.process, CREW.hire()
        taken: list[Batch | None] = []
        hand.do(lambda: taken.append(process.outbox.take_due()))
        if taken[0] is None and not self._simultaneous:
            self.now += self.options["flush_interval"]
            hand.do(lambda: taken.append(process.outbox.take_due()))
        batch = taken[-1]
        if batch is None:
            CREW.release(hand)
            return
        oldest = self.now - self.options["max_age"]
        if any(queued_at_of(p) < oldest for p in batch.payloads):
            self.wrong.append("a batch holds events that are too old")
        process.batches.append((batch, hand))

    @property
    def has_batches(self) -> bool:
        """Whether any worker has a batch in hand."""
        return any(process.batches for process in self.processes)

    def finish(self, index: int) -> None:
        """Lets a worker send one of the batches that are in flight, in whichever process."""
        held = [(process, each) for process in self.processes for each in process.batches]
        if held:
            process, (batch, hand) = held[index % len(held)]
            process.batches.remove((batch, hand))
            hand.do(lambda: self._deliver(process, batch))
            CREW.release(hand)

    def _deliver(self, process: Process, batch: Batch) -> None:
        ready = batch if process.spooler is None else process.spooler.ready(batch)
        if ready is not None:
            process.sender.send(ready, Transport(self, process))
        if process.spooler is not None and process.was_closed:
            process.spooler.let_go()

    def finish_first(self, said: Said) -> None:
        if self.has_batches:
            self.says.appendleft(said)
            self.finish(0)

    def work(self, said: Said) -> None:
        self.take()
        self.finish_first(said)

    # The disk.

    def _with(self, disk: FakeDisk) -> Process:
        known = [*self.processes, *self.crashed]  # the exit closes those, too
        return next(each for each in known if each.spooler and each.disk is disk)

    def on_lost(self, disk: FakeDisk) -> None:
        self._with(disk).lose()

    def on_adopted(self, disk: FakeDisk, payloads: Iterable[Payload]) -> None:
        numbers = [number_of(body_of(payload)) for payload in payloads]
        self._with(disk).adopt({number: self.events[number] for number in numbers})

    def on_left(self, disk: FakeDisk, payloads: Iterable[Payload]) -> None:
        process = self._with(disk)
        numbers = {number_of(body_of(payload)) for payload in payloads}
        process.left |= numbers & process.pending  # others are delivered, but not deleted

    @property
    def disk_does(self) -> Doing:
        """What the file does to whoever uses it next."""
        return self.file.does

    @disk_does.setter
    def disk_does(self, does: Doing) -> None:
        self.file.does = does

    def on_done(self) -> None:
        """Lets others act before who is at the disk can say what it has done."""
        if self.at_disk:
            self._in_another_thread(self.at_disk.popleft())

    def take_to_write(self) -> None:
        """Lets who writes take a batch, if one is due now."""
        outbox = self.process.outbox
        if isinstance(outbox, SpooledOutbox):
            hand = CREW.hire()
            taken: list[Batch | None] = []
            hand.do(lambda: taken.append(outbox.take_to_write(Stop(), self.now)))
            if taken[0] is None:
                CREW.release(hand)
            else:
                self.process.batches.append((taken[0], hand))

    def write(self) -> None:
        """Lets who writes do so."""
        self.take_to_write()
        if self.process.batches and self.process.batches[-1][0].task == "write":
            process, (batch, hand) = self.process, self.process.batches.pop()
            hand.do(lambda: self._deliver(process, batch))
            CREW.release(hand)

    def make_a_round(self) -> None:
        """Lets who writes take over what others have left, and clear up."""
        process = self.process
        if process.spooler is not None:
            hand = CREW.hire()
            hand.do(process.spooler._make_a_round)
            CREW.release(hand)

    def crash(self) -> None:
        """Ends a process at once; another one begins."""
        for _, hand in self.process.batches:
            CREW.release(hand)
        self.processes.remove(self.process)
        self.crashed.append(self.process)
        if self.process.spooler is not None:
            self.file.abandon(self.process.disk)
        self.emitter, self.process = self._start()
        self.processes.append(self.process)

    # The end.

    def problems(self) -> list[str]:
        """Returns everything that is not as it should be."""
        size, size_bytes = self.options["queue_size"], self.options["queue_bytes"]
        accounts = [line for p in self.processes for line in p.problems(size, size_bytes)]
        return self.wrong + accounts

    def end(self) -> None:
        """Closes all, so that nothing may be pending; and opens it again, to deliver."""
        self.reactions.clear()
        self.meanwhile.clear()
        self.inner.clear()
        self.at_disk.clear()
        self.finaliser = None
        self.close(0)
        while self.has_batches:
            self.finish(0)
        self.says.clear()
        self.usual, self.has_transport, self.disk_does = UP, True, "works"
        for process in self.processes[:-1]:
            if process.spooler is not None:
                self.file.abandon(process.disk)
        self.crashed += self.processes[:-1]
        self.processes = self.processes[-1:]
        if isinstance(self.emitter, WorkedEmitter):
            self.emitter.works = False
        self.put(40, 10)
        flushed = self.emitter.flush(LONGEST_REST)
        while any(self.file.segments.values()) and flushed:
            self.make_a_round()
            flushed = self.emitter.flush(LONGEST_REST)
        untold = {number_of(body_of(payload)) for payload in self.process.outbox._dropped}
        pending = self.process.pending - self.process.left - untold
        if not flushed or pending:
            self.wrong.append(f"{pending} are pending, although the collector is up")
        self.close(0)


class Transport:
    """One worker's way to the collector, in one process."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._closed = False

    def send(self, batch: Sequence[Payload], timeout: float) -> Answer:
        if self._closed:
            self._world.wrong.append("a closed transport is used")
        if self._world.inner:
            self._world.react(self._world.inner.popleft())
        return self._world.answer(self._process, batch, timeout)

    def close(self) -> None:
        # A finaliser may close the emitter in the midst of a request, which then goes on.
        self._closed = not is_delivering()
