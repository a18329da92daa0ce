# The operator machine's inner face: opening operators, pulling batches, yielding, memory of runs.
#
# An operator module registers an open function per PlanOp at import. open allocates the operator's state (op_alloc),
# opens its children and returns it. Everything an operator accumulates comes from run.pool; there is no close:
# freeing the run frees it. Rescanning = run_start again.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int64_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch, Vector
from dsql_core.execute.state cimport Execution, Op, PlanNode, Run, STEP_ERROR, STEP_ROWS, STEP_DONE, STEP_YIELD, Expr

ctypedef Op* (*open_t)(Run* run, const PlanNode* node) noexcept nogil
ctypedef int (*next_t)(Op* op) noexcept nogil

cdef int operator_register(int plan_op, open_t open_function) except -1
cdef Op* op_open(Run* run, const PlanNode* node) noexcept nogil                          # NULL = error set
cdef Op* op_alloc(Run* run, const PlanNode* node, size_t size, next_t next) noexcept nogil
# Gives the operator a batch pool of its own (it is reset by its owner); 0, -1.
cdef int op_own_pool(Op* op) noexcept nogil
cdef int op_next_counted(Op* op) noexcept nogil

cdef void run_init(Run* run, Execution* x) noexcept nogil
cdef int run_start(Run* run, const PlanNode* plan) noexcept nogil                        # 0, -1 error set
cdef void run_stop(Run* run) noexcept nogil                                              # keeps memory for the next start
cdef void run_free(Run* run) noexcept nogil

# The run of a plan node that restarts a part of its plan (apply); freed with the execution. NULL = error set.
cdef Run* sub_run(Execution* x, const PlanNode* node) noexcept nogil
cdef void sub_runs_free(Execution* x) noexcept nogil

# 0 go on; STEP_YIELD; STEP_ERROR (cancelled).
cdef int machine_pause(Execution* x) noexcept nogil
# For sources: lets each produce at least once per step, then asks machine_pause.
cdef int source_pause(Op* op) noexcept nogil
cdef int no_memory(Execution* x) noexcept nogil                                          # sets the error; STEP_ERROR
# EVAL_* as a StepResult (EVAL_OK must not come here).
cdef int eval_step(int eval_result) noexcept nogil

cdef inline int op_next(Op* op) noexcept nogil:
    if op.stats == NULL:
        return op.next(op)
    return op_next_counted(op)

# Pulls the child's next batch unless one is still at hand after a yield; then names it for subplan memos.
cdef inline int op_pull(Op* op) noexcept nogil:
    cdef int r
    if op.has_input:
        return STEP_ROWS
    r = op_next(op.child)
    if r == STEP_ROWS:
        op.has_input = 1
        op.execution.eval_counter += 1
        op.eval_id = op.execution.eval_counter
    return r

# Points evaluation at the operator's batch pool and batch.
cdef inline void op_eval_here(Op* op) noexcept nogil:
    op.execution.eval.pool = op.batch_pool
    op.execution.eval_id = op.eval_id

# A new name for a batch the operator made itself.
cdef inline void op_name_batch(Op* op) noexcept nogil:
    op.execution.eval_counter += 1
    op.eval_id = op.execution.eval_counter

# The batch's selection made explicit: pointer to its selected rows, in pool. NULL = no memory.
cdef uint32_t* batch_selection(const Batch* batch, Pool* pool) noexcept nogil
# Rows idx[0..count) of v as a dense vector. 0, -1.
cdef int vector_take(Pool* pool, const Vector* v, const uint32_t* idx, uint32_t count, Vector* out) noexcept nogil
# In place: element i := element sel[i] (ascending).
cdef void vector_compact(Vector* v, const uint32_t* sel, uint32_t count) noexcept nogil
# A constant expression (params and constants only) as a bigint: 0 value, 1 NULL, -1 error.
cdef int eval_bigint(Op* op, const Expr* e, int64_t* out) noexcept nogil
cdef Batch* one_row() noexcept nogil             # a batch of one row without columns
