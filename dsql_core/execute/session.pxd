# The C face of the execute package for the serving loop: sessions, transactions, executions. All without the GIL.
#
# Life of a statement: execution_open (begins an implicit transaction when idle, pins the snapshot, checks age and
# failed state) -> execution_step until STEP_DONE -> execution_close. Then, when the session is TXN_IMPLICIT and the
# statement was the last before Sync: txn_commit_request -> send -> await CommitReply -> txn_finish.
#
# Errors: a function that fails has set session.error. It has also dealt with the transaction: TXN_OPEN became
# TXN_FAILED, an implicit one was rolled back (TXN_IDLE). The caller reports session.error and clears it with
# dsql_error_clear. Executions still open in that transaction may only be closed.
#
# Python: dsql_core.execute.handle (SessionHandle, EngineHandle), dsql_core.execute.program (ProgramHandle = Program).
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int64_t, oid_t, uint16_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch, Value
from dsql_core.execute.checks cimport CHECKS_ALL, CHECKS_COPY, CHECKS_DUE
from dsql_core.execute.state cimport (Engine, Execution, Limits, Program, Session, STEP_DONE, STEP_ERROR, STEP_ROWS,
                                      STEP_YIELD, TXN_FAILED, TXN_IDLE, TXN_IMPLICIT, TXN_OPEN)
from dsql_core.storage.store cimport Store

cdef void engine_init(Engine* engine, Store* store, uint32_t worker_id) noexcept nogil    # no limits
cdef Session* session_new(Engine* engine) noexcept nogil               # NULL = no memory
cdef void session_free(Session* session) noexcept nogil                # rolls back; every execution must be closed

# Pins the snapshot if the transaction has none yet (begins an implicit one when idle). 0, -1 error set.
cdef int session_pin(Session* session) noexcept nogil
# Of the snapshot the transaction reads; when idle of the newest published root (nothing is begun).
cdef uint64_t session_catalog_version(Session* session) noexcept nogil
# 0, or -1: failed transaction (25P02) or too old (54000). For statements that run no program.
cdef int session_check(Session* session) noexcept nogil

# The names a program depends on, as execution_open will: 0, -1 OC001 (error set; the caller fails the transaction).
cdef int session_use_names(Session* session, const Program* program) noexcept nogil

# BEGIN: idle or implicit becomes TXN_OPEN (nothing happens in an open one: the caller warns 25001).
cdef void txn_begin(Session* session, int is_explicit, int read_only) noexcept nogil
cdef void txn_rollback(Session* session) noexcept nogil                # any state -> TXN_IDLE
# An error that arose outside an execution (planning, Python handler): as if a statement had failed.
cdef void txn_fail(Session* session) noexcept nogil
# Deferred checks. A transaction that has any makes them (STEP_DONE) before txn_commit_request: checks.pxd.
cdef int txn_has_checks(const Session* session) noexcept nogil
cdef int txn_check_step(Session* session, int scope, int64_t budget_ns) noexcept nogil
# SET CONSTRAINTS: one foreign key (0, -1 no memory), or all.
cdef int txn_set_constraint(Session* session, oid_t constraint, int is_deferred) noexcept nogil
cdef void txn_set_constraints(Session* session, int is_deferred) noexcept nogil
# COMMIT. 0 nothing to send: the transaction is over (also for TXN_FAILED, which is rolled back: tag ROLLBACK);
# 1 a CommitRequest was appended to out, session.txn_id names it: send, await the reply, call txn_finish;
# -1 error set, transaction over.
cdef int txn_commit_request(Session* session, Buffer* out) noexcept nogil
# The reply came (the caller may keep its commit_ts in session.commit_ts): ends it. 0 committed, -1 refused (error set).
cdef int txn_finish(Session* session, uint16_t reply_status) noexcept nogil

# params: param_count values of the program's types; copied. NULL: error set. Takes a reference of the program.
cdef Execution* execution_open(Session* session, Program* program, const Value* params, uint32_t count) noexcept nogil
# budget_ns 0 = no limit. The caller must hold no GIL unless program.needs_gil (then it is taken inside).
cdef int execution_step(Execution* execution, int64_t budget_ns, Batch** out) noexcept nogil
cdef uint64_t execution_row_count(const Execution* execution) noexcept nogil    # changed or emitted so far
cdef void execution_cancel(Execution* execution) noexcept nogil        # next step: 57014
cdef void execution_enable_stats(Execution* execution, int timing) noexcept nogil   # before the first step
cdef void execution_close(Execution* execution) noexcept nogil

cdef void program_retain(Program* program) noexcept nogil
# The last release of a program with Python functions takes the GIL.
cdef void program_release(Program* program) noexcept nogil
