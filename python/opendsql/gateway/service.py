"""The planner thread: takes what the serving loop parks, one request at a time, and gives back plans and results.

    startup   settings of the startup packet, the login decision       plan   text -> Planned
    login     a login that rests on the catalog, looked at again after a change
    run       a Python statement (DDL, SET, SHOW, EXPLAIN ...)         step   a program that calls Python functions
    end       SET inside a transaction that is now over                close  nothing to keep
    check     the grammar of a Query of several statements, before the first of them runs

While a request is out its session belongs to this thread. A statement that waits (Pending: sys.wait_for_job, pg_sleep)
goes on a timer list and is asked again; it never holds the thread.

Invariants
  G1  every request is completed exactly once, whatever its handler raises; what is not a DsqlError is XX000 and logged.
  G2  positions in errors count characters of the whole Query, not of the statement that was planned.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import dsql_core.execute.kernels  # noqa: F401  (registers them)
from dsql_core.wire import Server, WireRequest
from opendsql.catalog import context
from opendsql.catalog import load as catalog_load
from opendsql.catalog.result import Pending, PyResult
from opendsql.catalog.settings import SessionSettings, apply_format, settings_of, startup_options
from opendsql.errors import DsqlError
from opendsql.guesses import says
from opendsql.query.parse import parse
from opendsql.query.planner import Planner

log = logging.getLogger("opendsql.gateway")

# Startup parameters that are not settings.
_NOT_SETTINGS = ("user", "database", "options", "replication")
_CLUSTER_OPTION = ("amzn-cluster-id", "amzn_cluster_id")

# Called with the user, the password (None when none was asked for) and what gives the newest Catalog; raises DsqlError to refuse.
# What it returns, if anything, is called with the newest Catalog before a transaction begins whenever the catalog has changed.
Authenticate = Callable[[str, str | None, Callable[[], Any]], Callable[[Any], None] | None]


class GatewayService:
    """Serves the requests of one Server in the thread that calls run().

    Args:
        server: the serving loop.
        engine: the EngineHandle of the process (kept alive; not used here).
        planner: object with plan(request) -> Planned; opendsql.query.planner.Planner by default.
        parse: whole Query text -> anything, or DsqlError 42601; PostgreSQL's grammar by default.
        load_catalog: session -> Catalog; the catalog package's by default.
        authenticate: the login decision of each startup; None admits everybody.
    """

    def __init__(
        self,
        server: Server,
        engine: Any = None,
        *,
        planner: Any = None,
        parse: Callable[[str], Any] = parse,
        load_catalog: Callable[[Any], Any] | None = None,
        authenticate: Authenticate | None = None,
    ) -> None:
        self.server = server
        self.engine = engine
        self.load_catalog: Callable[[Any], Any] = load_catalog or catalog_load.load
        self.planner = planner or Planner(self.load_catalog)
        self.parse = parse
        self.authenticate = authenticate
        self._stopping = threading.Event()
        self._waiting: list[tuple[float, int, WireRequest, Pending]] = []
        self._order = itertools.count()

    # -- the thread ------------------------------------------------------------------------------------------------

    def run(self, stopping: threading.Event | None = None) -> None:
        """Serves until stop(), or until `stopping` is set."""
        if stopping is not None:
            self._stopping = stopping
        while not self._stopping.is_set():
            self.serve_one(self._timeout())
        for _, _, request, _ in self._waiting:
            self.server.complete(request, DsqlError("57P01", "terminating connection due to administrator command"))
        self._waiting.clear()

    def start(self) -> threading.Thread:
        """run() in a new thread."""
        thread = threading.Thread(target=self.run, name="opendsql-planner", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """run() returns within a fifth of a second."""
        self._stopping.set()

    def _timeout(self) -> float:
        if not self._waiting:
            return 0.2
        return min(0.2, max(0.0, self._waiting[0][0] - time.monotonic()))

    def serve_one(self, timeout: float) -> bool:
        """Waits for one request and answers it; False when none came."""
        request = self.server.next_request(timeout)
        if self._waiting:
            self._poll()
        if request is None:
            return False
        if request.kind == "step":
            self._step(request)
            return True
        try:
            outcome = getattr(self, "_" + request.kind)(request)
        except Exception as error:
            outcome = self._sql_error(request, error)
        if outcome is not _LATER:
            self.server.complete(request, outcome)
        return True

    @staticmethod
    def _sql_error(request: WireRequest, error: Exception) -> Exception:
        # G1: the client must get an answer; the log gets the reason when the error is ours. The compiled core raises its
        # own class with the same fields as DsqlError.
        if isinstance(error, RecursionError):
            return DsqlError("54001", "stack depth limit exceeded")
        if getattr(error, "sqlstate", None) is None:
            log.error("%s request failed: %s", request.kind, request.text[:500], exc_info=error)
            return DsqlError("XX000", f"internal error: {error!r}")
        if getattr(error, "position", None) is not None and request.kind == "plan":
            error.position += request.position_offset  # type: ignore[attr-defined]  # G2
        return error

    # -- requests --------------------------------------------------------------------------------------------------

    def _startup(self, request: WireRequest) -> None:
        parameters = request.parameters
        user = parameters["user"]
        if parameters.get("replication", "false").lower() not in ("false", "off", "no", "0"):
            raise DsqlError("0A000", says("replication"))
        if self.authenticate is not None:
            lease = self.authenticate(user, request.password, lambda: self._newest_catalog(request))
            if lease is not None:
                request.set_state(lease)
            else:
                request.set_login_version(0)  # nobody to ask again
        wanted = startup_options(parameters.get("options", ""))
        for name in _CLUSTER_OPTION:
            wanted.pop(name, None)  # the loop has looked at it
        for name, value in parameters.items():
            if name not in _NOT_SETTINGS and not name.startswith("_pq_."):
                wanted[name] = value
        settings = SessionSettings(user)
        settings.start(wanted)
        request.session.settings = settings
        apply_format(request.session, settings)
        for name, value in settings.reports():
            request.report(name, value)
        request.set_settings(settings.settings_id)

    def _newest_catalog(self, request: WireRequest) -> Any:
        # Of a session between transactions; the session is told which version its login was judged by, and stays idle.
        session = request.session
        try:
            request.set_login_version(session.snapshot_ts and session.catalog_version)  # the snapshot is pinned first
            return self.load_catalog(session)
        finally:
            session.rollback()

    def _login(self, request: WireRequest) -> None:
        request.state(self._newest_catalog(request))

    def _check(self, request: WireRequest) -> None:
        self.parse(request.text)

    def _plan(self, request: WireRequest) -> Any:
        with self._context(request):
            return self.planner.plan(request)

    def _run(self, request: WireRequest) -> Any:
        session = request.session
        with self._context(request):
            result = request.handler(session, request.params)
        if isinstance(result, Pending):
            self._later(request, result)
            return _LATER
        self._keep_settings(request)
        return result

    def _step(self, request: WireRequest) -> None:
        with self._context(request):
            self.server.step(request)

    def _end(self, request: WireRequest) -> None:
        settings = settings_of(request.session)
        before = dict(settings.reports())
        if settings.end_transaction(request.committed):
            apply_format(request.session, settings)
            for name, value in settings.reports():
                if before[name] != value:
                    request.report(name, value)
        request.set_settings(settings.settings_id)

    def _close(self, request: WireRequest) -> None:
        return None

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _context(self, request: WireRequest) -> Any:
        self._settings(request)
        catalog: Any = _LazyCatalog(self.load_catalog, request.session)
        return context.use(catalog, request.session)

    @staticmethod
    def _settings(request: WireRequest) -> SessionSettings:
        # A session that began without the Python thread gets its settings at its first request.
        session = request.session
        if session.settings is None:
            parameters = request.parameters
            session.settings = SessionSettings(parameters.get("user", "admin"))
            names = ("application_name", "client_encoding")
            session.settings.start({name: parameters[name] for name in names if name in parameters})
        return session.settings

    @staticmethod
    def _keep_settings(request: WireRequest) -> None:
        # A Python statement may have changed settings: later plans are keyed by the new combination.
        settings = settings_of(request.session)
        request.set_settings(settings.settings_id, dirty=settings.changed_in_transaction)

    def _later(self, request: WireRequest, pending: Pending) -> None:
        due = time.monotonic() + pending.interval_ms / 1000
        heapq.heappush(self._waiting, (due, next(self._order), request, pending))

    def _poll(self) -> None:
        # Asks every Pending whose time has come.
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, request, pending = heapq.heappop(self._waiting)
            if request.cancelled:
                self.server.complete(request, DsqlError("57014", "canceling statement due to user request"))
                continue
            try:
                with self._context(request):
                    result: PyResult | Exception | None = pending.poll()
            except Exception as error:
                result = self._sql_error(request, error)
            if result is None:
                self._later(request, pending)
            else:
                self.server.complete(request, result)


class _Later:
    pass


_LATER = _Later()


class _LazyCatalog:
    """The session's Catalog, loaded when something first looks at it."""

    def __init__(self, load: Callable[[Any], Any], session: Any) -> None:
        self._load = load
        self._session = session
        self._catalog: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._catalog is None:
            self._catalog = self._load(self._session)
        return getattr(self._catalog, name)
