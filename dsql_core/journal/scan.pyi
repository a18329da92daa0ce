from collections.abc import Iterator
from typing import final

class JournalError(Exception):
    path: str
    offset: int | None
    def __init__(self, message: str, path: str = "", offset: int | None = None) -> None: ...

class Tail:
    journal_id: int
    segment_size: int
    generation: int
    seq: int
    chain: int
    last_ts: int
    segments: list[tuple[int, int]]
    next_segment_id: int
    is_prepared: bool
    torn: tuple[str, int] | None
    first_seq: int
    frames: int
    records: int
    stored_bytes: int
    raw_bytes: int
    def __init__(self, journal_id: int, segment_size: int) -> None: ...

def segment_files(directory: str) -> list[tuple[int, str]]: ...
def scan(directory: str, journal_id: int, segment_size: int) -> Tail: ...
def durable_mark(directory: str, journal_id: int) -> int: ...
@final
class JournalReader:
    tail: Tail
    def __init__(self, directory: str, journal_id: int, segment_size: int, from_seq: int = 0) -> None: ...
    def __iter__(self) -> Iterator[tuple[int, int, int, int, bytes | None]]: ...
    def __next__(self) -> tuple[int, int, int, int, bytes | None]: ...
    def settle(self) -> None: ...
