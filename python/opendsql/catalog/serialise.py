"""Catalog objects <-> definition text (JSON) of sys.objects rows.

dump writes only fields that differ from their default, so a field added to the model later reads as its default in
older rows. restore rebuilds the dataclass; an unknown field is an error of the directory (OperatorError), because it
means a newer version wrote it.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any

from opendsql.catalog.model import (
    Check,
    Column,
    Domain,
    ForeignKey,
    Function,
    Index,
    Mapping,
    Role,
    Schema,
    Sequence,
    Statistics,
    Table,
    View,
)
from opendsql.errors import OperatorError

KINDS: dict[str, type] = {
    "table": Table, "view": View, "sequence": Sequence, "schema": Schema, "role": Role, "domain": Domain,
    "function": Function, "mapping": Mapping, "statistics": Statistics,
}  # fmt: skip
KIND_OF: dict[type, str] = {cls: kind for kind, cls in KINDS.items()}

# Fields that hold objects: field name -> class of the element (or of the value itself).
_NESTED: dict[str, type] = {
    "columns": Column, "primary_key": Index, "indexes": Index, "checks": Check, "foreign_keys": ForeignKey,
}  # fmt: skip


def dump(value: Any) -> str:
    """The definition text of a catalog object."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    out = {}
    for spec in fields(value):
        item = getattr(value, spec.name)
        default = spec.default if spec.default is not MISSING else None
        if spec.default_factory is not MISSING:
            default = spec.default_factory()
        elif spec.default is MISSING:
            out[spec.name] = _plain(item)
            continue
        if item != default:
            out[spec.name] = _plain(item)
    return out


@lru_cache(maxsize=16384)
def restore(kind: str, text: str) -> Any:
    """The object a definition text describes; objects are immutable, so one of a text is enough."""
    try:
        return _build(KINDS[kind], json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise OperatorError(f"catalog row of kind {kind!r} cannot be read: {error}") from error


def _build(cls: type, plain: dict[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for name, item in plain.items():
        nested = _NESTED.get(name)
        if isinstance(item, list):
            element = nested if nested and item and isinstance(item[0], dict) else None
            values[name] = tuple(_build(element, i) if element else _tuple(i) for i in item)
        elif isinstance(item, dict) and nested:
            values[name] = _build(nested, item)
        elif isinstance(item, dict):
            values[name] = {key: _tuple(entry) for key, entry in item.items()}
        else:
            values[name] = item
    return cls(**values)


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
