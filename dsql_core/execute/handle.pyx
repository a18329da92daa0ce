"""EngineHandle and SessionHandle: engine and session for Python.

SessionHandle serves the planner thread while the loop has parked the session (DDL, catalog functions), embedded use
and tests. Long work runs without the GIL.

Invariants
  H1  a handle whose session is gone (close, detach) raises on every use.
  H2  only handles made by EngineHandle.session() commit: in a serving worker the loop does.

Owner of the memory: an owned handle frees its Session; a borrowed one never does.
"""

import cython

from libc.stdint cimport INT64_MAX
from libc.string cimport memcpy as _copy, memset

from dsql_core.base.error cimport dsql_error_clear
from dsql_core.base.memory cimport buffer_free, buffer_init, pool_alloc, pool_free, pool_init
from dsql_core.base.types cimport Slice, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.execute.compile_expr cimport error_of
from dsql_core.execute.keyrange cimport KeyRange
from dsql_core.execute.known cimport known_forget, known_is_stale, known_use
from dsql_core.execute.session cimport (CHECKS_ALL, CHECKS_DUE, STEP_ERROR, STEP_ROWS, STEP_YIELD, TXN_FAILED, TXN_IMPLICIT, TXN_OPEN,
                                        engine_init, execution_close, execution_enable_stats, execution_open,
                                        execution_row_count, execution_step, session_catalog_version, session_check,
                                        session_free, session_new, session_pin, txn_begin, txn_check_step, txn_commit_request,
                                        txn_fail, txn_has_checks, txn_set_constraint, txn_set_constraints,
                                        txn_finish, txn_rollback)
from dsql_core.execute.transaction cimport monotonic_ns, transaction_add_check, transaction_use_table
from dsql_core.execute.vectors cimport vector_value
from dsql_core.execute.walk cimport Walk, walk_changes, walk_fetch, walk_get, walk_open, walk_seek
from dsql_core.execute.writeset cimport COMMAND_LATEST, writeset_drop_tree, writeset_write
from dsql_core.storage.arena cimport Arena
from dsql_core.types.io cimport type_input, type_output
from dsql_core.types.timezone cimport timezone_find

from dsql_core.codec.face import RowCodec

cdef enum:
    NAMES_MAX = 64                 # of one call

cdef tuple _STATES = ("idle", "implicit", "open", "failed")


cdef int _commit_python(void* context, Buffer* request) noexcept with gil:
    # Engine.commit for a Python callable. An exception leaves the outcome unknown (REPLY_UNKNOWN).
    cdef EngineHandle handle = <EngineHandle>context
    try:
        return handle.commit(request.data[:request.size])
    except BaseException:
        return 6


@cython.final
cdef class EngineHandle:
    """One process's engine: the arena it reads, its worker number, its limits, its way to commit.

    Args:
        arena: dsql_core.storage.Arena.
        worker_id: number of this worker, part of hidden keys.
        commit: commit_fn(request: bytes) -> status; None when a loop sends the requests.
        limits: opendsql.limits.Limits or an object like it; None = nothing is limited.
    """

    def __init__(self, Arena arena not None, int worker_id=0, commit=None, limits=None):
        self.arena = arena
        self.commit = commit
        self.limits = limits
        engine_init(&self.engine, arena.store, worker_id)
        if commit is not None:
            self.engine.commit = _commit_python
            self.engine.commit_context = <void*>self
        if limits is not None:
            self.set_limits(limits)

    def set_limits(self, limits) -> None:
        """Enforce other limits from now on (sessions made before keep the bound of their write set's memory)."""
        cdef Limits* ours = &self.engine.limits
        self.limits = limits
        ours.rows_max = limits.transaction_rows_max or <uint64_t>-1
        ours.bytes_max = limits.transaction_bytes_max
        ours.age_max_us = limits.transaction_age_max_s * 1000000 or INT64_MAX
        ours.query_memory_max = limits.query_memory_bytes_max
        ours.key_bytes_max = limits.key_bytes_max
        ours.column_bytes_max = min(limits.column_bytes_max, <uint32_t>-1)
        ours.row_bytes_max = min(limits.row_bytes_max, <uint32_t>-1)
        ours.key_part_bytes = limits.KEY_PART_BYTES
        ours.key_cost_factor = limits.KEY_COST_FACTOR
        ours.row_cost = limits.ROW_COST_BYTES
        ours.compressed_from = limits.COMPRESSED_FROM_BYTES
        ours.row_raw_max = limits.ROW_BYTES_RAW_MAX

    @property
    def clock_offset_us(self) -> int:
        """Microseconds added to every reading of the wall clock (tests of time limits)."""
        return self.engine.clock_offset_us

    @clock_offset_us.setter
    def clock_offset_us(self, int64_t value):
        self.engine.clock_offset_us = value

    def session(self):
        """A new session that commits its own implicit transactions."""
        cdef SessionHandle handle = SessionHandle.__new__(SessionHandle)
        handle.session = session_new(&self.engine)
        if handle.session == NULL:
            raise MemoryError
        handle.owner = self
        handle.is_owned = True
        return handle


cdef SessionHandle session_handle(Session* session, object owner):
    cdef SessionHandle handle = SessionHandle.__new__(SessionHandle)
    handle.session = session
    handle.owner = owner
    handle.is_owned = False
    return handle


@cython.final
cdef class SessionHandle:
    """A session as Python sees it: transaction control, catalog trees, running programs."""

    def __dealloc__(self):
        if self.session != NULL and self.is_owned:
            session_free(self.session)
        self.session = NULL

    def close(self) -> None:
        """Roll back and free an owned session."""
        if self.session != NULL and self.is_owned:
            session_free(self.session)
        self.session = NULL

    def detach(self) -> None:
        """The loop is about to free the session: later use of the handle raises."""
        self.session = NULL

    def aside(self):
        """A new session whose commits are not part of this one's transaction; close it."""
        return (self.owner.aside or self.owner).session()

    cdef int _alive(self) except -1:
        if self.session == NULL:
            raise RuntimeError("the session is closed")
        return 0

    cdef int _raise(self) except -1:
        # The session's error as an exception; the slot is cleared.
        error = error_of(&self.session.error)
        dsql_error_clear(&self.session.error)
        raise error

    @property
    def limits(self) -> object:
        """What its engine enforces (opendsql.limits.Limits), None = nothing."""
        return getattr(self.owner, "limits", None)

    # -- transactions --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """idle, implicit, open or failed."""
        self._alive()
        return _STATES[self.session.txn_state]

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN was said and not yet ended."""
        self._alive()
        return self.session.txn_state == TXN_OPEN or self.session.txn_state == TXN_FAILED

    @property
    def read_only(self) -> bool:
        """Whether the transaction may not write."""
        self._alive()
        return bool(self.session.is_read_only)

    @property
    def default_read_only(self) -> bool:
        """SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY."""
        self._alive()
        return bool(self.session.default_read_only)

    @default_read_only.setter
    def default_read_only(self, bint value):
        self._alive()
        self.session.default_read_only = value

    @property
    def catalog_version(self) -> int:
        """Of the snapshot the transaction reads, else the newest."""
        self._alive()
        return session_catalog_version(self.session)

    @property
    def snapshot_ts(self) -> int:
        """visible_ts of the pinned snapshot (pins one if need be)."""
        self._alive()
        if session_pin(self.session) < 0:
            self._raise()
        return self.session.snapshot.visible_ts

    @property
    def did_ddl(self) -> bool:
        """A DDL statement ran in this transaction."""
        self._alive()
        return bool(self.session.did_ddl)

    @did_ddl.setter
    def did_ddl(self, bint value):
        self._alive()
        self.session.did_ddl = value

    @property
    def did_dml(self) -> bool:
        """A statement that changes rows ran in this transaction."""
        self._alive()
        return bool(self.session.did_dml)

    @did_dml.setter
    def did_dml(self, bint value):
        self._alive()
        self.session.did_dml = value

    @property
    def rows_changed(self) -> int:
        """Rows changed so far in the transaction."""
        self._alive()
        return self.session.rows_changed

    @property
    def txn_id(self) -> bytes:
        """Id of the last commit request."""
        self._alive()
        return self.session.txn_id[:16]

    @property
    def transaction_us(self) -> int:
        """now() of the transaction: microseconds since 2000-01-01 UTC."""
        self._alive()
        return self.session.txn_start_us

    def check(self) -> None:
        """Raise when the transaction has failed (25P02) or is too old (54000)."""
        self._alive()
        if session_check(self.session) < 0:
            self._raise()

    def begin(self, bint explicit=True, bint read_only=False) -> None:
        """BEGIN (or, not explicit, the implicit transaction of a statement)."""
        self._alive()
        txn_begin(self.session, explicit, read_only)

    def rollback(self) -> None:
        """End the transaction, dropping its changes."""
        self._alive()
        txn_rollback(self.session)

    def fail(self) -> None:
        """A statement failed outside an execution: an open transaction is failed, an implicit one rolled back."""
        self._alive()
        txn_fail(self.session)

    def commit(self) -> bool:
        """COMMIT through the engine's commit function; False when the transaction had failed and was rolled back."""
        cdef Buffer request
        cdef int r
        cdef int status
        cdef bint failed
        self._alive()
        failed = self.session.txn_state == TXN_FAILED
        if self.session.engine.commit == NULL:
            raise RuntimeError("the loop commits this session")
        buffer_init(&request)
        with nogil:
            if not failed and txn_has_checks(self.session) and \
                    txn_check_step(self.session, CHECKS_ALL, 0) == STEP_ERROR:
                txn_rollback(self.session)
                r = -1
            else:
                r = txn_commit_request(self.session, &request)
            if r == 1:
                status = self.session.engine.commit(self.session.engine.commit_context, &request)
                r = txn_finish(self.session, <uint16_t>status)
        buffer_free(&request)
        if r < 0:
            self._raise()
        return not failed

    def set_constraints(self, bint deferred, oids=None) -> None:
        """SET CONSTRAINTS: the foreign keys of these oids, None = ALL. What becomes immediate is checked now; raises."""
        cdef int r
        self._ready(False)
        if oids is None:
            txn_set_constraints(self.session, deferred)
        for oid in oids or ():
            if txn_set_constraint(self.session, oid, deferred) < 0:
                self._raise()
        if not deferred:
            with nogil:
                r = txn_check_step(self.session, CHECKS_DUE, 0)
            if r == STEP_ERROR:
                self._raise()

    # -- trees ---------------------------------------------------------------------------------------------------------

    cdef int _ready(self, bint writing) except -1:
        self._alive()
        if session_check(self.session) < 0 or session_pin(self.session) < 0:
            self._raise()
        if writing and self.session.command == 0:
            self.session.command = 1
        return 0

    def get(self, uint64_t tree, bytes key not None):
        """Value of a key through the transaction's own writes, or None."""
        cdef Pool pool
        cdef Slice value
        cdef int r
        cdef uint32_t root
        self._ready(False)
        pool_init(&pool, 0)
        changes = walk_changes(self.session, tree, &root)
        try:
            r = walk_get(self.session, root, changes, COMMAND_LATEST, <const uint8_t*><const char*>key, len(key), &pool,
                         &value)
            if r < 0:
                raise OSError(f"tree {tree} is corrupt")
            return value.data[:value.size] if r == 1 else None
        finally:
            pool_free(&pool)

    def scan(self, uint64_t tree, bytes lo=None, bytes hi=None, bint backward=False, limit=None) -> list:
        """(key, value) pairs with lo <= key < hi through the transaction's own writes."""
        cdef Pool pool
        cdef Walk walk
        cdef KeyRange bounds
        cdef Slice keys[64]
        cdef Slice values[64]
        cdef int n
        cdef int i
        cdef list found = []
        self._ready(False)
        bounds.start.data = <const uint8_t*><const char*>lo if lo is not None else NULL
        bounds.start.size = len(lo) if lo is not None else 0
        bounds.stop.data = <const uint8_t*><const char*>hi if hi is not None else NULL
        bounds.stop.size = len(hi) if hi is not None else 0
        pool_init(&pool, 0)
        try:
            walk_open(&walk, self.session, tree, COMMAND_LATEST, backward)
            n = walk_seek(&walk, self.session, &bounds)
            while n >= 0:
                n = walk_fetch(&walk, 64, &pool, keys, values)
                if n <= 0:
                    break
                for i in range(n):
                    found.append((keys[i].data[:keys[i].size], values[i].data[:values[i].size]))
                    if limit is not None and len(found) >= limit:
                        return found
            if n < 0:
                raise OSError(f"tree {tree} is corrupt")
            return found
        finally:
            pool_free(&pool)

    cdef int _write(self, uint64_t tree, bytes key, bytes value) except -1:
        cdef const uint8_t* image = <const uint8_t*><const char*>value if value is not None else NULL
        self._ready(True)
        if writeset_write(&self.session.writes, tree, <const uint8_t*><const char*>key, len(key), image,
                          len(value) if value is not None else 0, value is None, self.session.command, 2) == NULL:
            raise MemoryError
        return 0

    def put(self, uint64_t tree, bytes key not None, bytes value not None, checks=()) -> None:
        """Write a key; checks are fingerprints with CHECK_* flags."""
        self._write(tree, key, value)
        for check in checks:
            self.add_check(check)

    def delete(self, uint64_t tree, bytes key not None, checks=()) -> None:
        """Delete a key."""
        self._write(tree, key, None)
        for check in checks:
            self.add_check(check)

    def drop_tree(self, uint64_t tree) -> None:
        """Drop a whole tree at commit; it reads as empty from now on."""
        self._ready(True)
        if writeset_drop_tree(&self.session.writes, tree) < 0:
            raise MemoryError

    def add_check(self, uint64_t check) -> None:
        """Add a fingerprint with CHECK_* flags to the commit."""
        self._ready(True)
        if transaction_add_check(self.session, check) < 0:
            self._raise()

    def use_table(self, uint32_t oid) -> None:
        """The transaction depends on the table's definition."""
        self._ready(False)
        if transaction_use_table(self.session, oid) < 0:
            self._raise()

    cdef int _names(self, object names, uint64_t* out) except -1:
        # Numbers of names, as many as fit.
        cdef int count = 0
        for name in names:
            if count == NAMES_MAX:
                break
            out[count] = name
            count += 1
        return count

    def use_names(self, names) -> None:
        """The statement depends on these catalog names (numbers of catalog/versions.py); raises OC001."""
        cdef uint64_t numbers[NAMES_MAX]
        cdef int count = self._names(names, numbers)
        self._ready(False)
        if known_use(self.session, numbers, count) < 0:
            self._raise()

    def has_outdated(self, names) -> bool:
        """Whether somebody else changed one of these names since the session used it: it is up to date from now on."""
        cdef uint64_t numbers[NAMES_MAX]
        cdef int count = self._names(names, numbers)
        self._ready(False)
        if not known_is_stale(self.session, numbers, count):
            return False
        known_forget(self.session)
        return True

    @property
    def token(self) -> int:
        """Who the session is in the changes of names it makes."""
        self._alive()
        return self.session.token

    def mark_catalog_change(self) -> None:
        """The commit raises the catalog version."""
        self._ready(True)
        self.session.catalog_changed = 1

    def next_command(self) -> None:
        """Later reads of programs see what was put so far."""
        self._ready(True)
        self.session.command += 1

    # -- settings ------------------------------------------------------------------------------------------------------

    def set_timezone(self, name) -> bool:
        """Set the session time zone; None or 'UTC' is UTC. False when unknown."""
        cdef bytes encoded
        self._alive()
        if name is None or name.upper() in ("UTC", "GMT"):
            self.session.format.timezone = NULL
            return True
        encoded = name.encode("utf-8")
        zone = timezone_find(<const uint8_t*><const char*>encoded, len(encoded))
        if zone == NULL:
            return False
        self.session.format.timezone = zone
        return True

    def set_format(self, date_style=None, date_order=None, interval_style=None, bytea_escape=None,
                   extra_float_digits=None) -> None:
        """Change output formats (numbers as in types/io.pxd)."""
        self._alive()
        if date_style is not None:
            self.session.format.date_style = date_style
        if date_order is not None:
            self.session.format.date_order = date_order
        if interval_style is not None:
            self.session.format.interval_style = interval_style
        if bytea_escape is not None:
            self.session.format.bytea_escape = bytea_escape
        if extra_float_digits is not None:
            self.session.format.extra_float_digits = extra_float_digits

    @property
    def format_address(self) -> int:
        """Where the core keeps the session's format settings (Program.compile reads constants with them)."""
        self._alive()
        return <size_t>&self.session.format

    @property
    def format(self) -> dict:
        """Output formats in force, but the time zone."""
        self._alive()
        return {"date_style": self.session.format.date_style, "date_order": self.session.format.date_order,
                "interval_style": self.session.format.interval_style,
                "bytea_escape": self.session.format.bytea_escape,
                "extra_float_digits": self.session.format.extra_float_digits}

    @staticmethod
    def encode_row(type_oids, values) -> bytes:
        """Row image of texts (None = NULL)."""
        return RowCodec(type_oids).encode(values)

    @staticmethod
    def decode_row(type_oids, bytes image not None) -> list:
        """Texts of a row image."""
        return list(RowCodec(type_oids).decode(image))

    # -- programs ------------------------------------------------------------------------------------------------------

    cdef int _params(self, ProgramHandle program, object params, Pool* pool, Value* out) except -1:
        cdef uint32_t i
        cdef bytes encoded
        for i in range(program.c_program.param_count):
            memset(&out[i], 0, sizeof(Value))
            text = params[i]
            if text is None:
                out[i].type_oid = program.c_program.param_types[i]
                out[i].is_null = 1
                continue
            encoded = str(text).encode("utf-8")
            if type_input(program.c_program.param_types[i], -1, <const uint8_t*><const char*>encoded, len(encoded),
                          &self.session.format, pool, &out[i], &self.session.error) < 0:
                txn_fail(self.session)
                self._raise()
            # A result may point at the text, which dies with this frame.
            if out[i].phys == 8:
                data = pool_alloc(pool, out[i].v.var.size + 1)
                if data == NULL:
                    raise MemoryError
                _copy(data, out[i].v.var.data, out[i].v.var.size)
                out[i].v.var.data = <const uint8_t*>data
        return 0

    cdef list _rows(self, Batch* batch, Buffer* text, list rows):
        cdef uint32_t i
        cdef uint32_t c
        cdef uint32_t row
        cdef Value value
        for i in range(batch.sel_count):
            row = i if batch.sel == NULL else batch.sel[i]
            fields = []
            for c in range(batch.column_count):
                vector_value(&batch.columns[c], row, &value)
                if value.is_null:
                    fields.append(None)
                    continue
                text.size = 0
                if type_output(&value, &self.session.format, text) < 0 or text.failed:
                    raise MemoryError
                fields.append(text.data[:text.size].decode("utf-8", "surrogateescape") if text.size else "")
            rows.append(tuple(fields))
        return rows

    def execute(self, ProgramHandle program not None, params=(), *, int64_t budget_ns=0, stats=None):
        """Run a program to its end: (columns, rows of texts, row count).

        Args:
            params: texts (None = NULL), one per statement parameter.
            budget_ns: budget per step; the steps follow each other at once (tests of resumption).
            stats: a dict to be filled: "nodes" in node id order, a dict of NodeStats' fields each, "steps", "yields".
                On the way in {"timing": False} leaves the times out, {"discard": True} the rows.
        """
        cdef Execution* x
        cdef Pool pool
        cdef Buffer text
        cdef Batch* batch = NULL
        cdef Value* values
        cdef int r = STEP_ERROR
        cdef uint64_t steps = 0
        cdef uint64_t count
        cdef uint32_t given = program.c_program.param_count
        cdef uint32_t i
        cdef list rows = []
        cdef str kind = program.kind
        cdef bint keep = stats is None or not stats.get("discard")
        self._alive()
        if kind != "query":
            return self._control(program, kind)
        if len(params) != given:
            raise ValueError(f"{len(params)} parameters for {given}")
        pool_init(&pool, 0)
        buffer_init(&text)
        x = NULL
        try:
            values = <Value*>pool_alloc(&pool, (given + 1) * sizeof(Value))
            if values == NULL:
                raise MemoryError
            self._params(program, params, &pool, values)
            with nogil:
                x = execution_open(self.session, program.c_program, values, given)
            if x == NULL:
                self._raise()
            if stats is not None:
                execution_enable_stats(x, bool(stats.get("timing", True)))
            while True:
                with nogil:
                    r = execution_step(x, budget_ns, &batch)
                steps += 1
                if r == STEP_ROWS:
                    if keep:
                        self._rows(batch, &text, rows)
                elif r != STEP_YIELD:
                    break
            if r == STEP_ERROR:
                self._raise()
            count = execution_row_count(x)
            if stats is not None:
                stats["nodes"] = [x.stats[i] for i in range(program.c_program.node_count)]
                stats["steps"] = steps
                stats["yields"] = x.yield_count
        except BaseException:
            if self.session != NULL and r != STEP_ERROR:
                txn_fail(self.session)
            raise
        finally:
            if x != NULL:
                execution_close(x)
            buffer_free(&text)
            pool_free(&pool)
        if self.is_owned and self.session.txn_state == TXN_IMPLICIT and self.session.engine.commit != NULL:
            self.commit()
        return program.columns, rows, count

    def _control(self, ProgramHandle program, str kind):
        if kind == "begin":
            if self.session.txn_state == TXN_FAILED:
                self.check()
            self.begin(True, program.c_program.begin_read_only)
        elif kind == "commit":
            self.commit()
        elif kind == "rollback":
            self.rollback()
        return program.columns, [], 0

    def bench(self, ProgramHandle program not None, params=(), uint32_t rounds=1) -> int:
        """Run a program `rounds` times without the GIL and without making Python rows; nanoseconds in all.

        Implicit transactions are rolled back, so this measures execution, not commit."""
        cdef Execution* x
        cdef Pool pool
        cdef Batch* batch = NULL
        cdef Value* values
        cdef int r = 0
        cdef uint32_t _round
        cdef int64_t start
        self._alive()
        pool_init(&pool, 0)
        try:
            values = <Value*>pool_alloc(&pool, (program.c_program.param_count + 1) * sizeof(Value))
            self._params(program, params, &pool, values)
            start = monotonic_ns()
            with nogil:
                for _round in range(rounds):
                    x = execution_open(self.session, program.c_program, values, program.c_program.param_count)
                    if x == NULL:
                        r = STEP_ERROR
                        break
                    r = STEP_ROWS
                    while r == STEP_ROWS or r == STEP_YIELD:
                        r = execution_step(x, 0, &batch)
                    execution_close(x)
                    if r == STEP_ERROR:
                        break
                    if self.session.txn_state == TXN_IMPLICIT:
                        txn_rollback(self.session)
            if r == STEP_ERROR:
                self._raise()
            return monotonic_ns() - start
        finally:
            pool_free(&pool)
