from collections.abc import Sequence
from typing import TypeAlias

class KernelError(Exception):
    sqlstate: str
    message: str
    detail: str
    hint: str
    def __init__(self, sqlstate: str, message: str, detail: str = "", hint: str = "") -> None: ...

Argument: TypeAlias = tuple[int, list[str | None]]

def call(name: str, out_oid: int, args: list[Argument], sel: Sequence[int] | None = None) -> list[str | None]: ...
def aggregate(
    name: str, out_oid: int, args: list[Argument], groups: list[int] | None = None, one: bool = False
) -> list[str | None]: ...
def bench(
    name: str, out_oid: int, types: list[int], rows: int, constant: bool = False, is_aggregate: bool = False
) -> float: ...
