"""Hurts of processes that fork: silent children, doubles, inherited locks and connections."""

from __future__ import annotations

import importlib.util
import os
import shutil
import ssl
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.delivery.support import LOG, messages, run

if TYPE_CHECKING:
    from pathlib import Path

    from snowplow_logging.testing import FaultyCollector
    from tests.delivery.conftest import MakeCollector

FORK = """
def child_of(action):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        action()
        status = 0 if handler.flush(10) else 7
        handler.close()
    finally:
        os._exit(status)

def wait(pids):
    for pid in pids:
        deadline = time.monotonic() + 12
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                sys.exit("a child stands still")
            time.sleep(0.01)
        if ended[1]:
            sys.exit(f"a child ended with {ended[1]}")
"""

# A thread named "inside" stops where the script says, until the main thread has forked.
INSIDE = """
import os, sys, threading, time
from snowplow_logging._clock import Clock
inside, forked = threading.Event(), threading.Event()
os.register_at_fork(after_in_parent=forked.set)
def stop():
    if threading.current_thread().name == "inside":
        inside.set()
        forked.wait(20)
"""
IN_THE_QUEUE = """
def monotonic():
    stop()  # the queue asks for the time while it holds its lock
    return time.monotonic()
options = {"clock": Clock(monotonic=monotonic)}
"""
IN_THE_START_OF_WORKERS = """
def profile(frame, event, function):
    if event == "c_call" and function.__name__ in ("start_new_thread", "start_joinable_thread"):
        stop()
threading.setprofile(profile)
options = {}
"""
PLACES = [
    pytest.param(IN_THE_QUEUE, id="in the queue"),
    pytest.param(IN_THE_START_OF_WORKERS, id="in the start of workers"),
]
FORK_MEANWHILE = """
def work():  # its own workers deliver, not the flush that follows
    logger.info("child")
    deadline = time.monotonic() + 10
    while handler.stats().pending and time.monotonic() < deadline:
        time.sleep(0.01)
    assert handler.stats().requests == 1
thread = threading.Thread(target=logger.info, args=("parent",))
thread.name = "inside"
thread.start()
assert inside.wait(20)
wait([child_of(work)])
thread.join()
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_03_child_after_fork_is_silent_or_repeats(collector: FaultyCollector) -> None:
    """Children sent nothing, or their parent's events again (analytics-python#171, posthog#290).

    A child delivers its own records, and the parent alone those queued before the fork.
    """
    script = LOG + FORK + """
for n in range(20): logger.info("parent %d", n)
def log(c): return lambda: [logger.info("child %d", c * 10 + n) for n in range(10)]
pids = [child_of(log(c)) for c in range(4)]
logger.info("parent 20")
wait(pids)
"""  # fmt: skip
    ended = run(script, collector.url, "{'flush_interval': 30}")
    assert (ended.returncode, ended.stderr) == (0, "")
    expected = [f"parent {n}" for n in range(21)] + [f"child {n}" for n in range(40)]
    assert Counter(messages(collector)) == Counter(expected)
    assert len(set(collector.event_ids())) == 61


def test_03_child_forked_while_threads_log(collector: FaultyCollector) -> None:
    """Children forked in the midst of logging and delivering work, and nothing comes twice."""
    script = LOG + FORK + """
stop = threading.Event()
counts = [0, 0, 0]
def produce(t):
    while not stop.is_set() and counts[t] < 3000:
        logger.info("parent %d/%d", t, counts[t])
        counts[t] += 1
        time.sleep(0.0005)
threads = [threading.Thread(target=produce, args=(t,)) for t in range(3)]
for thread in threads: thread.start()
pids = []
for c in range(12):
    pids.append(child_of(lambda: logger.info("child %d", c)))
    time.sleep(0.01)
wait(pids)
stop.set()
for thread in threads: thread.join()
handler.flush(10)
print(sum(counts))
"""  # fmt: skip
    ended = run(script, collector.url, "{'batch_size': 5, 'flush_interval': 0.01}")
    assert (ended.returncode, ended.stderr) == (0, "")
    arrived = Counter(messages(collector))
    assert set(arrived.values()) == {1}
    assert {text for text in arrived if "child" in text} == {f"child {n}" for n in range(12)}
    assert len(arrived) == int(ended.stdout) + 12


def test_03_child_that_ends_by_itself(collector: FaultyCollector) -> None:
    """A child that leaves the script normally drains, as its parent does."""
    script = LOG + """
logger.info("before")
pid = os.fork()
logger.info("child" if pid == 0 else "parent")
if pid: os.waitpid(pid, 0)
"""  # fmt: skip
    ended = run(script, collector.url, "{'flush_interval': 30}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Counter(messages(collector)) == Counter(["before", "child", "parent"])


def test_03_grandchild_and_emitters_of_the_caller(collector: FaultyCollector) -> None:
    """Forks of forks and Emitters in the caller's thread keep to what is their own."""
    script = LOG + """
tracker = Tracker("x", Emitter(sys.argv[1], batch_size=50))
def track(name):
    tracker.track_unstruct_event(SelfDescribingJson("iglu:a/b/jsonschema/1-0-0", {"message": name}))
track("parent")
for name in ("child", "grandchild"):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        break
    track(name)
"""  # fmt: skip
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Counter(messages(collector)) == Counter(["parent", "child", "grandchild"])


def test_03_pool_of_multiprocessing(collector: FaultyCollector) -> None:
    """Workers of a multiprocessing pool deliver what they log when they flush."""
    script = LOG + """
import multiprocessing
def work(n):
    logger.info("task %d", n)
    return handler.flush(10)
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(all(pool.map(work, range(12))))
"""  # fmt: skip
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "True")
    assert Counter(messages(collector)) == Counter(f"task {n}" for n in range(12))


@pytest.mark.parametrize("place", PLACES)
def test_04_lock_inherited_locked(collector: FaultyCollector, place: str) -> None:
    """A thread that was inside at the fork left its lock locked in the child (sentry-python#6148).

    The child of such a moment logs and flushes as any other; the thread that was inside goes on.
    """
    ended = run(INSIDE + place + LOG + FORK + FORK_MEANWHILE, collector.url, "options")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(messages(collector)) == ["child", "parent"]


LOGGING_HOOKS = """
import logging, os, sys
hooked = logging.getLogger("shop")
"""
IN_THE_PARENT = """
os.register_at_fork(
    before=lambda: hooked.info("before the fork"),
    after_in_parent=lambda: hooked.info("in the parent"),
)
"""
IN_THE_CHILD = """
os.register_at_fork(after_in_child=lambda: hooked.info("in the child"))
"""
HOOKS = LOGGING_HOOKS + IN_THE_PARENT + IN_THE_CHILD


@pytest.mark.parametrize("first", ["the application", "the package"])
def test_21_logging_inside_the_fork_hook(collector: FaultyCollector, first: str) -> None:
    """Hooks that log at the fork met locks that other hooks held, and stood still.

    Whether the application's hooks run before ours or after, what they log arrives, once.
    """
    script = (HOOKS + LOG if first == "the application" else LOG + HOOKS) + FORK
    script += "logger.info('first')\nwait([child_of(lambda: logger.info('child'))])\n"
    ended = run(script, collector.url, "{'flush_interval': 30}")
    assert (ended.returncode, ended.stderr) == (0, "")
    arrived = Counter(messages(collector))
    assert arrived == Counter(
        ["first", "before the fork", "in the parent", "in the child", "child"]
    )


@pytest.mark.parametrize("place", PLACES)
def test_21_logging_inside_the_fork_hook_after_another_thread(
    collector: FaultyCollector, place: str
) -> None:
    """A hook that logs in the child before ours has run meets no lock of a thread that is gone."""
    hooks = LOGGING_HOOKS + IN_THE_CHILD
    script = hooks + INSIDE + place + LOG + FORK + FORK_MEANWHILE
    ended = run(script, collector.url, "options")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(messages(collector)) == ["child", "in the child", "parent"]


# The finder makes an import slow, in the parent's worker alone, until the script has forked.
SLOW_IMPORT = """
import sys, threading, time
importing, forked = threading.Event(), threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == slow and threading.current_thread() is not threading.main_thread():
            importing.set()
            forked.wait(20)
imports = []
def note(event, arguments):
    if event == "import" and threading.current_thread().name.startswith("snowplow"):
        imports.append(arguments[0])
"""
FORK_WHILE_IMPORTING = """
sys.meta_path.insert(0, Slow())
sys.addaudithook(note)
logger.info("parent")
deadline = time.monotonic() + 20
while not importing.is_set() and not handler.stats().delivered:
    assert time.monotonic() < deadline
    time.sleep(0.01)
pid = child_of(lambda: logger.info("child"))
wait([pid])
forked.set()
assert handler.flush(10)
print(imports)
"""


def fork_while_importing(module: str, url: str, session: str) -> subprocess.CompletedProcess[str]:
    """Runs a script that forks while its worker is in the import of ``module``, if it ever is."""
    script = f"slow = {module!r}" + SLOW_IMPORT + LOG + FORK + FORK_WHILE_IMPORTING
    return run(script, url, f"{{'flush_interval': 0.01, 'session': {session}}}", seconds=60)


SESSIONS = pytest.mark.parametrize(
    "session", ["None", "__import__('requests').Session()"], ids=["ours", "theirs"]
)


@SESSIONS
def test_27_netrc_imported_at_each_call(collector: FaultyCollector, session: str) -> None:
    """A child forked while requests imported ``netrc`` waited for that import's lock for ever.

    No worker imports anything, so no child can inherit such a lock.
    """
    ended = fork_while_importing("netrc", collector.url, session)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "[]")
    assert sorted(messages(collector)) == ["child", "parent"]


@SESSIONS
def test_32_idna_imported_at_the_first_look_up(collector: FaultyCollector, session: str) -> None:
    """A child forked during the import of ``encodings.idna`` never could look a host up again.

    The codec is there before any worker is.
    """
    url = collector.url.replace("127.0.0.1", "localhost")
    ended = fork_while_importing("encodings.idna", url, session)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "[]")
    assert sorted(messages(collector)) == ["child", "parent"]


HOLD_POOLS = """
from snowplow_logging import _sessions
logger.info("parent")
assert handler.flush(10)
sessions = [reference() for reference in _sessions._known.values()]
managers = [session.get_adapter(sys.argv[1]).poolmanager for session in sessions]
queues = [pool.pool for manager in managers for pool in manager.pools._container.values()]
held, forked = threading.Event(), threading.Event()
def hold():
    with ExitStack() as stack:
        for queue in queues:
            stack.enter_context(queue.mutex)
        held.set()
        forked.wait(20)
assert queues
threading.Thread(target=hold).start()
held.wait()
pid = os.fork()
if not pid:
    logger.info("child")
    sys.exit()  # as programs end
wait([pid])
forked.set()
"""


@SESSIONS
def test_04_lock_of_a_connection_pool(collector: FaultyCollector, session: str) -> None:
    """A child forked while a worker was at urllib3's pool waited for its lock at exit, for ever."""
    script = "from contextlib import ExitStack\n" + LOG + FORK + HOLD_POOLS
    ended = run(script, collector.url, f"{{'session': {session}}}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(messages(collector)) == ["child", "parent"]


def encrypt(collector: FaultyCollector, folder: Path) -> Path:
    """Makes ``collector`` speak TLS; returns its certificate."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    named = ["-subj", "/CN=collector", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *named, *files], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = collector._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return certificate


@SESSIONS
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_25_forked_tls_session(
    collector: FaultyCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    session: str,
) -> None:
    """A child that goes on in its parent's TLS session spoils it for both.

    A child makes connections of its own, and its parent keeps its own.
    """
    if scheme == "https":
        if shutil.which("openssl") is None:
            pytest.skip("openssl, which makes the certificate, is not installed")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(encrypt(collector, tmp_path)))
    script = LOG + FORK + """
def log(who):
    logger.info(who)
    assert handler.flush(10)
    assert handler.stats().last_error is None, handler.stats().last_error
log("parent")
wait([child_of(lambda: [log("child"), log("child")]), child_of(lambda: log("second child"))])
log("parent")
"""  # fmt: skip
    url = f"{scheme}://127.0.0.1:{collector.port}"
    ended = run(script, url, f"{{'session': {session}}}")
    assert (ended.returncode, ended.stderr) == (0, "")
    connections: dict[str, set[int]] = {"parent": set(), "child": set(), "second child": set()}
    for message, request in zip(messages(collector), collector.requests, strict=True):
        connections[message].add(request.connection)
    assert [len(ports) for ports in connections.values()] == [1, 1, 1]
    assert len({port for ports in connections.values() for port in ports}) == 3


def test_25_celery_hijacks_root_handlers(collector: FaultyCollector) -> None:
    """Celery empties ``root.handlers`` without a word to them, and their events were lost.

    What was logged before arrives, though nobody holds the handler, and at another logger it lives.
    """
    script = LOG + """
import gc
root = logging.getLogger()
root.setLevel("INFO")
logger.propagate = False
root.addHandler(SnowplowHandler(sys.argv[1], flush_interval=0.05))
logging.getLogger("task").info("before")
logger.info("elsewhere before")
root.handlers = [logging.StreamHandler(sys.stdout)]
logger.info("elsewhere after")
gc.collect()
logging.getLogger("task").info("to the console")
"""  # fmt: skip
    ended = run(script, collector.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(messages(collector)) == ["before", "elsewhere after", "elsewhere before"]


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")
def test_25_gevent(make_collector: MakeCollector) -> None:
    """Queues and locks of threads stood still among greenlets.

    After monkey-patching, greenlets log while the worker, now a greenlet too, waits for answers;
    what they do with urllib3 themselves is logged, and what the worker does with it is not.
    """
    collector, elsewhere = make_collector(503), make_collector()
    script = "from gevent import monkey; monkey.patch_all()\n" + LOG + """
import gevent, requests
root = logging.getLogger()
root.setLevel("DEBUG")
logger.removeHandler(handler)
root.addHandler(handler)
def work(n):
    for each in range(5):
        logger.info("greenlet %d", 5 * n + each)
        gevent.sleep(0.001)
    with requests.Session() as session:
        session.get(sys.argv[3] + f"/stock/{n}")
gevent.joinall([gevent.spawn(work, n) for n in range(10)], raise_error=True)
logger.info("last")
assert handler.flush(10)
"""  # fmt: skip
    options = "{'batch_size': 5, 'flush_interval': 0.01, 'max_retry_delay': 0.05}"
    ended = run(script, collector.url, options, elsewhere.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    arrived = messages(collector)
    ours = [text for text in arrived if not text.startswith(("greenlet", "last"))]
    assert {text for text in arrived if text.startswith("greenlet")} == {
        f"greenlet {n}" for n in range(50)
    }
    assert arrived[-1] == "last"
    assert sum("/stock/" in text for text in ours) == 10
    assert not [text for text in ours if "tp2" in text or str(collector.port) in text]
    assert len(set(collector.event_ids())) == len(arrived)


def test_25_gevent_at_exit(make_collector: MakeCollector) -> None:
    """Python 3.12 refuses new threads at exit, and gevent resolves the first name in one."""
    collector = make_collector()
    script = "from gevent import monkey; monkey.patch_all()\n" + LOG + "logger.info('only')\n"
    ended = run(script, collector.url, "{'flush_interval': 60}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert messages(collector) == ["only"]
