"""Each fault of the table: nothing is lost without account, nothing blocks, exits end in time."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.command import main
from tests.faults.document import markers, replaced
from tests.faults.registry import FAULTS
from tests.faults.row import Expected, Measured, Row, markdown, text

MEASURED = Measured(50, 50, 0, {}, 0.001, 0.1)


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    """What happens is what the row promises."""
    fault = FAULTS[name]
    if fault.needs is not None and shutil.which(fault.needs) is None:
        pytest.skip(f"{fault.needs} is not installed")
    assert fault.row().problems() == []


@pytest.mark.parametrize(
    ("measured", "expected", "problem"),
    [
        (Measured(0, 0, 0, {}, 0, 0), Expected(), "nothing was logged"),
        (Measured(50, 49, 0, {}, 0, 0), Expected(), "1 events lost"),
        (Measured(50, 51, 0, {}, 0, 0), Expected(), "-1 events lost"),
        (Measured(50, 49, 0, {"rejected": 1}, 0, 0), Expected(), "dropped"),
        (Measured(50, 50, 0, {}, 0, 0), Expected(dropped=("shutdown",)), "dropped"),
        (Measured(50, 50, 1, {}, 0, 0), Expected(), "1 duplicates"),
        (Measured(50, 50, 0, {}, 1.5, 0), Expected(), "a logging call took 1.5 s"),
        (Measured(50, 50, 0, {}, 0, 11), Expected(), "the exit took 11.0 s"),
        (Measured(50, 50, 0, {}, 0, 0, ["else"]), Expected(), "else"),
    ],
)
def test_problems_of_a_row(measured: Measured, expected: Expected, problem: str) -> None:
    """A row that is not as expected says so."""
    (found,) = Row("fault", measured, expected).problems()
    assert problem in found


def test_row_without_problems() -> None:
    """Duplicates are none of ours where answers were lost."""
    assert Row("fault", MEASURED, Expected()).problems() == []
    twice = Measured(50, 50, 50, {}, 0.001, 0.1)
    assert Row("fault", twice, Expected(answers_lost=True)).problems() == []


def test_table() -> None:
    """The table has a line for each row, for documents and for terminals."""
    rows = [Row("fault", MEASURED, Expected()), Row("other", MEASURED, Expected())]
    assert markdown(rows).splitlines()[-1] == "| other | 50 | 50 | 0 | none | 0 | 1.0 | 0.10 |"
    assert [len(table.splitlines()) for table in (markdown(rows), text(rows))] == [4, 3]


def test_names(capsys: pytest.CaptureFixture[str]) -> None:
    """The command lists the faults, refuses others, and writes the document of all alone."""
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [*FAULTS]
    for wrong in (["unheard-of"], ["hang", "--write"]):
        with pytest.raises(SystemExit):
            main(wrong)
    assert "unheard-of; see --list" in capsys.readouterr().err


def test_document() -> None:
    """A part of the document is replaced, and nothing else."""
    begin, end = markers("faults")
    document = f"before\n{begin}old\n{end}\nafter {begin}"
    once = replaced(document, "faults", "new")
    assert once.startswith(f"before\n{begin}\nnew\n\n")
    assert once.endswith(f"{end}\nafter {begin}")
    assert replaced(once, "faults", "new") == once
