"""The time of pending checks has come: each group becomes an execution of its own program, over its rows only.

Invariants
  C1  at most one such execution is open per session (Session.checking); checks_close ends it.
"""

from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Batch
from dsql_core.execute.execution cimport execution_begin_check, execution_end, execution_run
from dsql_core.execute.pending cimport pending_defers, pending_remove
from dsql_core.execute.state cimport AfterInfo, Execution, Pending, STEP_DONE, STEP_ERROR, STEP_ROWS, STEP_YIELD


cdef int _is_due(const Session* session, const Pending* group, int scope) noexcept nogil:
    cdef const AfterInfo* after = &group.program.afters[group.after]
    if scope == CHECKS_ALL:
        return 1
    if scope == CHECKS_COPY:
        return group.until_copy
    return not group.until_copy and not pending_defers(session, after.constraint, after.is_deferred)


cdef int _open_next(Session* session, int scope) noexcept nogil:
    # 1 opened, 0 nothing is due, -1 error set.
    cdef uint32_t i
    for i in range(session.pending_count):
        if _is_due(session, &session.pending[i], scope):
            session.checking = execution_begin_check(session, &session.pending[i])
            if session.checking == NULL:
                return -1
            pending_remove(session, i)
            return 1
    return 0


cdef int checks_step(Session* session, int scope, int64_t budget_ns) noexcept nogil:
    cdef Batch* batch
    cdef int r
    while True:
        if session.checking == NULL:
            r = _open_next(session, scope)
            if r <= 0:
                return STEP_DONE if r == 0 else STEP_ERROR
        r = execution_run(session.checking, budget_ns, &batch)
        if r == STEP_ROWS:
            continue
        if r == STEP_YIELD:
            return r
        checks_close(session)
        if r == STEP_ERROR:
            return r


cdef void checks_close(Session* session) noexcept nogil:
    cdef Execution* x = session.checking
    if x != NULL:
        session.checking = NULL
        execution_end(x)
