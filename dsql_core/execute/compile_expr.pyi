"""Types of the compiled module."""

from typing import Any

def expression_columns(ir: Any, subplans: list[dict[str, Any]], found: set[int]) -> set[int]: ...

class ExprCompiler: ...
