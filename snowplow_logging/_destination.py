"""Where events go, and what takes them there: HTTP, or Redis where the endpoint says so."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from snowplow_logging import _endpoint, _redis_url
from snowplow_logging._options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snowplow_logging._endpoint import Endpoint
    from snowplow_logging._redis_url import RedisAddress
    from snowplow_logging._transport import Transport

OF_HTTP = ("protocol", "port", "method", "path", "session", "custom_retry_codes")
"""Options that say something of HTTP alone."""

# Importing requests takes longer than all of this package, so importing the package leaves it (and
# redis-py to those who have it); but a worker must not import it, or a fork meanwhile breaks the
# child. So it is imported here, when an emitter is made.


def choose(
    endpoint: str, options: Mapping[str, Any]
) -> tuple[Endpoint | RedisAddress, Callable[[], Transport]]:
    """Returns the address that ``endpoint`` says, and what makes a transport to there.

    Raises:
        ValueError: It is no address, or contradicts an option, or redis-py is not installed.
    """
    return _redis(endpoint, options) if _redis_url.is_redis(endpoint) else _http(endpoint, options)


def _http(endpoint: str, options: Mapping[str, Any]) -> tuple[Endpoint, Callable[[], Transport]]:
    from snowplow_logging._http import HttpTransport  # noqa: PLC0415 - as said above

    method, make_session = options["method"], options["session"]
    address = _endpoint.parse(
        endpoint, options["protocol"], options["port"], method, options["path"]
    )

    def make() -> Transport:
        session = make_session() if make_session is not None else None
        return HttpTransport(address.url, method=method, auth=address.auth, session=session)

    return address, make


def _redis(
    endpoint: str, options: Mapping[str, Any]
) -> tuple[RedisAddress, Callable[[], Transport]]:
    address = _redis_url.parse(endpoint)
    for name in OF_HTTP:
        if options[name] != OPTIONS[name].default:
            msg = f"{name} is for collectors: with {_redis_url.EXAMPLE} as endpoint, leave it out"
            raise ValueError(msg)
    try:
        from snowplow_logging._redis import RedisTransport  # noqa: PLC0415 - as said above
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        msg = "an endpoint of Redis needs redis-py: pip install 'snowplow-logging[redis]'"
        raise ValueError(msg) from None
    return address, partial(RedisTransport, address)
