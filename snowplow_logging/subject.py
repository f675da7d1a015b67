"""Subject: who or what an event is about, as the fields that every event carries."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from snowplow_logging._json import elements
from snowplow_logging._text import is_a, shown
from snowplow_logging.payload import PLATFORMS, fields

if TYPE_CHECKING:
    from collections.abc import Mapping


MAX_INT = 2**31 - 1


class Subject:
    """The platform, user, session and device of the events that follow.

    Each setter returns the subject itself, so that calls can be chained; a tracker sees a
    change from its next event on. Over-long texts are cut to what the pipeline takes.
    """

    def __init__(self) -> None:
        self._fields: dict[str, str] = {"p": "srv"}
        self.rendered = fields(self._fields)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Subject:
        """Builds a subject from setters' names without ``set_``, as a configuration says it.

        Example: ``{"user_id": "u-1", "lang": "de", "viewport": [800, 600]}``.

        Raises:
            ValueError: A name is unknown or a value is wrong.
        """
        subject = cls()
        for name in values:
            setter = getattr(subject, f"set_{name}", None)
            if setter is None:
                known = sorted(m[4:] for m in dir(cls) if m.startswith("set_"))
                msg = f"subject takes {', '.join(known)}; not {name!r}"
                raise ValueError(msg)
            value = values[name]
            arguments = elements(value) if is_a(value, (list, tuple)) else [value]
            try:
                _ = setter(*arguments)
            except (TypeError, AttributeError, OverflowError) as error:
                msg = f"subject's {name} takes no {shown(value)}"
                raise ValueError(msg) from error
        return subject

    def _set(self, key: str, value: object) -> Subject:
        if value is None:
            msg = "a subject's field takes a value, not None"
            raise TypeError(msg)
        # One assignment of a finished dict: a thread that tracks meanwhile sees old or new.
        self._fields = {**self._fields, key: str(value)}
        self.rendered = fields(self._fields)
        return self

    def set_platform(self, value: str) -> Subject:
        """Sets ``p``, one of ``srv web iot app mob pc cnsl tv headset``."""
        if value not in PLATFORMS:
            msg = f"platform takes one of {', '.join(PLATFORMS)}; not {value!r}"
            raise ValueError(msg)
        return self._set("p", value)

    def set_user_id(self, value: str) -> Subject:
        """Sets ``uid``, the application's own id of the user (255 UTF-16 units)."""
        return self._set("uid", value)

    def set_domain_user_id(self, value: str) -> Subject:
        """Sets ``duid``, the id from a first-party cookie (128 UTF-16 units)."""
        return self._set("duid", value)

    def set_network_user_id(self, value: str) -> Subject:
        """Sets ``tnuid``, which replaces the collector's cookie (128 UTF-16 units)."""
        return self._set("tnuid", value)

    def set_session_id(self, value: str) -> Subject:
        """Sets ``sid``, which must be a UUID: the pipeline refuses any other text."""
        return self._set("sid", uuid.UUID(str(value)))

    def set_session_index(self, value: int) -> Subject:
        """Sets ``vid``, the number of the session."""
        return self._set("vid", _integer("session_index", value))

    def set_ip_address(self, value: str) -> Subject:
        """Sets ``ip`` (128 UTF-16 units); without it the collector takes the sender's."""
        return self._set("ip", value)

    def set_useragent(self, value: str) -> Subject:
        """Sets ``ua`` (1 000 UTF-16 units)."""
        return self._set("ua", value)

    def set_timezone(self, value: str) -> Subject:
        """Sets ``tz``, such as ``Europe/Berlin`` (255 UTF-16 units)."""
        return self._set("tz", value)

    def set_lang(self, value: str) -> Subject:
        """Sets ``lang``, such as ``de`` (255 UTF-16 units)."""
        return self._set("lang", value)

    def set_page_url(self, value: str) -> Subject:
        """Sets ``url``, the page that the event is about (4 096 UTF-16 units)."""
        return self._set("url", value)

    def set_screen_resolution(self, width: int, height: int) -> Subject:
        """Sets ``res``, in pixels."""
        return self._set("res", _size("screen_resolution", width, height))

    def set_viewport(self, width: int, height: int) -> Subject:
        """Sets ``vp``, in pixels."""
        return self._set("vp", _size("viewport", width, height))

    def set_color_depth(self, value: int) -> Subject:
        """Sets ``cd``, in bits."""
        return self._set("cd", _integer("color_depth", value))

    def __repr__(self) -> str:
        return f"<Subject {' '.join(sorted(self._fields))}>"


def _integer(name: str, value: int) -> int:
    """Returns a number as the pipeline takes it, which is one of 32 bits."""
    if not 0 <= int(value) <= MAX_INT:
        msg = f"{name} takes a whole number from 0 to {MAX_INT}, not {shown(value)}"
        raise ValueError(msg)
    return int(value)


def _size(name: str, width: int, height: int) -> str:
    if not (0 < int(width) <= MAX_INT and 0 < int(height) <= MAX_INT):
        msg = (
            f"{name} takes a width and a height from 1 to {MAX_INT}, "
            f"not {shown(width)} and {shown(height)}"
        )
        raise ValueError(msg)
    return f"{int(width)}x{int(height)}"
