from typing import final

class TlsError(Exception): ...

@final
class TlsContext:
    def __init__(self, certificate: str, key: str) -> None: ...
