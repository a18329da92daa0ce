"""What a child process of the supervisor does, by kind.

    serving, query   accept connections, run sessions; a planner thread beside the loop (gateway.service)
    commit, or one of the four roles   the loop without a listener
    keeper           first content of an empty directory, checkpoints, jobs

A worker never outlives the supervisor: the kernel sends it SIGKILL (parent-death signal).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time

import dsql_core.execute.kernels  # noqa: F401  (registers them)
from dsql_core.execute import EngineHandle
from dsql_core.shared import REPLAYED_OFFSET
from dsql_core.storage import Arena
from dsql_core.wire import COUNTER_BYTES, Server, set_hints
from opendsql.cluster.keeper import Keeper
from opendsql.cluster.roles import ROLES, CommitRoles
from opendsql.cluster.wiring import Wiring, WorkerSpec
from opendsql.errors import OperatorError
from opendsql.gateway.iam import Authenticator, IamFiles, default_credentials, default_policy, trust
from opendsql.gateway.service import Authenticate, GatewayService
from opendsql.hints import HINTS

RECURSION_MAX = 4_000  # of the planner thread: expressions of some thousand operators in a row
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15


def worker_main(wiring: Wiring, spec: WorkerSpec, supervisor_pid: int) -> None:
    """Entry point of every worker; never returns to the supervisor's code."""
    status = 1
    try:
        become(spec, supervisor_pid)
        if spec.kind == "keeper":
            Keeper(wiring, spec).run()
        elif spec.serves:
            serve(wiring, spec)
        else:
            host_roles(wiring, spec)
        status = 0
    except OperatorError as error:
        print(f"opendsql: {error}", file=sys.stderr, flush=True)
        status = os.EX_CONFIG
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def become(spec: WorkerSpec, supervisor_pid: int) -> None:
    """Own signals, own name, bound to the supervisor's life."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a descriptor for each connection
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NAME, f"dsql-{spec.kind}".encode()[:15], 0, 0, 0)
    if os.getppid() != supervisor_pid:
        os._exit(0)


def open_roles(wiring: Wiring, spec: WorkerSpec, arena: Arena) -> CommitRoles:
    """The commit roles this process hosts, recovered and ready."""
    name = wiring.process_name(spec)
    started = time.monotonic()
    roles = CommitRoles(
        wiring.directory,
        arena,
        wiring.request_consumers(name),
        wiring.reply_producers(name),
        control=wiring.control,
        doorbell=wiring.bells[name],
        roles=spec.roles,
        hops=wiring.hops,
    )
    if roles.recovery is not None:
        found = roles.recovery
        wiring.note_recovery(
            f"checkpoint at frame {wiring.facts['checkpoint_journal_seq']}; replayed {found.frames} frames, {found.records} commits, "
            f"{found.bytes} bytes of journal in {time.monotonic() - started:.3f} s"
        )
    return roles


def host_roles(wiring: Wiring, spec: WorkerSpec) -> None:
    """The loop of a process that only hosts commit roles."""
    arena = Arena.attach(*wiring.arena.fds, writer="storage" in spec.roles)
    roles = open_roles(wiring, spec, arena)
    engine = EngineHandle(arena, 0xFFFF)
    server = Server(engine, bell=wiring.bells[wiring.process_name(spec)], roles=roles.handles)
    start_busy_thread()
    server.run()


def serve(wiring: Wiring, spec: WorkerSpec) -> None:
    """Sessions, and the commit roles too in the fused form."""
    name = wiring.process_name(spec)
    arena = Arena.attach(*wiring.arena.fds, writer=bool(spec.roles))
    roles = open_roles(wiring, spec, arena) if spec.roles == ROLES else None
    # No snapshot before the replay is done: until then the newest root is the checkpoint's, behind what was acknowledged.
    while wiring.control.read_u64(REPLAYED_OFFSET) == 0:
        time.sleep(0.001)
    limits = wiring.config.limits
    engine = EngineHandle(arena, spec.client, limits=limits)
    server = Server(
        engine,
        listen_fd=wiring.listener.fileno(),
        worker_id=spec.client,
        bell=wiring.bells[name],
        roles=roles.handles if roles is not None else [],
        commits=wiring.request_producer(spec),
        replies=[wiring.reply_consumer(spec)],
        counters=(wiring.counters, COUNTER_BYTES * spec.client),
        fleet=(wiring.counters, 0, len(wiring.requests)),
        rate=(wiring.rate, 0),
        cancel=(wiring.cancel, 0, len(wiring.requests)),
        peers=[None if w == spec.client else wiring.bells[wiring.client_name(w)] for w in range(len(wiring.requests))],
        password=wiring.config.asks_for_tokens,
        rate_per_s=wiring.config.chosen_rate,
        rate_burst=wiring.config.chosen_burst,
        lifetime_s=wiring.config.chosen_lifetime_s,
        tls=wiring.tls,
        tls_required=wiring.config.strict,
        host_names=wiring.endpoint.names,
        cluster_id=wiring.endpoint.cluster_id,
        connections_max=wiring.config.chosen_connections_max,
        message_bytes_max=limits.message_bytes_max,
    )
    set_hints(HINTS if wiring.config.hints and not wiring.config.strict else ())
    service = GatewayService(server, engine, authenticate=login_of(wiring))
    stopping = threading.Event()
    engine.aside = EngineHandle(arena, spec.aside, wiring.aside_committer(spec, lambda: not stopping.is_set()))

    def on_terminate(*_: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())  # told twice: at once
        server.drain(wiring.config.drain_seconds)

    def run_loop() -> None:
        try:
            server.run()
        finally:
            stopping.set()  # statements under way need the planner until the loop has ended

    sys.setrecursionlimit(RECURSION_MAX)
    signal.signal(signal.SIGTERM, on_terminate)
    loop = threading.Thread(target=run_loop, name="opendsql-loop", daemon=True)
    loop.start()
    start_busy_thread()
    # The keeper writes the first catalog of an empty directory; statements wait for it, the loop does not.
    while arena.catalog_version == 0 and not stopping.is_set():
        time.sleep(0.001)
    service.run(stopping)
    loop.join(5)


def login_of(wiring: Wiring) -> Authenticate:
    """How a startup is judged: by its token, or - where none is asked for - by whether the role exists."""
    config = wiring.config
    if not config.asks_for_tokens:
        return trust
    paths = (config.credentials or default_credentials(config.data), config.policy or default_policy(config.data))
    return Authenticator(wiring.endpoint, IamFiles(wiring.endpoint, *paths))


def start_busy_thread() -> None:
    """DSQL_BUSY_PYTHON=1: a pure-Python thread that never rests, to measure that the loop does not need the GIL."""
    if os.environ.get("DSQL_BUSY_PYTHON") == "1":
        threading.Thread(target=burn, name="busy", daemon=True).start()


def burn() -> None:
    """Computes for ever."""
    number = 0
    while True:
        number = (number * 1103515245 + 12345) & 0x7FFFFFFF
