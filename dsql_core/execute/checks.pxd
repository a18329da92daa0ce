# Pending checks made: before COMMIT, at SET CONSTRAINTS ... IMMEDIATE, at the end of a COPY.
from dsql_core.base.types cimport int64_t
from dsql_core.execute.state cimport Session

cdef enum CheckScope:
    CHECKS_ALL = 0                 # COMMIT
    CHECKS_DUE = 1                 # those SET CONSTRAINTS has made immediate
    CHECKS_COPY = 2                # those that waited for the end of a COPY

# Goes on with the pending checks of the scope. STEP_DONE: none is left; STEP_YIELD: call again; STEP_ERROR: one does not
# hold, session.error is set and the transaction has been failed or rolled back.
cdef int checks_step(Session* session, int scope, int64_t budget_ns) noexcept nogil
cdef void checks_close(Session* session) noexcept nogil        # before the session is rolled back or freed
