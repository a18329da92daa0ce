# What the joins over stored rows share: candidate pairs, the join condition, what each kind of join emits.
from dsql_core.base.types cimport int32_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch
from dsql_core.execute.state cimport Op, TupleLayout

cdef struct JoinBuffer:
    uint32_t* left                 # row of the left batch
    uint8_t** right                # tuple; NULL = end of the left row's candidates
    uint32_t count
    uint32_t capacity
    uint32_t right_columns         # columns of the tuple that belong to the output
    uint32_t flag_offset           # of a tuple's "matched" word; 0 = not kept
    int32_t needs_end              # the kind wants to know where a left row's candidates end
    int32_t row_matched            # of the left row whose candidates are under way

cdef int join_init(Op* op, JoinBuffer* buffer, uint32_t right_columns, uint32_t flag_offset) noexcept nogil
# Room for one more candidate? Grows up to a batch. 1 room, 0 full, -1 no memory.
cdef int join_room(Op* op, JoinBuffer* buffer) noexcept nogil
cdef inline void join_add(JoinBuffer* buffer, uint32_t left, uint8_t* right) noexcept nogil:
    buffer.left[buffer.count] = left
    buffer.right[buffer.count] = right
    buffer.count += 1
# Judges the buffered candidates and makes op.out of them in op.batch_pool. STEP_ROWS, STEP_DONE = nothing came out,
# STEP_YIELD (call again), STEP_ERROR. The buffer is empty afterwards (but after a yield).
cdef int join_flush(Op* op, JoinBuffer* buffer, const Batch* left) noexcept nogil
# Rows of the right side alone, left columns NULL (RIGHT and FULL). STEP_ROWS or STEP_ERROR.
cdef int join_right_only(Op* op, uint8_t** tuples, uint32_t count, uint32_t right_columns) noexcept nogil
