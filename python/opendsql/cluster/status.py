"""`opendsql status`: asks the supervisor of a directory how things are, over its control socket."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from opendsql.errors import OperatorError


def control_socket_path(data: Path) -> Path:
    """The control socket of a directory. Unix socket paths hold 107 bytes, so a deep directory is reached by its inode."""
    path = data.absolute() / "control.sock"
    if len(os.fsencode(path)) < 100:
        return path
    return Path(f"/tmp/opendsql-{os.getuid()}-{data.stat().st_dev:x}-{data.stat().st_ino:x}.sock")


def read_status(data: Path) -> dict[str, Any]:
    """The status of the running server on that directory.

    Raises:
        OperatorError: no server runs on it.
    """
    if not data.is_dir():
        raise OperatorError(f"{data}: no such directory")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(control_socket_path(data)))
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
    except OSError:
        raise OperatorError(f"{data}: no server is running on this directory") from None
    found: dict[str, Any] = json.loads(answer)
    return found


def render_status(found: dict[str, Any]) -> str:
    """The status as lines of `name  value`."""
    lines = []
    for name, value in found.items():
        if name == "workers":
            lines += [f"{'worker':24} {worker['kind']} (pid {worker['pid']})" for worker in value]
        elif isinstance(value, dict):
            lines += [f"{name + '.' + key:24} {inner}" for key, inner in value.items()]
        else:
            lines.append(f"{name:24} {value}")
    return "\n".join(lines)
