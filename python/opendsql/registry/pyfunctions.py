"""The functions that are Python: found by the name a ("py", name, ...) expression carries.

A function takes and gives text in PostgreSQL's output and input forms, None for NULL. Most are strict: the wrapper
returns None when an argument is None. Functions whose work depends on the types of their arguments are `typed`: their
name carries the types' oids (`to_jsonb:23`) and they get them first, as a tuple.

The catalog adds its own by register_pyfunction (the `hook:` lines of the tables); a function with needs_session gets
the session before its arguments.

    pyfunctions.lookup("regexp_replace")("abc", "b", "x")  -> "axc"
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Implementation = Callable[..., "str | None"]

_functions: dict[str, Implementation] = {}
_typed: set[str] = set()
_loaded = False


def pyfunction(
    *names: str, strict: bool = True, typed: bool = False, needs_session: bool = False
) -> Callable[[Implementation], Implementation]:
    """Register the decorated function under these names (its own name when there are none)."""

    def register(function: Implementation) -> Implementation:
        for name in names or (function.__name__,):
            register_pyfunction(name, function, strict=strict, typed=typed, needs_session=needs_session)
        return function

    return register


def register_pyfunction(
    name: str, function: Implementation, *, strict: bool = True, typed: bool = False, needs_session: bool = False
) -> None:
    """Make a function known by name; a later registration replaces an earlier one (the catalog's hooks)."""
    called = _strict(function, skip=1 if typed else 0) if strict and not needs_session else function
    if needs_session:
        called = _with_session(function, strict)
    _functions[name] = called
    if typed:
        _typed.add(name)
    lookup.cache_clear()


def _strict(function: Implementation, skip: int) -> Implementation:
    @functools.wraps(function)
    def call(*arguments: Any) -> str | None:
        return None if None in arguments[skip:] else function(*arguments)

    return call


def _with_session(function: Implementation, strict: bool) -> Implementation:
    @functools.wraps(function)
    def call(session: Any, *arguments: str | None) -> str | None:
        return None if strict and None in arguments else function(session, *arguments)

    call.needs_session = True  # type: ignore[attr-defined]
    return call


@functools.lru_cache(maxsize=1024)
def lookup(name: str) -> Implementation:
    """The function a ("py", name, ...) expression means; raises LookupError."""
    load()
    base, _, types = name.partition(":")
    function = _functions.get(base)
    if function is None:
        raise LookupError(f"no Python function named {base}")
    if base not in _typed:
        return function
    return functools.partial(function, tuple(int(oid) for oid in types.split(",") if oid))


def names() -> frozenset[str]:
    """Names of every function there is (without type suffixes)."""
    load()
    return frozenset(_functions)


def load() -> None:
    """Import the families; each registers its functions."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    from opendsql.registry import (  # noqa: F401
        jsonpath_run,
        py_array,
        py_format_date,
        py_format_number,
        py_json,
        py_json_change,
        py_number,
        py_parse_date,
        py_regex,
        py_system,
        py_text,
    )
