"""Keeps what is logged with a schema, in the processes of a command that ``infer`` runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from snowplow_logging._guard import delivering, is_delivering
from snowplow_logging.record import RecordMapper

if TYPE_CHECKING:
    import logging

OUTPUT = "SNOWPLOW_LOGGING_INFER_OUTPUT"
"""Names the file in the environment, so that processes of processes write there, too."""

# Plain records and exceptions have schemas already.
_mapper = RecordMapper(schema=None, exceptions="log_record")


def keep(record: logging.LogRecord) -> None:
    """Appends the event and the entities of ``record`` to the output, if it names a schema.

    Raises:
        TypeError, ValueError: It cannot be mapped.
        OSError: The output is gone.
    """
    path = os.environ.get(OUTPUT)
    if path is None or is_delivering():
        return
    with delivering():  # what the mapping itself logs is no event
        event = _mapper.event(record)
    if event is None:
        return
    schema, data, entities = event
    described = b'{"schema":"%s","data":%s}' % (schema.encode(), data)
    lines = b"".join(line + b"\n" for line in (described, *entities))
    # One write in append mode: the lines of other threads and processes do not mix with it.
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        _ = os.write(file, lines)
    finally:
        os.close(file)
