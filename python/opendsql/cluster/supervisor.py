"""The supervisor: owns the data directory and every shared segment, starts workers, watches and replaces them.

It is single-threaded and does no work of its own, so forking from it is always safe. One selector waits for everything:
signals (through a wake-up descriptor), the end of a child (pidfd), and questions on the control socket.

What happens when a process dies
  a query worker      its sessions are gone; it alone is started again, on rings of its own generation
  the keeper          it alone is started again; a checkpoint or index build goes on where it had got to
  a commit role       every worker is stopped and started again: the arena is still in memory, the new writer recovers it
                      and replays the journal behind its last root. Nothing acknowledged is lost; clients reconnect
  the supervisor      the kernel kills its children (parent-death signal); a new start recovers from checkpoint and journal

Invariants
  S1  at most one process with writer rights on the arena: a new one is started only after the old one was reaped.
  S2  shared segments belong to the supervisor; children inherit them by fork, nothing has a name to leave behind.
  S3  the directory stays locked from before the first read until the last child is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from multiprocessing.context import ForkProcess

from opendsql.cluster.status import control_socket_path
from opendsql.cluster.wiring import Wiring, WorkerSpec
from opendsql.cluster.worker import worker_main
from opendsql.config import ServerConfig
from opendsql.errors import OperatorError
from opendsql.gateway import listen
from opendsql.gateway.iam import prepare
from opendsql.journal import DataDirectory

# A worker that dies this many times within RESTART_WINDOW_S stops the server: something is broken for good.
RESTARTS_MAX = 20
RESTART_WINDOW_S = 10.0
KEEPER_SECONDS = 10.0
DESCRIPTORS_OWN = 128  # of a worker, beside its connections


def log(text: str) -> None:
    """One line of diagnostics on standard error."""
    print(f"opendsql[{os.getpid()}] {text}", file=sys.stderr, flush=True)


class Supervisor:
    """Runs one server until SIGTERM or SIGINT. run() returns the exit status."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.selector = selectors.DefaultSelector()
        self.children: dict[int, tuple[WorkerSpec, ForkProcess]] = {}  # by pidfd
        self.deaths: list[float] = []
        self.stopping = False
        self.hurried = False
        self.started_at = time.time()

    def run(self) -> int:
        """Opens the directory, starts the workers, serves until told to stop."""
        with DataDirectory(self.config.data) as directory:
            listener = self.listen()
            self.wiring = Wiring.create(self.config, directory, listener)
            if self.config.asks_for_tokens:
                for line in prepare(self.config.data, self.wiring.endpoint, self.config.credentials, self.config.policy)[2]:
                    log(line)
            self.install_signals()
            self.control = self.open_control_socket()
            try:
                for spec in self.wiring.specs:
                    self.start(spec)
                log(f"serving {self.config.data} on {self.config.host}:{self.config.port}, topology {self.config.chosen_topology}")
                self.log_access()
                self.log_descriptors()
                return self.watch()
            finally:
                self.stop_all(signal.SIGKILL)
                control_socket_path(self.config.data).unlink(missing_ok=True)
                (self.config.data / "workers.json").unlink(missing_ok=True)

    def log_descriptors(self) -> None:
        """A line when a worker cannot hold as many connections as it may be asked to."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < self.config.chosen_connections_max + DESCRIPTORS_OWN:
            log(f"a process may open {hard} files (ulimit -Hn): too few for {self.config.chosen_connections_max} connections")

    def log_access(self) -> None:
        """What a client needs to connect: one line for the rule, one for the authority to trust."""
        endpoint, certificates = self.wiring.endpoint, self.wiring.certificates
        if self.config.strict:
            log(f"strict: TLS and token required; host {', '.join(endpoint.names)}")
        else:
            tokens = "a token required" if self.config.asks_for_tokens else "no token required"
            log(f"{tokens}; TLS {'offered, not required' if certificates else 'not offered'} (--strict requires both)")
        if certificates is not None and certificates.authority is not None:
            log(f"clients trust {certificates.authority} (PGSSLROOTCERT, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)")

    def listen(self) -> socket.socket:
        """The listening socket every serving worker inherits."""
        try:
            return listen(self.config.host, self.config.port)
        except OSError as error:
            raise OperatorError(f"cannot listen on {self.config.host}:{self.config.port}: {error.strerror}") from None

    def install_signals(self) -> None:
        """SIGTERM and SIGINT wake the selector instead of interrupting whatever runs."""
        self.wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.selector.register(self.wake_read, selectors.EVENT_READ, self.on_signal)

    def open_control_socket(self) -> socket.socket:
        """Where `opendsql status` asks."""
        path = control_socket_path(self.config.data)
        path.unlink(missing_ok=True)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(str(path))
        control.listen(8)
        control.setblocking(False)
        self.selector.register(control, selectors.EVENT_READ, self.on_question)
        return control

    def start(self, spec: WorkerSpec) -> None:
        """Forks one worker and watches it through a pidfd."""
        process = ForkProcess(target=worker_main, args=(self.wiring, spec, os.getpid()), name=f"opendsql {spec.kind}")
        process.start()
        assert process.pid is not None
        pidfd = os.pidfd_open(process.pid)
        self.children[pidfd] = (spec, process)
        self.selector.register(pidfd, selectors.EVENT_READ, self.on_death)
        self.write_worker_file()

    def write_worker_file(self) -> None:
        """workers.json: kind and pid of every live worker, replaced in one step."""
        rows = [{"kind": spec.kind, "pid": process.pid} for spec, process in self.children.values()]
        temporary = self.config.data / "workers.json.new"
        temporary.write_text(json.dumps(rows))
        temporary.replace(self.config.data / "workers.json")

    def watch(self) -> int:
        """The loop."""
        while not self.stopping:
            for key, _ in self.selector.select():
                key.data(key.fd)
        self.drain()
        return 0

    def on_signal(self, fd: int) -> None:
        """A signal arrived: SIGTERM and SIGINT stop, others only woke us."""
        for number in os.read(fd, 64):
            if number in (signal.SIGTERM, signal.SIGINT):
                self.hurried = self.stopping
                self.stopping = True

    def on_death(self, pidfd: int) -> None:
        """A worker ended: replace it, and with it all who depended on it."""
        spec, process = self.forget(pidfd)
        process.join()
        if self.stopping:
            return
        log(f"{spec.kind} worker {process.pid} ended ({process.exitcode})")
        if process.exitcode == os.EX_CONFIG:
            self.stopping = True
            raise OperatorError("a worker could not open the data directory; its message is above")
        now = time.monotonic()
        self.deaths = [death for death in self.deaths if death > now - RESTART_WINDOW_S] + [now]
        if len(self.deaths) > RESTARTS_MAX:
            raise OperatorError(f"workers died {len(self.deaths)} times in {RESTART_WINDOW_S:.0f} s; giving up")
        if spec.hosts_commit:
            self.stop_all(signal.SIGKILL)
            self.wiring.reset_channels()
            for each in self.wiring.specs:
                self.start(each)
        else:
            self.wiring.arena.sweep_pins()
            self.start(spec)

    def forget(self, pidfd: int) -> tuple[WorkerSpec, ForkProcess]:
        """Stops watching a child."""
        entry = self.children.pop(pidfd)
        self.selector.unregister(pidfd)
        os.close(pidfd)
        return entry

    def stop_all(self, number: signal.Signals) -> None:
        """Signals every child and reaps it."""
        for pidfd in self.children:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, number)
        for pidfd in list(self.children):
            _, process = self.forget(pidfd)
            process.join()
        if hasattr(self, "wiring"):
            self.wiring.arena.sweep_pins()

    def drain(self) -> None:
        """Nobody new; sessions finish what they have begun, within drain_seconds; then the keeper's last checkpoint. What has
        not ended by itself is killed (nothing acknowledged depends on it); a second signal does so at once."""
        log(f"stopping: transactions under way have {self.config.drain_seconds:g} s; a second signal ends them")
        with contextlib.suppress(OSError):
            self.wiring.listener.shutdown(socket.SHUT_RDWR)  # of all workers: they share it
        self.end("serving", "query", seconds=self.config.drain_seconds + 2)
        self.end("keeper", seconds=KEEPER_SECONDS)
        self.stop_all(signal.SIGKILL)

    def end(self, *kinds: str, seconds: float) -> None:
        """SIGTERM to the workers of these kinds; returns when they have ended, their time is over or a second signal came."""
        for spec, process in self.children.values():
            if spec.kind in kinds:
                process.terminate()
        deadline = time.monotonic() + seconds
        while not self.hurried and any(spec.kind in kinds for spec, _ in self.children.values()):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            for key, _ in self.selector.select(left):
                key.data(key.fd)

    def on_question(self, fd: int) -> None:
        """Answers one status question and hangs up."""
        try:
            connection, _ = self.control.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(1.0)
            try:
                connection.sendall(json.dumps(self.status()).encode())
            except OSError:
                return

    def status(self) -> dict[str, object]:
        """Everything `opendsql status` shows."""
        found = self.wiring.status()
        found["topology"] = self.config.chosen_topology
        found["uptime_s"] = round(time.time() - self.started_at, 1)
        found["workers"] = [{"kind": spec.kind, "pid": process.pid} for spec, process in self.children.values()]
        return found
