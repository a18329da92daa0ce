from dsql_core.types.face import Format

SIGNATURES: dict[str, tuple[int | str, ...]]

def temporal(op: str, *texts: str, format: Format | None = None) -> str | None: ...
