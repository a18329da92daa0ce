"""The listening socket of serving workers: made once by the supervisor and inherited, or one per worker."""

from __future__ import annotations

import socket


def listen(host: str, port: int, *, reuse_port: bool = False, backlog: int = 4096) -> socket.socket:
    """A non-blocking listening TCP socket. reuse_port: every worker binds its own and the kernel spreads connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
