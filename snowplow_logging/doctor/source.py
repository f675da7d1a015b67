"""Where a logging configuration comes from: a file, a Python name, Django's settings.

The law: what a name stands for is imported, as the application would; nothing is configured.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from snowplow_logging.doctor.findings import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

TAKES = (
    "--config takes a .yaml, .yml or .json file, a Python name such as acme.log:LOGGING, or "
    "django: (also django:acme.settings)"
)


API_KEY = "SNOWPLOW_LOGGING_IGLU_API_KEY"
LARGEST = 10_000_000  # bytes of a file that may be a logging configuration


class UsageError(Exception):
    """The command line is at fault, not the configuration."""


class BrokenError(Exception):
    """The configuration cannot be read: the application would fail, too."""


@contextmanager
def application_path() -> Generator[None]:
    """Has Python find the application's modules, as ``python -m`` in this folder would."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def read(source: str) -> Mapping[str, Any]:
    """Returns the configuration that ``source`` names, as dictConfig takes it.

    Raises:
        UsageError: It names nothing that could hold one.
        BrokenError: What it names cannot be read, or is no configuration.
    """
    suffix = Path(source).suffix.lower()
    if suffix in (".yaml", ".yml", ".json"):
        found = _from_file(Path(source), suffix)
    elif source.startswith("django:"):
        found = _from_django(source.removeprefix("django:"))
    elif ":" in source:
        found = _from_name(source)
    else:
        raise UsageError(f"{TAKES}; not {source!r}")
    if not isinstance(found, Mapping):
        what = "empty" if found is None else type(found).__name__
        raise BrokenError(f"{source} is {what}, not a dictionary for dictConfig")
    if "version" not in found:
        raise BrokenError(f"{source} has no 'version': 1, so dictConfig does not take it")
    return cast("Mapping[str, Any]", found)


def _from_file(path: Path, suffix: str) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is too large for a logging configuration. {TAKES}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. {TAKES}") from None
    except UnicodeDecodeError as error:
        raise BrokenError(f"{path} is no text in UTF-8: {one_line(error)}") from None
    try:
        return _parsed(path, suffix, text)
    except RecursionError:
        raise BrokenError(f"{path} nests too deep") from None


def _parsed(path: Path, suffix: str, text: str) -> Any:
    if suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise BrokenError(f"{path} is no JSON: {one_line(error)}") from None
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError:
        raise UsageError(f"{path} needs PyYAML: pip install pyyaml") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BrokenError(f"{path} is no YAML: {one_line(error)}") from None


def _from_name(name: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"{name}: {error}; run this where the application starts") from None
    except (AttributeError, ValueError) as error:
        raise UsageError(f"{name}: {one_line(error)}. {TAKES}") from None
    # What the application's module runs may raise anything, or end as a program does.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        raise BrokenError(f"{name}: {type(error).__name__}: {one_line(error)}") from None


def _from_django(module: str) -> Any:
    if module:
        os.environ["DJANGO_SETTINGS_MODULE"] = module
    try:
        # Settings are read, but django.setup, which would configure logging, is not called.
        settings: Any = importlib.import_module("django.conf").settings
        return settings.LOGGING
    except ModuleNotFoundError as error:
        raise UsageError(f"django: {error}; run this where manage.py is") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - settings may raise anything
        raise BrokenError(f"django: {type(error).__name__}: {one_line(error)}") from None
