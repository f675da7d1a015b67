"""Processes that tests start."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from types import TracebackType


class Program(subprocess.Popen[AnyStr]):
    """A process that is waited for in the end; but killed, where a test has failed meanwhile."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
