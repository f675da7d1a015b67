"""The benchmark works: every subject delivers all it takes, and figures come of it.

How fast anything is is not a matter of tests.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.bench.command import main
from tests.bench.document import write
from tests.bench.figures import Arrived, Figures, Run
from tests.bench.goals import GOALS
from tests.bench.measure import release
from tests.bench.plan import SECTIONS, Job, Plan
from tests.bench.profiling import profile
from tests.bench.results import Results
from tests.bench.run import CONDITIONS, LostError, check, count, receiving, run
from tests.bench.subjects import COMPARED, SUBJECTS
from tests.bench.tables import Table, goals, number, tables
from tests.faults.document import markers

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc"
)
EVENTS = 300
FEW = 100
RUN = Run(
    Figures(4e-6, 1.0, 0.5, 0.1, 0.6, 1.6, 2.0, 3.0, 100_000, 2**23, 700.0, [1.0] * 10),
    Arrived(events=1000, copies=0, requests=2, bytes=500_000, busy=0.001),
    1000,
)


@pytest.mark.parametrize("name", [*COMPARED, "ours-json-exception-redact-4", "ours-workers-2"])
def test_subjects(name: str) -> None:
    """Each delivers every event, once, and all figures are numbers."""
    done = run(name, "healthy", EVENTS, bare_calls=FEW)
    figures = done.figures
    numbers = [each for each in vars(figures).values() if isinstance(each, (int, float))]
    assert all(map(math.isfinite, [*numbers, *figures.tenths]))
    assert figures.unit > 0
    assert 0 < figures.p50 <= figures.p99 <= figures.p999
    assert figures.rate > 0
    assert len(figures.tenths) == 10
    expected = EVENTS if SUBJECTS[name].ships else 0
    assert (done.arrived.events, done.arrived.copies) == (expected, 0)
    assert bool(done.arrived.requests) == bool(done.arrived.bytes) == SUBJECTS[name].ships


@pytest.mark.parametrize("condition", ["steady", "delay", "hang"])
@pytest.mark.parametrize("name", ["tracker", "otel", "ours"])
def test_conditions(name: str, condition: str) -> None:
    """A collector that is far away, or hangs until all is logged, gets everything, too."""
    done = run(name, condition, FEW, bare_calls=FEW)
    assert done.arrived.events == FEW
    slowest = FEW / CONDITIONS[condition].delay if CONDITIONS[condition].delay else math.inf
    assert done.figures.rate < slowest


def test_hanging_receiver() -> None:
    """The receiver that hangs answers once it is released, and counts what came before."""
    with receiving(CONDITIONS["hang"]) as endpoint:
        with pytest.raises(TimeoutError), urlopen(Request(endpoint, b"1"), timeout=0.2):
            pass
        release(endpoint)
        with urlopen(Request(endpoint, b"2"), timeout=20) as answer:
            assert answer.status == 200
        assert count(endpoint).requests == 2


def test_count() -> None:
    """Events are told apart by their numbers: neither losses nor copies go unnoticed."""
    with receiving(CONDITIONS["healthy"]) as endpoint:
        for text in (b"order_number 1 of u", b"order_number 2 of u", b"order_number 1 of u"):
            with urlopen(Request(endpoint, text)) as answer:
                assert answer.read() == b"ok"
        arrived = count(endpoint)
    assert (arrived.events, arrived.copies, arrived.requests) == (2, 1, 3)
    check("ours", "healthy", arrived, 2)
    with pytest.raises(LostError, match="2 of 3 events arrived"):
        check("ours", "healthy", arrived, 3)


def test_a_failing_process() -> None:
    """A process that fails is a run that does not count, and says why."""
    with pytest.raises(LostError, match=r"(?s)ended with 1: .*KeyError"):
        _ = run("no-such-subject", "healthy", FEW)


def test_profile() -> None:
    """A profile names the thread that logs, and functions in it."""
    found = profile(Job("ours", "healthy", 10_000))
    assert found.threads["caller"] > 0
    assert any("info (logging" in function for function in found.total)
    assert [len(table.rows) for table in found.tables(2)] == [3, 2, 2]


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It measures what is named, shows it, and says what it does not know."""
    assert main(["null", "healthy", "--quick", "--rounds", "1"]) == 0
    assert "\n null " in capsys.readouterr().out
    assert main(["--list"]) == 0
    assert set(SUBJECTS) <= set(capsys.readouterr().out.split())
    for wrong in (["no-such"], ["--write", "ours"], ["--rounds", "0"], ["ours-4", "healthy"]):
        with pytest.raises(SystemExit, match="2"):
            _ = main(wrong)


@pytest.fixture
def everything() -> Results:
    """One run of each job, all with the same figures."""
    found = Results(Plan())
    for job in found.plan.jobs(SECTIONS, []):
        found.add(job, RUN)
    return found


def test_tables(everything: Results) -> None:
    """Every job shows in a table, and every goal is compared."""
    made = tables(everything)
    assert [len(table.rows) for table in made] == [11, 11, 11, 11, 12, 4, 4, len(GOALS)]
    assert all(len(row) == len(table.headings) for table in made for row in table.rows)


def test_medians() -> None:
    """Rounds count by their median, so that one bad round does not."""
    found = Results(Plan())
    job = found.plan.compared("ours", "healthy")
    for added in (0.9, 55.0, 0.8):
        found.add(job, replace(RUN, figures=replace(RUN.figures, added=added)))
    assert found.median(job, lambda run: run.figures.added) == 0.9
    assert [row[0] for row in goals(found).rows] == ["added, schema record, orjson (units)"]


def test_goals(everything: Results) -> None:
    """What is the same for all meets the bounds of what is absolute, and no ratio over one."""
    verdicts = {
        goal.text: goal.is_met(measured)
        for goal in GOALS
        if (measured := goal.measure(everything)) is not None
    }
    assert len(verdicts) == len(GOALS)
    assert verdicts["added, schema record, orjson (units)"]
    assert verdicts["memory an event takes less 200 B, times B sent"]
    assert not verdicts["added by snowplow-tracker, times ours"]
    assert not verdicts["in the caller, times QueueHandler's"]


def test_document(everything: Results, tmp_path: Path) -> None:
    """The figures go between their markers, with what they were measured with, and a plot."""
    begin, end = markers("figures", "python -m tests.bench --write")
    path = tmp_path / "benchmarks.md"
    _ = path.write_text(f"before\n{begin}old\n{end}\nafter\n", encoding="utf-8")
    everything.lost.append("tracker, collector healthy: 3 of 4 events arrived")
    write(everything, [Table("More", ["", "units"], [["something", "1.00"]])], path)
    written = path.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "snowplow-tracker 1.1.0" in written
    assert "3 of 4 events arrived" in written
    assert "### More" in written
    assert "| ours, orjson, schema | 1.00 | 0.50 |" in written
    assert "snowplow-tracker, batches of 10" in (tmp_path / "benchmarks.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "0.12"), (-9.876, "-9.88"), (12.34, "12.3"), (1234.5, "1234")]
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text
