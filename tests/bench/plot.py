"""The figures as a picture, light enough to live beside the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench import results
from tests.bench.subjects import COMPARED, SUBJECTS, WORKERS
from tests.bench.tables import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.bench.figures import Run
    from tests.bench.results import Results

    Bars = list[tuple[str, float]]

OURS, OTHERS = "#2a6fb0", "#9aa5b1"
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9, "axes.titlesize": 10}


def plot(found: Results, path: Path) -> None:
    """Draws the processor time of each subject, its rate, and our rates by workers."""
    ships = [name for name in COMPARED if SUBJECTS[name].ships]
    panels = {
        "Processor time that an event adds, in bare logging calls": _compared(
            found, COMPARED, results.added
        ),
        "Events a second until all are acknowledged": _compared(found, ships, results.rate),
        "Events a second, collector 50 ms away": [
            (f"ours, thread_count={count}", rate)
            for count in WORKERS
            if (rate := found.median(found.plan.workers(count), results.rate)) is not None
        ],
    }
    untyped: Any = mpl
    with untyped.rc_context(STYLE):
        figure: Any = Figure(figsize=(9, 7.5), layout="constrained")
        heights = [max(1, len(bars)) for bars in panels.values()]
        all_axes = figure.subplots(len(panels), 1, height_ratios=heights)
        for axes, (title, bars) in zip(all_axes, panels.items(), strict=True):
            _draw(axes, title, bars)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _compared(found: Results, names: Iterable[str], figure: Callable[[Run], float]) -> Bars:
    medians = {name: found.median(found.plan.compared(name, "healthy"), figure) for name in names}
    return [(SUBJECTS[name].text, value) for name, value in medians.items() if value is not None]


def _draw(axes: Any, title: str, bars: Bars) -> None:
    colours = [OURS if label.startswith("ours") else OTHERS for label, _ in bars]
    values = [value for _, value in bars]
    drawn = axes.barh([label for label, _ in bars], values, color=colours, height=0.7)
    axes.bar_label(
        drawn, [number(value) if value < 1000 else f"{value:,.0f}" for value in values], padding=3
    )
    axes.invert_yaxis()  # as in the table
    axes.set_title(title, loc="left")
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.margins(x=0.12)
