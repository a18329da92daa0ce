"""Sessions: making and freeing them, and the C face over transactions and executions (session.pxd says what holds).

Invariants
  N1  session_free finds no open execution; it rolls the transaction back and frees what the session kept for reuse.

Owner of the memory: session_new mallocs, session_free frees; the Engine outlives its sessions.
"""

from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec

from dsql_core.base.atomic cimport dsql_check
from dsql_core.execute cimport checks
from dsql_core.execute cimport execution as runs
from dsql_core.execute cimport program as programs
from dsql_core.execute cimport transaction as transactions
from dsql_core.execute.known cimport known_use
from dsql_core.base.memory cimport pool_init
from dsql_core.execute.pending cimport pending_free, pending_set_all, pending_set_mode
from dsql_core.execute.writeset cimport writeset_free, writeset_init
from dsql_core.storage.store cimport store_catalog_version


cdef enum:
    # Memory of a write set, in transaction size limits: refused at COMMIT, but not by filling the worker before.
    WRITES_PER_LIMIT = 16


cdef extern from "sys/random.h" nogil:
    ssize_t getrandom(void* data, size_t size, unsigned int flags) noexcept

cdef extern from "unistd.h" nogil:
    int getpid() noexcept


cdef uint64_t _random_word(uint64_t salt) noexcept nogil:
    cdef uint64_t word = 0
    cdef timespec now
    if getrandom(&word, sizeof(word), 0) != sizeof(word):
        clock_gettime(CLOCK_REALTIME, &now)
        word = (<uint64_t>now.tv_sec << 30) ^ <uint64_t>now.tv_nsec ^ (<uint64_t>getpid() << 44) ^ salt
    return word


cdef void engine_init(Engine* engine, Store* store, uint32_t worker_id) noexcept nogil:
    memset(engine, 0, sizeof(Engine))
    engine.store = store
    engine.worker_id = worker_id
    engine.limits.rows_max = <uint64_t>-1
    engine.limits.bytes_max = <uint64_t>-1
    engine.limits.age_max_us = INT64_MAX
    engine.limits.key_bytes_max = <uint32_t>-1
    engine.limits.column_bytes_max = <uint32_t>-1
    engine.limits.row_bytes_max = <uint32_t>-1
    engine.limits.row_raw_max = <uint32_t>-1
    engine.entropy = _random_word(worker_id)
    engine.hidden_counter = _random_word(worker_id + 1) >> 20


cdef Session* session_new(Engine* engine) noexcept nogil:
    cdef Session* session = <Session*>malloc(sizeof(Session))
    if session == NULL:
        return NULL
    memset(session, 0, sizeof(Session))
    session.engine = engine
    session.format.extra_float_digits = 1
    session.random_state = _random_word(<uint64_t>session) | 1
    session.token = session.random_state * <uint64_t>0xD6E8FEB86659FD93
    pool_init(&session.pending_pool, 0)
    writeset_init(&session.writes, session.random_state ^ <uint64_t>0x9E3779B97F4A7C15)
    if engine.limits.bytes_max < (<uint64_t>1 << 40):
        session.writes.pool.bytes_limit = WRITES_PER_LIMIT * engine.limits.bytes_max
    return session


cdef void session_free(Session* session) noexcept nogil:
    if session == NULL:
        return
    checks.checks_close(session)
    dsql_check(session.open_count == 0, "N1: a session is freed while an execution is open")
    transactions.transaction_end(session)
    runs.execution_free_spares(session)
    pending_free(session)
    writeset_free(&session.writes)
    free(session.checks)
    free(session.used_tables)
    free(session.known)
    free(session)


cdef int session_pin(Session* session) noexcept nogil:
    return transactions.transaction_pin(session)


cdef uint64_t session_catalog_version(Session* session) noexcept nogil:
    if session.is_pinned:
        return session.snapshot.catalog_version
    return store_catalog_version(session.engine.store)


cdef int session_check(Session* session) noexcept nogil:
    return transactions.transaction_check(session)


cdef int session_use_names(Session* session, const Program* program) noexcept nogil:
    return known_use(session, program.names, program.name_count)


cdef void txn_begin(Session* session, int is_explicit, int read_only) noexcept nogil:
    transactions.transaction_begin(session, is_explicit, read_only)


cdef void txn_rollback(Session* session) noexcept nogil:
    checks.checks_close(session)
    transactions.transaction_end(session)


cdef void txn_fail(Session* session) noexcept nogil:
    transactions.transaction_fail(session)


cdef int txn_has_checks(const Session* session) noexcept nogil:
    return session.pending_count != 0 or session.checking != NULL


cdef int txn_check_step(Session* session, int scope, int64_t budget_ns) noexcept nogil:
    return checks.checks_step(session, scope, budget_ns)


cdef int txn_set_constraint(Session* session, oid_t constraint, int is_deferred) noexcept nogil:
    return pending_set_mode(session, constraint, is_deferred)


cdef void txn_set_constraints(Session* session, int is_deferred) noexcept nogil:
    pending_set_all(session, is_deferred)


cdef int txn_commit_request(Session* session, Buffer* out) noexcept nogil:
    return transactions.transaction_request(session, out)


cdef int txn_finish(Session* session, uint16_t reply_status) noexcept nogil:
    return transactions.transaction_finish(session, reply_status)


cdef Execution* execution_open(Session* session, Program* program, const Value* params, uint32_t count) noexcept nogil:
    return runs.execution_begin(session, program, params, count)


cdef int execution_step(Execution* execution, int64_t budget_ns, Batch** out) noexcept nogil:
    return runs.execution_run(execution, budget_ns, out)


cdef uint64_t execution_row_count(const Execution* execution) noexcept nogil:
    return execution.row_count


cdef void execution_cancel(Execution* execution) noexcept nogil:
    execution.cancelled = 1


cdef void execution_enable_stats(Execution* execution, int timing) noexcept nogil:
    runs.execution_count(execution, timing)


cdef void execution_close(Execution* execution) noexcept nogil:
    runs.execution_end(execution)


cdef void program_retain(Program* program) noexcept nogil:
    programs.program_retain(program)


cdef void program_release(Program* program) noexcept nogil:
    programs.program_release(program)
