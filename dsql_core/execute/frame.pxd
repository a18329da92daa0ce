# Window frames: which rows of the partition a row's frame holds.
from dsql_core.base.types cimport int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport Value
from dsql_core.execute.state cimport Execution, PlanNode, WindowCall

cdef struct Partition:
    const PlanNode* node
    uint8_t** rows                 # sorted tuples
    int64_t count
    int64_t* peer_start            # first row of each row's peer group
    int64_t* peer_end              # first row behind it
    int64_t* group                 # number of its peer group
    uint32_t order_columns         # sort keys behind the partition's

cdef struct FrameOffsets:          # of one window call, NULL checked
    Value start
    Value end

# First row of the frame and first row behind it (start <= end). 0, -1 error set.
cdef int frame_bounds(Execution* x, const Partition* p, const WindowCall* call, const FrameOffsets* offsets, int64_t row,
                      int64_t* start, int64_t* end) noexcept nogil
# Checks the offsets once per query. 0, -1 error set.
cdef int frame_check(Execution* x, const PlanNode* node, const WindowCall* call, const FrameOffsets* offsets) noexcept nogil
# Whether EXCLUDE leaves row k out of the frame of `row`.
cdef int frame_excludes(const Partition* p, const WindowCall* call, int64_t row, int64_t k) noexcept nogil
