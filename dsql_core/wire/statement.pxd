# One statement from text or portal to its reply: plan, parameters, execution, transaction end.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dsql_core.base.memory cimport Pool
from dsql_core.base.vector cimport Value
from dsql_core.wire.connection cimport Conn, Request
from dsql_core.wire.normalise cimport Literal
from dsql_core.wire.plan_cache cimport Plan

cdef enum:
    PLANNED = 0              # conn.plan is the plan
    PARKED = 1               # asked the Python thread
    REFUSED = -1             # session.error is set

# Whether every statement of a text is grammatical. PLANNED: all are known; PARKED: the Python thread is asked (conn.checked
# tells its yes). Writes over loop.shape.
cdef int statement_grammar(Conn* conn, const uint8_t* body, size_t size) noexcept nogil
# Finds or asks for the plan of the statement in loop.shape (normalised from text); fills conn.plan.
cdef int statement_plan(Conn* conn, const uint8_t* text, size_t size, const uint32_t* declared,
                        uint32_t count) noexcept nogil
# Values of lifted literals, of the types the plan gives them. 0, -1 error set.
cdef int literals_bind(Conn* conn, const Plan* plan, const Literal* literals, const uint8_t* text, Pool* pool,
                       Value* out) noexcept nogil
cdef int value_read(Conn* conn, uint32_t oid, int is_binary, const uint8_t* data, size_t size, Pool* pool,
                    Value* out) noexcept nogil
cdef void statement_start(Conn* conn, const Value* params, uint32_t count) noexcept nogil    # runs conn.plan
cdef void statement_run(Conn* conn) noexcept nogil                     # goes on with conn.execution
cdef void statement_ran(Conn* conn, Request* request) noexcept nogil   # a Python statement is back
cdef void statement_stepped(Conn* conn, Request* request) noexcept nogil   # the Python thread made a step
cdef void statement_done(Conn* conn) noexcept nogil                    # conn.tag is set: commit if due, reply
cdef void statement_error(Conn* conn) noexcept nogil                   # reports session.error
cdef void query_end(Conn* conn) noexcept nogil                         # ReadyForQuery of a simple Query
cdef void held_drop(Conn* conn) noexcept nogil
cdef int commit_start(Conn* conn, uint8_t after) noexcept nogil        # 0 over, 1 parked, -1 refused (error set)
cdef void commit_reply(Conn* conn, uint16_t status, uint64_t commit_ts) noexcept nogil
cdef void sync_end(Conn* conn) noexcept nogil                          # Sync: ends an implicit transaction
cdef void tag_set(Conn* conn, const char* tag, uint64_t count, int counted) noexcept nogil
