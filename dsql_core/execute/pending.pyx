"""Deferred checks of a transaction: which rows still have to be looked at, and what SET CONSTRAINTS said.

A group is one after plan of one program with the rows it has not seen yet. The plan is run over the newest state of the
transaction when its time comes (checks.pyx), so a row that was put right meanwhile passes.

Invariants
  E1  a group holds a reference of its program from pending_add to pending_remove or pending_clear.
  E2  a group's rows stay readable until pending_clear, also after pending_remove.

Owner of the memory: Session.pending_pool (rows), the arrays are malloc'd; pending_free gives all of it back.
"""

from libc.stdlib cimport free, realloc
from libc.string cimport memmove, memset

from dsql_core.base.memory cimport pool_free, pool_reset
from dsql_core.base.error cimport dsql_error_set
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.program cimport program_release, program_retain
from dsql_core.execute.state cimport ConstraintMode, Pending
from dsql_core.execute.tuples cimport tuple_move

cdef enum:
    KEEP_BYTES = 1 << 18


cdef int _no_memory(Session* session) noexcept nogil:
    dsql_error_set(&session.error, "53200", "out of memory")
    return -1


cdef int pending_defers(const Session* session, oid_t constraint, int is_deferred) noexcept nogil:
    cdef uint32_t i
    for i in range(session.mode_count):
        if session.modes[i].constraint == constraint:
            return session.modes[i].is_deferred
    if session.mode_of_all:
        return session.mode_of_all == 2
    return is_deferred


cdef Pending* _group(Session* session, Program* program, uint32_t after, int until_copy) noexcept nogil:
    cdef Pending* found
    cdef uint32_t i
    cdef uint32_t capacity
    for i in range(session.pending_count):
        found = &session.pending[i]
        if found.program == program and found.after == after and found.until_copy == until_copy:
            return found
    if session.pending_count == session.pending_capacity:
        capacity = session.pending_capacity * 2 if session.pending_capacity else 8
        found = <Pending*>realloc(session.pending, capacity * sizeof(Pending))
        if found == NULL:
            return NULL
        session.pending = found
        session.pending_capacity = capacity
    found = &session.pending[session.pending_count]
    session.pending_count += 1
    memset(found, 0, sizeof(Pending))
    found.program = program
    found.after = after
    found.until_copy = until_copy
    program_retain(program)
    return found


cdef int pending_add(Session* session, Program* program, uint32_t after, const TupleLayout* layout, uint8_t** rows,
                     uint64_t count, int until_copy) noexcept nogil:
    cdef Pending* group = _group(session, program, after, until_copy)
    cdef uint8_t* tuple
    cdef uint64_t i
    if group == NULL:
        return _no_memory(session)
    for i in range(count):
        tuple = tuple_move(layout, &session.pending_pool, rows[i])
        if tuple == NULL or rows_add(&group.rows, &session.pending_pool, tuple) < 0:
            return _no_memory(session)
    return 0


cdef void pending_remove(Session* session, uint32_t i) noexcept nogil:
    cdef Program* program = session.pending[i].program
    session.pending_count -= 1
    memmove(&session.pending[i], &session.pending[i + 1], (session.pending_count - i) * sizeof(Pending))
    program_release(program)


cdef int pending_set_mode(Session* session, oid_t constraint, int is_deferred) noexcept nogil:
    cdef ConstraintMode* grown
    cdef uint32_t capacity
    cdef uint32_t i
    for i in range(session.mode_count):
        if session.modes[i].constraint == constraint:
            session.modes[i].is_deferred = is_deferred
            return 0
    if session.mode_count == session.mode_capacity:
        capacity = session.mode_capacity * 2 if session.mode_capacity else 8
        grown = <ConstraintMode*>realloc(session.modes, capacity * sizeof(ConstraintMode))
        if grown == NULL:
            return _no_memory(session)
        session.modes = grown
        session.mode_capacity = capacity
    session.modes[session.mode_count].constraint = constraint
    session.modes[session.mode_count].is_deferred = is_deferred
    session.mode_count += 1
    return 0


cdef void pending_set_all(Session* session, int is_deferred) noexcept nogil:
    session.mode_count = 0
    session.mode_of_all = 2 if is_deferred else 1


cdef void pending_clear(Session* session) noexcept nogil:
    while session.pending_count:
        pending_remove(session, session.pending_count - 1)
    session.mode_count = 0
    session.mode_of_all = 0
    if session.pending_pool.bytes_total > KEEP_BYTES:
        pool_free(&session.pending_pool)
    else:
        pool_reset(&session.pending_pool)


cdef void pending_free(Session* session) noexcept nogil:
    pending_clear(session)
    pool_free(&session.pending_pool)
    free(session.pending)
    free(session.modes)
