# Bounds of scans and lookups as byte ranges of a tree.
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport Slice, uint8_t, uint32_t
from dsql_core.base.vector cimport Batch, Vector
from dsql_core.execute.state cimport Op, PlanNode

cdef struct Bounds:                # bound expressions computed over a batch
    Vector* eq
    Vector* in_list
    Vector lo
    Vector hi

cdef struct KeyRange:
    Slice start                    # first key that may match
    Slice stop                     # first key beyond; data NULL = to the end of the tree

# EVAL_*; vectors in pool.
cdef int bounds_eval(Op* op, const PlanNode* node, const Batch* input, const uint32_t* sel, uint32_t count, Pool* pool,
                     Bounds* bounds) noexcept nogil
# Prefixes to visit for one input row: the encoded eq parts, or one per distinct alternative of `in`, ascending.
# Returns their number (0 = a bound is NULL: nothing matches), -1 error set. Slices in pool.
cdef int bounds_prefixes(Op* op, const PlanNode* node, const Bounds* bounds, uint32_t row, Pool* pool,
                         Slice** prefixes) noexcept nogil
# Range of one prefix. 1, 0 = empty (a bound is NULL), -1 error set.
cdef int bounds_range(Op* op, const PlanNode* node, const Bounds* bounds, uint32_t row, Slice prefix, Pool* pool,
                      KeyRange* out) noexcept nogil
# Appends the key part of element row; -1 error set.
cdef int append_key_part(Op* op, Buffer* out, const Vector* v, uint32_t row, int nulls_first) noexcept nogil
# The part of an index key behind its first part_count parts.
cdef Slice row_key_suffix(const PlanNode* node, Slice key) noexcept nogil
