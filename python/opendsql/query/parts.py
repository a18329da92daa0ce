"""What lets the binder and the emitter be written in parts: a part may name anything of the whole.

Each bind_*.py and emit_*.py holds one part (a mixin) of Binder or Emitter; the whole is put together in binder.py and
emit.py. A part is never used alone, so what it finds on `self` is for the whole to provide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


class Part:
    """Base of every part."""

    if TYPE_CHECKING:
        # what several parts assign
        statement: Any
        routine_args: Any
        view_depth: int
        depth: int
        locks: bool
        writes: bool
        slot_rel: int
        needs_gil: bool

        def __getattr__(self, name: str) -> Any: ...
