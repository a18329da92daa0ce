"""AWS's clients as they come from the package indexes, over verified TLS, with AWS's tokens, at a DSQL-shaped host name.

Each is a small application (apps/, node/): schema migration, async index, writes, reads, a provoked conflict, a retry.
They run in a private network where <id>.dsql.us-east-1.on.aws is 127.0.0.1 and port 5432 is ours, see nothing of this
tree (AWS's Python connector has a package `dsql_core` too), and trust only the server's own authority.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import private_network
import pytest
from opendsql.endpoint import Endpoint
from private_network import PrivateNetwork

HERE = Path(__file__).parent
REASON = private_network.missing()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"needs root's network and mount namespaces: {REASON}")


@dataclass
class Cluster:
    """A --strict server in a private network."""

    network: PrivateNetwork
    endpoint: Endpoint
    data: Path
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """What an application finds: keys, authority, host name; nothing else of AWS's."""
        authority = str(self.data / "tls" / "ca.pem")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PG", "PYTHON", "NODE_"))}
        return kept | {
            "DSQL_HOST": self.endpoint.host, "DSQL_PRINCIPAL": f"arn:aws:iam::{self.endpoint.account}:user/default", "AWS_REGION": self.endpoint.region,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.data / "iam" / "credentials"), "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "SSL_CERT_FILE": authority, "NODE_EXTRA_CA_CERTS": authority,
            "HOME": str(self.directory), "PYTHONSAFEPATH": "1",
        }  # fmt: skip

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """An application's output; it must say at its end that it is done."""
        done = subprocess.run(
            self.network.command(command), env=self.environment, cwd=cwd or self.directory, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        log = (self.directory / "server.log").read_text()[-3000:]
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}\n-- server --\n{log}"
        assert done.stdout.splitlines()[-1] == "done"
        assert "Traceback" not in log, log
        return done.stdout


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One server for all of them; each has tables of its own."""
    directory = tmp_path_factory.mktemp("clients")
    with PrivateNetwork(directory) as network, (directory / "server.log").open("ab") as log:
        command = [sys.executable, "-m", "opendsql", "serve", "--data", str(directory / "data"), "--port", "5432", "--strict"]
        server = subprocess.Popen(network.command(command), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while "serving " not in (directory / "server.log").read_text():
                assert server.poll() is None and time.monotonic() < deadline, (directory / "server.log").read_text()
                time.sleep(0.05)
            endpoint = Endpoint.read(directory / "data")
            network.names(endpoint.host)
            yield Cluster(network, endpoint, directory / "data", directory)
            assert server.poll() is None
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
                server.wait(30)


PYTHON = [
    ("psycopg_app", []), ("psycopg2_app", []), ("asyncpg_app", []), ("sqlalchemy_app", ["psycopg"]), ("sqlalchemy_app", ["psycopg2"]),
    ("tortoise_app", ["asyncpg"]), ("tortoise_app", ["psycopg"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), PYTHON, ids=["-".join([name, *arguments]) for name, arguments in PYTHON])
def test_python(cluster: Cluster, name: str, arguments: list[str]) -> None:
    """aurora-dsql-python-connector under three drivers, aurora-dsql-sqlalchemy, aurora-dsql-tortoise-orm."""
    cluster.run(sys.executable, str(HERE / "apps" / f"{name}.py"), *arguments)


def test_django(cluster: Cluster, tmp_path: Path) -> None:
    """aurora-dsql-django, with the migrations of contenttypes, sessions and an own app (those of auth change column types, which DSQL refuses)."""
    cluster.run(sys.executable, str(HERE / "apps" / "django_app.py"), str(tmp_path))


def test_refusals(cluster: Cluster) -> None:
    """Tokens that are not good enough, a role without and with its mapping."""
    cluster.run(sys.executable, str(HERE / "apps" / "refusals_app.py"))


def test_own_prompt(cluster: Cluster) -> None:
    """`opendsql sql` over verified TLS, with the directory's own authority and keys."""
    command = [sys.executable, "-m", "opendsql", "sql", "--data", str(cluster.data), "-c", "select 'done' as done"]
    answer = subprocess.run(cluster.network.command(command), capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.split() == ["done", "----", "done", "SELECT", "1"]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The packages of node/package-lock.json, installed once into a cache outside the tree."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not here")
    place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opendsql" / "clients-node"
    lock = (HERE / "node" / "package-lock.json").read_bytes()
    done = place / "installed-lock.json"
    if not done.exists() or done.read_bytes() != lock:
        place.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / file, place / file)
        tried = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=place, capture_output=True, text=True, timeout=300, check=False)
        if tried.returncode != 0:
            pytest.skip(f"npm cannot install the packages: {tried.stderr[-300:]}")
        done.write_bytes(lock)
    return place


@pytest.mark.parametrize("name", ["pg", "postgres", "connector"])
def test_node(cluster: Cluster, packages: Path, name: str) -> None:
    """pg and postgres with @aws-sdk/dsql-signer, and @aws/aurora-dsql-node-postgres-connector."""
    script = packages / f"{name}.mjs"
    shutil.copy(HERE / "node" / f"{name}.mjs", script)
    cluster.run("node", str(script), cwd=packages)
