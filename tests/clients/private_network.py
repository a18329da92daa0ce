"""A private network and mount namespace: its own loopback, port 5432 free, its own /etc/hosts.

    with PrivateNetwork(directory) as network:
        network.names("<id>.dsql.us-east-1.on.aws")        resolves to 127.0.0.1 inside, and nothing else does
        network.command(["python", ...])                   argv that runs inside

A sleeping process holds the namespaces; they go with it. Nothing outside changes.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

TOOLS = ("unshare", "nsenter", "ip", "mount")


def missing() -> str | None:
    """Why there can be no private network here, or None."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} not found"
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"no namespaces: {tried.stderr.strip()}"


class PrivateNetwork:
    """The namespaces and their hosts file."""

    def __init__(self, directory: Path) -> None:
        self.hosts = directory / "hosts"
        self.holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.names()
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity"])
        deadline = time.monotonic() + 10
        while Path(f"/proc/{self.holder.pid}/comm").read_text() != "sleep\n":
            assert time.monotonic() < deadline, "unshare did not start"
            time.sleep(0.01)
        self.run(["ip", "link", "set", "lo", "up"])
        self.run(["mount", "--bind", str(self.hosts), "/etc/hosts"])
        return self

    def __exit__(self, *_: object) -> None:
        assert self.holder is not None
        self.holder.kill()
        self.holder.wait()

    def names(self, *names: str) -> None:
        """What resolves inside, beside localhost."""
        self.hosts.write_text("127.0.0.1 localhost\n::1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in names))

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The same command, run inside."""
        assert self.holder is not None
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", "--wdns=.", *arguments]

    def run(self, arguments: Sequence[str]) -> None:
        """Runs a command inside."""
        subprocess.run(self.command(arguments), check=True)
