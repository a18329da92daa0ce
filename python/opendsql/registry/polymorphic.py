"""Polymorphic types: what they accept and what they become in one call.

`anyelement` and its relatives must all mean one type; `anycompatible` and its relatives mean the common type of what
is given. Errors are PostgreSQL's 42804.
"""

from __future__ import annotations

from collections.abc import Sequence

from opendsql.errors import DsqlError
from opendsql.registry.types import (
    ANY,
    ANYARRAY,
    ANYCOMPATIBLE,
    ANYCOMPATIBLEARRAY,
    ANYCOMPATIBLENONARRAY,
    ANYELEMENT,
    ANYENUM,
    ANYNONARRAY,
    ANYRANGE,
    POLYMORPHIC,
    POLYMORPHIC_COMPATIBLE,
    TYPES_BY_OID,
    UNKNOWN,
    format_type,
)

ALL = POLYMORPHIC | POLYMORPHIC_COMPATIBLE
TEXT = 25
_ELEMENTS = (ANYELEMENT, ANYNONARRAY, ANYENUM)


def _is_array(oid: int) -> bool:
    entry = TYPES_BY_OID.get(oid)
    return entry is not None and entry.is_array


def element_type(oid: int) -> int:
    """Element type of an array type (also of oidvector and int2vector), 0 when it is none."""
    entry = TYPES_BY_OID.get(oid)
    return entry.elem_oid if entry is not None and entry.is_array else 0


def array_type(oid: int) -> int:
    """Array type of an element type, 0 when it has none."""
    entry = TYPES_BY_OID.get(oid)
    return entry.array_oid if entry is not None else 0


def accepts(target: int, source: int) -> bool:
    """Whether one argument of type `source` can be given for the polymorphic `target`."""
    if source == UNKNOWN:
        return True
    if target in (ANYARRAY, ANYCOMPATIBLEARRAY):
        return _is_array(source)
    if target in (ANYNONARRAY, ANYCOMPATIBLENONARRAY):
        return not _is_array(source)
    return target in (ANYELEMENT, ANYCOMPATIBLE, ANY)


def consistent(declared: Sequence[int], actual: Sequence[int]) -> bool:
    """Whether the polymorphic arguments of a candidate can be made to agree."""
    if not any(oid in ALL for oid in declared):
        return True
    try:
        bind(declared, actual, 0, guess_unknown=True)
    except DsqlError:
        return False
    return True


def bind(
    declared: Sequence[int], actual: Sequence[int], result: int, *, guess_unknown: bool = False
) -> tuple[tuple[int, ...], int]:
    """Concrete argument types and result type of a call; unknown inputs take what the others decide."""
    mapping: dict[int, int] = {ANY: 0}
    if any(oid in POLYMORPHIC for oid in (*declared, result)):
        mapping.update(_bind_family(declared, actual, guess_unknown))
    if any(oid in POLYMORPHIC_COMPATIBLE for oid in (*declared, result)):
        mapping.update(_bind_compatible(declared, actual))
    arguments = []
    for want, have in zip(declared, actual, strict=True):
        if want == ANY:
            arguments.append(TEXT if have == UNKNOWN else have)
        else:
            arguments.append(mapping.get(want, want))
    return tuple(arguments), mapping.get(result, result) if result != ANY else result


def _bind_family(declared: Sequence[int], actual: Sequence[int], guess_unknown: bool) -> dict[int, int]:
    element = array = 0
    for want, have in zip(declared, actual, strict=True):
        if have == UNKNOWN:
            continue
        if want in _ELEMENTS:
            if element and element != have:
                raise _mismatch('arguments declared "anyelement" are not all alike', element, have)
            element = have
        elif want == ANYARRAY:
            if array and array != have:
                raise _mismatch('arguments declared "anyarray" are not all alike', array, have)
            array = have
    if array:
        inner = element_type(array)
        if not inner:
            raise DsqlError("42804", f'argument declared "anyarray" is not an array but type {format_type(array)}')
        if element and element != inner:
            text = 'argument declared "anyarray" is not consistent with argument declared "anyelement"'
            raise _mismatch(text, array, element)
        element = inner
    elif element:
        array = array_type(element)
        if not array and ANYARRAY in declared:
            raise DsqlError("42704", f"could not find array type for data type {format_type(element)}")
    elif not guess_unknown:
        raise DsqlError("42804", "could not determine polymorphic type because input has type unknown")
    if ANYNONARRAY in declared and _is_array(element):
        raise DsqlError("42804", f"type matched to anynonarray is an array type: {format_type(element)}")
    return {ANYELEMENT: element, ANYNONARRAY: element, ANYENUM: element, ANYARRAY: array, ANYRANGE: 0}


def _bind_compatible(declared: Sequence[int], actual: Sequence[int]) -> dict[int, int]:
    from opendsql.registry.resolve import can_coerce, common_type

    given = []
    for want, have in zip(declared, actual, strict=True):
        if want in (ANYCOMPATIBLE, ANYCOMPATIBLENONARRAY):
            given.append(have)
        elif want == ANYCOMPATIBLEARRAY and have != UNKNOWN:
            inner = element_type(have)
            if not inner:
                text = f'argument declared "anycompatiblearray" is not an array but type {format_type(have)}'
                raise DsqlError("42804", text)
            given.append(inner)
    if not given:
        raise DsqlError(
            "42804", "could not determine polymorphic type anycompatiblearray because input has type unknown"
        )
    common = common_type(given, None)
    if not all(can_coerce(oid, common) for oid in given):
        raise DsqlError("42804", "arguments of anycompatible family cannot be cast to a common type")
    if ANYCOMPATIBLENONARRAY in declared and _is_array(common):
        text = f"type matched to anycompatiblenonarray is an array type: {format_type(common)}"
        raise DsqlError("42804", text)
    array = array_type(common)
    if ANYCOMPATIBLEARRAY in declared and not array:
        raise DsqlError("42704", f"could not find array type for data type {format_type(common)}")
    return {ANYCOMPATIBLE: common, ANYCOMPATIBLENONARRAY: common, ANYCOMPATIBLEARRAY: array}


def _mismatch(text: str, left: int, right: int) -> DsqlError:
    return DsqlError("42804", text, detail=f"{format_type(left)} versus {format_type(right)}")
