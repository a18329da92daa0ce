"""Server: one serving loop as Python sees it. The loop thread gives the GIL up for good; Python plans beside it.

    server = Server(engine, listen_fd=..., worker_id=0, bell=..., roles=[...], commits=..., replies=[...])
    server.start()                                   # the loop in its own thread
    while (request := server.next_request(1.0)):     # blocks without the GIL
        server.complete(request, outcome)

Requests (`kind`): startup, login, check, plan, run, step, end, close. While one is out its session belongs to the Python thread.

    startup   parameters, password                       -> None | DsqlError (refusal)
    login     the catalog changed since a login that rests on it -> None | DsqlError (the session is closed)
    check     text: a Query of several, before any runs    -> None | DsqlError (its grammar)
    plan      text, normalized, literals, param_oids     -> Planned-like object | DsqlError
    run       handler, params (text)                     -> PyResult-like object | DsqlError
    step      the program calls Python functions         -> server.step(request)
    end       a transaction that changed settings ended  -> None (request.committed tells how)
    close     the connection is gone                     -> None

Invariants
  V1  A request is completed exactly once, by the thread that took it (or another Python thread: the GIL serialises).
  V2  The SessionHandle of a request is used only until the request is completed.
Memory: Server owns the Loop; it keeps every object whose struct the loop points into alive until close().
"""
import threading

cimport cython
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, strlen, strncpy

from dsql_core.base.atomic cimport dsql_exchange, dsql_fence_seq_cst, dsql_load_acquire
from dsql_core.base.error cimport dsql_error_clear, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_append, buffer_append_u8, pool_alloc, pool_copy
from dsql_core.base.vector cimport Batch, OID_TEXT, OID_UNKNOWN
from dsql_core.execute.handle cimport EngineHandle, SessionHandle, session_handle
from dsql_core.execute.program cimport ProgramHandle
from dsql_core.execute.session cimport execution_step, program_retain, session_catalog_version
from dsql_core.execute.state cimport PROGRAM_QUERY
from dsql_core.shared.channel cimport Channel, Doorbell
from dsql_core.shared.handle cimport ChannelHandle, DoorbellHandle, RoleHandle, SharedMemory
from dsql_core.shared.role cimport Role
from dsql_core.wire.connection cimport (
    COUNTER_COUNT, Conn, REQUEST_CHECK, REQUEST_CLOSE, REQUEST_END, REQUEST_LOGIN, REQUEST_PLAN, REQUEST_RUN, REQUEST_STARTUP,
    REQUEST_STEP, Request, push_one, take_all,
)
from dsql_core.wire.loop cimport loop_free, loop_init, loop_run, loop_wake
from dsql_core.wire.normalise cimport literal_text
from dsql_core.wire.plan_cache cimport (
    COPY_BINARY, COPY_CSV, COPY_TEXT, PLAN_COPY_IN, PLAN_COPY_OUT, PLAN_PROGRAM, PLAN_PYTHON, Plan, PlanColumn,
    plan_cache_take_trash, plan_free, plan_new,
)
from dsql_core.wire.posix cimport POLLIN, drain_fd, poll, pollfd, ring_fd
from dsql_core.wire.protocol cimport (
    message_begin, message_end, put_parameter_status, put_row_description, put_u32, type_length,
)
from dsql_core.wire.tls cimport TlsContext

_KINDS = {
    REQUEST_STARTUP: "startup", REQUEST_PLAN: "plan", REQUEST_RUN: "run", REQUEST_STEP: "step", REQUEST_END: "end",
    REQUEST_CLOSE: "close", REQUEST_CHECK: "check", REQUEST_LOGIN: "login",
}
_LITERALS = (None, "i4", "i8", "n", "s")
COUNTER_NAMES = (
    "connections", "accepted", "refused", "statements", "commits", "conflicts", "errors", "plans", "rows", "bytes_in",
    "bytes_out", "cancels", "cached_plans", "tls", "tls_failed",
)
COUNTER_BYTES = COUNTER_COUNT * 8


def read_counters(SharedMemory memory, size_t offset=0) -> dict:
    """Counters that a server keeps at `offset` of a shared segment, from any process."""
    return {name: memory.read_u64(offset + 8 * i) for i, name in enumerate(COUNTER_NAMES)}


cdef bytes _bytes(const Buffer* buffer):
    return buffer.data[:buffer.size] if buffer.size else b""


cdef const char* _keep(Pool* pool, object text) except NULL:
    # A zero-terminated copy in a plan's pool.
    cdef bytes raw = text if isinstance(text, bytes) else str(text).encode()
    cdef uint8_t* copy = pool_copy(pool, <const uint8_t*>raw, len(raw) + 1)
    if copy == NULL:
        raise MemoryError
    return <const char*>copy


cdef void _field(char* place, size_t size, object text):
    # A text cut at its field's size, whole characters only.
    cdef bytes raw
    if text is None:
        place[0] = 0
        return
    raw = str(text).encode()[:size - 1].decode("utf-8", "ignore").encode()
    memcpy(place, <const char*>raw, len(raw))
    place[len(raw)] = 0


cdef void _set_error(dsql_error_t* error, object exception):
    cdef bytes state = str(getattr(exception, "sqlstate", None) or "XX000").encode()[:5].ljust(5, b"0")
    dsql_error_clear(error)
    error.is_set = 1
    memcpy(error.sqlstate, <const char*>state, 5)
    error.sqlstate[5] = 0
    message = getattr(exception, "message", None)
    _field(error.message, sizeof(error.message), message if message is not None else f"internal error: {exception!r}")
    _field(error.detail, sizeof(error.detail), getattr(exception, "detail", None))
    _field(error.hint, sizeof(error.hint), getattr(exception, "hint", None))
    _field(error.schema_name, sizeof(error.schema_name), getattr(exception, "schema", None))
    _field(error.table_name, sizeof(error.table_name), getattr(exception, "table", None))
    _field(error.column_name, sizeof(error.column_name), getattr(exception, "column", None))
    _field(error.constraint_name, sizeof(error.constraint_name), getattr(exception, "constraint", None))
    error.position = int(getattr(exception, "position", None) or 0)


cdef void _put_notice(Buffer* out, object notice):
    cdef size_t begin = message_begin(out, c'N')
    fields = [
        (b"S", notice.severity), (b"V", notice.severity), (b"C", notice.sqlstate), (b"M", notice.message),
        (b"D", getattr(notice, "detail", None)), (b"H", getattr(notice, "hint", None)),
    ]
    cdef bytes raw
    for code, value in fields:
        if value is not None:
            raw = code + str(value).encode().replace(b"\0", b"") + b"\0"
            buffer_append(out, <const char*>raw, len(raw))
    buffer_append_u8(out, 0)
    message_end(out, begin)


@cython.final
cdef class WireRequest:
    """One errand from the loop. Fields depend on its kind; see the module."""

    cdef Request* _need(self) except NULL:
        if self.c_request == NULL:
            raise ValueError("this request is completed")
        return self.c_request

    @property
    def kind(self) -> str:
        """startup, login, check, plan, run, step, end or close."""
        return _KINDS[self._need().kind]

    @property
    def text(self) -> str:
        """The statement as written (its part of the Query)."""
        return _bytes(&self._need().text).decode()

    @property
    def normalized(self) -> str:
        """The statement with its lifted literals written as parameters after the explicit ones."""
        return _bytes(&self._need().lifted).decode()

    @property
    def param_oids(self) -> list:
        """Types the client declared in Parse; 0 = unknown."""
        cdef Request* request = self._need()
        return [request.declared[i] for i in range(request.declared_count)]

    @property
    def param_max(self) -> int:
        """Highest $n in the text."""
        return self._need().param_max

    @property
    def literals(self) -> list:
        """(kind, value text) of every lifted literal; kinds i4, i8, n, s."""
        cdef Request* request = self._need()
        cdef Buffer out
        cdef uint32_t i
        found = []
        for i in range(request.literal_count):
            out.data = NULL
            out.size = out.capacity = 0
            out.failed = 0
            literal_text(&request.literals[i], request.text.data, &out)
            found.append((_LITERALS[request.literals[i].kind], _bytes(&out).decode()))
            free(out.data)
        return found

    @property
    def multi(self) -> bool:
        """The statement is one of several in its Query."""
        return self._need().multi != 0

    @property
    def query_text(self) -> str:
        """The whole Query when multi, else the statement."""
        cdef Request* request = self._need()
        return _bytes(&request.query).decode() if request.multi else self.text

    @property
    def position_offset(self) -> int:
        """Characters of the Query before this statement: added to error positions."""
        cdef Request* request = self._need()
        if not request.multi or request.query_at == 0:
            return 0
        return len(_bytes(&request.query)[:request.query_at].decode())

    @property
    def simple(self) -> bool:
        """The statement came by the simple protocol."""
        return self._need().conn.simple != 0

    @property
    def handler(self):
        """run: the plan's callable."""
        cdef Request* request = self._need()
        return <object>request.plan.python if request.plan != NULL and request.plan.python != NULL else None

    @property
    def params(self) -> list:
        """run: parameter values as text, None = NULL."""
        cdef Request* request = self._need()
        cdef bytes raw = _bytes(&request.params)
        values = []
        at = 0
        for _ in range(request.param_count):
            size = int.from_bytes(raw[at:at + 4], "big", signed=True)
            at += 4
            if size < 0:
                values.append(None)
            else:
                values.append(raw[at:at + size].decode())
                at += size
        return values

    @property
    def parameters(self) -> dict:
        """Startup parameters of the connection (user, database, options, ...)."""
        cdef Conn* conn = self._need().conn
        cdef bytes raw = conn.user[:conn.user_size] if conn.user != NULL else b""
        parts = raw.split(b"\0")
        found = {}
        for i in range(0, len(parts) - 1, 2):
            if not parts[i]:
                break
            found[parts[i].decode()] = parts[i + 1].decode()
        return found

    @property
    def password(self):
        """startup: what the client sent, or None."""
        cdef Request* request = self._need()
        return _bytes(&request.password).rstrip(b"\0").decode("utf-8", "replace") if request.password.size else None

    @property
    def committed(self) -> bool:
        """end: whether the transaction was committed."""
        return self._need().committed != 0

    @property
    def cancelled(self) -> bool:
        """The client asked to cancel, or is gone."""
        return self._need().cancelled != 0

    def set_state(self, state) -> None:
        """Keeps an object for this session until it closes; later requests carry it as `state`."""
        self.state = state
        self.server.sessions[<uint64_t>self._need().conn][1] = state

    def set_settings(self, uint32_t settings_id, bint dirty=False) -> None:
        """Number of the session's settings, part of every plan key; dirty: tell me when the transaction ends."""
        cdef Request* request = self._need()
        request.settings_id = settings_id
        request.settings_dirty = dirty
        request.has_settings = 1

    def set_login_version(self, uint64_t version) -> None:
        """The login holds while the catalog is at this version; ask again ("login") before a transaction at another one."""
        self._need().login_version = version

    def report(self, name: str, value: str) -> None:
        """Sends a ParameterStatus with the answer."""
        put_parameter_status(&self._need().prefix, name.encode(), value.encode())

    def notice(self, notice) -> None:
        """Sends a NoticeResponse with the answer."""
        _put_notice(&self._need().prefix, notice)


cdef uint8_t* _flags(Pool* pool, object chosen, list names) except? NULL:
    # One byte per column; chosen: names. NULL when none is.
    cdef uint8_t* flags
    cdef int i
    if not chosen:
        return NULL
    flags = <uint8_t*>pool_alloc(pool, len(names) + 1)
    if flags == NULL:
        raise MemoryError
    for i in range(len(names)):
        flags[i] = names[i] in chosen
    return flags


cdef class _PlanBuilder:
    """Turns a Planned-like object into a Plan."""

    @staticmethod
    cdef Plan* build(Request* request, object planned) except NULL:
        cdef Plan* plan = plan_new()
        cdef ProgramHandle program
        cdef Pool* pool
        if plan == NULL:
            raise MemoryError
        try:
            pool = &plan.pool
            copy = getattr(planned, "copy", None)
            compiled = planned.program if copy is None or planned.program is not None else copy.program
            if compiled is not None:
                program = compiled
                program_retain(program.c_program)
                plan.program = program.c_program
            handler = getattr(planned, "python", None)
            columns = getattr(planned, "columns", None)
            oids = getattr(planned, "param_oids", None)
            if copy is not None:
                columns = copy.columns
                oids = program.params
            plan.by_text = bool(getattr(planned, "key_by_text", False))
            plan.cacheable = bool(getattr(planned, "cacheable", True))
            plan.lifted_count = 0 if plan.by_text or copy is not None else request.literal_count
            if plan.program != NULL:
                plan.kind = PLAN_PROGRAM
                plan.catalog_version = plan.program.catalog_version
                plan.version_free = plan.program.kind != PROGRAM_QUERY
                if columns is None:
                    columns = program.columns
                if oids is None:
                    oids = program.params
            elif handler is not None:
                plan.kind = PLAN_PYTHON
            else:
                raise ValueError("a plan needs a program or a callable")
            if plan.kind == PLAN_PYTHON or plan.catalog_version == 0:
                plan.catalog_version = session_catalog_version(request.conn.session)
            if handler is not None and plan.program == NULL:
                Py_INCREF(handler)
                plan.python = <void*>handler
            if copy is not None:
                _PlanBuilder.copy_options(plan, copy, columns or [])
            _PlanBuilder.columns(plan, columns)
            oids = list(oids or ())
            plan.param_count = len(oids)
            if plan.param_count < plan.lifted_count:
                raise ValueError(f"{len(oids)} parameter types for {plan.lifted_count} lifted literals")
            plan.param_oids = <uint32_t*>pool_alloc(pool, (len(oids) + 1) * sizeof(uint32_t))
            if plan.param_oids == NULL:
                raise MemoryError
            for i, oid in enumerate(oids):
                plan.param_oids[i] = OID_TEXT if oid in (0, OID_UNKNOWN) else oid
        except BaseException:
            if plan.python != NULL:
                Py_DECREF(<object>plan.python)
                plan.python = NULL
            plan_free(plan)
            raise
        return plan

    @staticmethod
    cdef int columns(Plan* plan, object columns) except -1:
        cdef PlanColumn* column
        plan.columns_known = columns is not None
        columns = list(columns or ())
        plan.column_count = len(columns)
        plan.columns = <PlanColumn*>pool_alloc(&plan.pool, (len(columns) + 1) * sizeof(PlanColumn))
        if plan.columns == NULL:
            raise MemoryError
        for i, described in enumerate(columns):
            described = tuple(described) + (-1, 0, 0)[len(described) - 2:] if len(described) < 5 else described
            column = &plan.columns[i]
            column.name = _keep(&plan.pool, described[0])
            column.name_size = strlen(column.name)
            column.type_oid = described[1] or OID_TEXT
            column.typmod = described[2] if described[2] is not None else -1
            column.table_oid = described[3] or 0
            column.attnum = described[4] or 0
        return 0

    @staticmethod
    cdef int copy_options(Plan* plan, object copy, object columns) except -1:
        names = [column[0] for column in columns]
        csv = copy.format == "csv"
        plan.kind = PLAN_COPY_IN if copy.direction == "from" else PLAN_COPY_OUT
        plan.copy.format = {"text": COPY_TEXT, "csv": COPY_CSV, "binary": COPY_BINARY}[copy.format]
        plan.copy.delimiter = ord(copy.delimiter or ("," if csv else "\t"))
        plan.copy.quote = ord(copy.quote or '"')
        plan.copy.escape = ord(copy.escape or copy.quote or '"')
        plan.copy.header = 2 if copy.header_match else bool(copy.header)
        null = copy.null if copy.null is not None else ("" if csv else "\\N")
        plan.copy.null_text = <const uint8_t*>_keep(&plan.pool, null)
        plan.copy.null_size = len(null.encode())
        plan.copy.force_quote_all = copy.force_quote == "*"
        if copy.force_quote != "*":
            plan.copy.force_quote = _flags(&plan.pool, copy.force_quote, names)
        plan.copy.force_null = _flags(&plan.pool, copy.force_null, names)
        plan.copy.force_not_null = _flags(&plan.pool, copy.force_not_null, names)
        if plan.kind == PLAN_COPY_IN:
            plan.cacheable = False
        return 0


@cython.final
cdef class Server:
    """A serving loop with its listener, roles and rings; see the module for the life of a request.

    Args:
        engine: EngineHandle of this process (store, limits).
        listen_fd: a listening, non-blocking socket (kept open by the caller), or -1 for a loop without sessions.
        worker_id: number of this process in reply tokens and cancel keys.
        bell: DoorbellHandle that producers of `replies` (and peers) ring; None makes a private one.
        roles: RoleHandles hosted by this loop, in the order they are stepped.
        commits: ChannelHandle to the adjudicator; None: engine's commit hook, or commits are refused.
        replies: ChannelHandles that bring CommitReplies.
        counters: (SharedMemory, offset) of COUNTER_BYTES for counters; None = private.
        cancel: (SharedMemory, offset, count): one word per worker for forwarded CancelRequests.
        peers: DoorbellHandles of all workers by worker id (None for this one).
        fleet: (SharedMemory, offset, count): the counters of every worker, for connections_max over all of them.
        rate: (SharedMemory, offset): the word of the token bucket they share; None = one of its own.
        startup_s: seconds a connection has to say who it is.
        tls: what TLS is served with; None answers 'N' to its request.
        tls_required: refuse a startup in clear, and one that names none of host_names (SNI) nor cluster_id (amzn-cluster-id).
        connections_max, message_bytes_max, rate_per_s (0 = off), rate_burst, lifetime_s (0 = off): see opendsql.limits.
    """

    def __cinit__(self):
        self.waiting = NULL
        self.loop.epoll_fd = -1
        if loop_init(&self.loop) < 0:
            raise MemoryError("cannot set up the serving loop")

    def __init__(self, EngineHandle engine, *, int listen_fd=-1, uint32_t worker_id=0, DoorbellHandle bell=None,
                 roles=(), ChannelHandle commits=None, replies=(), counters=None, cancel=None, peers=(),
                 uint32_t connections_max=0xFFFFFFFFU, uint32_t message_bytes_max=1 << 30, uint32_t rate_per_s=0,
                 uint32_t rate_burst=1, double lifetime_s=0, uint32_t slice_us=150, bint password=False,
                 bint startup_in_python=True, str database="postgres", str server_version="16.15",
                 TlsContext tls=None, bint tls_required=False, host_names=(), str cluster_id="", double startup_s=60,
                 fleet=None, rate=None):
        cdef SharedMemory memory
        cdef ChannelHandle channel
        cdef RoleHandle role
        cdef DoorbellHandle peer
        cdef Py_ssize_t i
        roles = list(roles)
        replies = list(replies)
        peers = list(peers)
        self.engine = engine
        self.held = [engine, bell, roles, commits, replies, counters, cancel, peers, tls, fleet, rate]
        self.sessions = {}
        self.loop.engine = &engine.engine
        self.loop.listen_fd = listen_fd
        self.loop.worker_id = worker_id
        if bell is not None:
            self.loop.bell = &bell.bell
        self.loop.roles = <Role**>calloc(len(roles) + 1, sizeof(Role*))
        self.loop.replies = <Channel**>calloc(len(replies) + 1, sizeof(Channel*))
        self.loop.peers = <Doorbell**>calloc(len(peers) + 1, sizeof(Doorbell*))
        if self.loop.roles == NULL or self.loop.replies == NULL or self.loop.peers == NULL:
            raise MemoryError
        for i in range(len(roles)):
            role = roles[i]
            self.loop.roles[i] = &role.role
        self.loop.role_count = len(roles)
        if commits is not None:
            self.loop.commits = &commits.channel
        for i in range(len(replies)):
            channel = replies[i]
            self.loop.replies[i] = &channel.channel
        self.loop.reply_count = len(replies)
        for i in range(len(peers)):
            if peers[i] is not None:
                peer = peers[i]
                self.loop.peers[i] = &peer.bell
        self.loop.peer_count = len(peers)
        if counters is not None:
            memory = counters[0]
            memory.read_u64(counters[1] + COUNTER_BYTES - 8)
            free(self.loop.counters)
            self.loop.counters = <uint64_t*>(memory.data + <size_t>counters[1])
            self.loop.counters_shared = 1
            for i in range(COUNTER_COUNT):
                self.loop.counters[i] = 0
        if cancel is not None:
            memory = cancel[0]
            memory.read_u64(cancel[1] + 8 * (cancel[2] - 1))
            self.loop.cancel_words = <uint64_t*>(memory.data + <size_t>cancel[1])
            self.loop.cancel_count = cancel[2]
        if fleet is not None:
            memory = fleet[0]
            memory.read_u64(fleet[1] + COUNTER_BYTES * fleet[2] - 8)
            self.loop.fleet = <uint64_t*>(memory.data + <size_t>fleet[1])
            self.loop.fleet_count = fleet[2]
        if rate is not None:
            memory = rate[0]
            memory.read_u64(rate[1])
            self.loop.rate_word = <uint64_t*>(memory.data + <size_t>rate[1])
        self.loop.connections_max = connections_max
        self.loop.message_bytes_max = message_bytes_max
        self.loop.rate_per_s = rate_per_s
        self.loop.rate_burst = rate_burst
        self.loop.lifetime_ns = <uint64_t>(lifetime_s * 1e9)
        self.loop.startup_ns = <uint64_t>(startup_s * 1e9)
        self.loop.slice_ns = <uint64_t>slice_us * 1000
        self.loop.password_required = password
        self.loop.startup_in_python = startup_in_python
        if tls is not None:
            self.loop.tls_calls = &tls.calls
            self.loop.tls_context = tls.context
        elif tls_required:
            raise ValueError("TLS cannot be required without a context")
        self.loop.tls_required = tls_required
        self._name(list(host_names), cluster_id.encode())
        strncpy(self.loop.database, database.encode(), sizeof(self.loop.database) - 1)
        strncpy(self.loop.server_version, server_version.encode(), sizeof(self.loop.server_version) - 1)

    cdef int _name(self, list host_names, bytes cluster_id) except -1:
        cdef bytes block = b"".join(name.lower().encode() + b"\0" for name in host_names) + b"\0"
        self.loop.host_names = <char*>malloc(len(block))
        if self.loop.host_names == NULL:
            raise MemoryError
        memcpy(self.loop.host_names, <const char*>block, len(block))
        if len(cluster_id) >= <Py_ssize_t>sizeof(self.loop.cluster_id):
            raise ValueError("a cluster id has at most 31 characters")
        memcpy(self.loop.cluster_id, <const char*>cluster_id, len(cluster_id))
        return 0

    def __dealloc__(self):
        if not self.closed and not self.running:
            loop_free(&self.loop)

    # -- the loop thread -------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Runs the loop in this thread until stop(); the GIL is released for good."""
        cdef int result
        if self.closed or self.running:
            raise ValueError("the server is closed or already running")
        self.running = True
        with nogil:
            result = loop_run(&self.loop)
            ring_fd(self.loop.python_fd)             # nobody else will wake who waits for requests
        self.running = False
        if result < 0:
            raise RuntimeError("a role of this process failed; see its log")

    def start(self) -> threading.Thread:
        """Runs the loop in a new thread."""
        thread = threading.Thread(target=self.run, name="opendsql-loop", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Asks the loop to end; clients are told 57P01."""
        self.loop.stop_requested = 1
        loop_wake(&self.loop)

    def drain(self, double seconds) -> None:
        """Asks the loop to end gently: nobody new, idle sessions are told 57P01 at once, the others when their transaction
        is over, at the latest after `seconds`."""
        self.loop.drain_ns = <uint64_t>(max(seconds, 0.001) * 1e9)
        loop_wake(&self.loop)

    def advance(self, double seconds) -> None:
        """Moves the clock that lifetimes are measured by, for tests."""
        self.loop.ahead_ns += <uint64_t>(seconds * 1e9)
        self.loop.sweep_at_ns = 0
        loop_wake(&self.loop)

    def close(self) -> None:
        """Frees everything once the loop has ended."""
        if self.running:
            raise ValueError("stop the loop first")
        if not self.closed:
            self.closed = True
            self._empty_trash()
            loop_free(&self.loop)
            self._empty_trash()
            self.sessions.clear()
            self.held = None

    # -- requests --------------------------------------------------------------------------------------------------

    cdef void _empty_trash(self):
        cdef Plan* plan = plan_cache_take_trash(&self.loop.cache)
        cdef Plan* next
        while plan != NULL:
            next = plan.trash
            if plan.python != NULL:
                Py_DECREF(<object>plan.python)
                plan.python = NULL
            plan_free(plan)
            plan = next

    cdef Request* _take(self) noexcept:
        cdef Request* request
        if self.waiting == NULL:
            self.waiting = take_all(&self.loop.requests)
        request = self.waiting
        if request != NULL:
            self.waiting = request.next
        return request

    def next_request(self, double timeout=-1.0):
        """The next request, or None after `timeout` seconds (negative: wait for ever). Waits without the GIL."""
        cdef Request* request
        cdef pollfd wait
        cdef int milliseconds = -1 if timeout < 0 else <int>(timeout * 1000)
        cdef WireRequest found
        self._empty_trash()
        request = self._take()
        if request == NULL and milliseconds != 0:
            dsql_exchange(&self.loop.python_sleeping, 1)
            if dsql_load_acquire(&self.loop.requests) == 0:
                wait.fd = self.loop.python_fd
                wait.events = POLLIN
                wait.revents = 0
                with nogil:
                    poll(&wait, 1, milliseconds)
                    drain_fd(self.loop.python_fd)
            dsql_exchange(&self.loop.python_sleeping, 0)
            request = self._take()
        if request == NULL:
            return None
        found = WireRequest.__new__(WireRequest)
        found.c_request = request
        found.server = self
        key = <uint64_t>request.conn
        kept = self.sessions.get(key)
        if kept is None:
            kept = [session_handle(request.conn.session, self.engine), None]
            self.sessions[key] = kept
        found.session = kept[0]
        found.state = kept[1]
        return found

    cdef void _push(self, WireRequest request):
        cdef Request* c_request = request.c_request
        request.c_request = NULL
        push_one(&self.loop.completions, c_request)
        dsql_fence_seq_cst()
        loop_wake(&self.loop)

    def complete(self, WireRequest request not None, outcome=None) -> None:
        """Answers a request: an exception refuses it, else what its kind asks for."""
        cdef Request* c_request = request._need()
        cdef uint8_t kind = c_request.kind
        if isinstance(outcome, BaseException):
            self._refuse(request, outcome)
        elif kind == REQUEST_PLAN:
            try:
                c_request.plan = _PlanBuilder.build(c_request, outcome)
            except BaseException as error:
                self._refuse(request, error)
        elif kind == REQUEST_RUN:
            try:
                self._rows(c_request, outcome)
            except BaseException as error:
                c_request.prefix.size = 0
                self._refuse(request, error)
        elif kind == REQUEST_STEP:
            raise ValueError("a step is made by step(), not completed")
        if kind == REQUEST_CLOSE:
            self._forget(c_request)
        self._push(request)

    cdef void _forget(self, Request* request):
        # The loop frees the session next: nobody may use its handle any more.
        kept = self.sessions.pop(<uint64_t>request.conn, None)
        if kept is not None:
            (<SessionHandle>kept[0]).detach()

    cdef void _refuse(self, WireRequest request, object error):
        request.c_request.failed = 1
        if request.c_request.conn.session != NULL:
            _set_error(&request.c_request.conn.session.error, error)

    def step(self, WireRequest request not None, int64_t budget_us=2000) -> None:
        """Makes one step of a program that calls Python functions, and answers."""
        cdef Request* c_request = request._need()
        cdef Batch* batch = NULL
        if c_request.kind != REQUEST_STEP:
            raise ValueError("not a step request")
        with nogil:
            c_request.step = execution_step(c_request.conn.execution, budget_us * 1000, &batch)
        c_request.batch = batch
        self._push(request)

    cdef int _rows(self, Request* request, object result) except -1:
        cdef Buffer* prefix = &request.prefix
        cdef Buffer* rows = &request.rows
        cdef bytes raw
        cdef size_t begin
        for notice in getattr(result, "notices", None) or ():
            _put_notice(prefix, notice)
        for name, value in getattr(result, "reports", None) or ():
            put_parameter_status(prefix, str(name).encode(), str(value).encode())
        columns = list(result.columns or ())
        if not columns and request.plan.column_count:
            request.column_count = request.plan.column_count
            if request.conn.simple:
                put_row_description(prefix, request.plan, NULL, 0)
        elif columns:
            request.column_count = len(columns)
            if request.conn.simple:
                begin = message_begin(prefix, c'T')
                self._describe(prefix, columns)
                message_end(prefix, begin)
        for row in result.rows or ():
            if len(row) != request.column_count:
                raise ValueError(f"a row of {len(row)} values for {request.column_count} columns")
            for value in row:
                if value is None:
                    put_u32(rows, 0xFFFFFFFFU)
                else:
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    put_u32(rows, len(raw))
                    buffer_append(rows, <const char*>raw, len(raw))
            request.row_count += 1
        if prefix.failed or rows.failed:
            raise MemoryError
        raw = str(result.tag).encode()[:63]
        memcpy(request.tag, <const char*>raw, len(raw))
        request.tag[len(raw)] = 0
        return 0

    cdef void _describe(self, Buffer* out, list columns):
        cdef bytes raw = len(columns).to_bytes(2, "big")
        for column in columns:
            oid = column[1] or OID_TEXT
            typmod = column[2] if len(column) > 2 and column[2] is not None else -1
            raw += column[0].encode() + b"\0" + bytes(6) + oid.to_bytes(4, "big")
            raw += type_length(oid).to_bytes(2, "big", signed=True) + typmod.to_bytes(4, "big", signed=True) + bytes(2)
        buffer_append(out, <const char*>raw, len(raw))

    # -- inspection ------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> dict:
        """Counters of this loop."""
        return {name: self.loop.counters[i] for i, name in enumerate(COUNTER_NAMES)}

    @property
    def cache_hits(self) -> tuple:
        """(hits, misses) of the plan cache."""
        return self.loop.cache.hits, self.loop.cache.misses
