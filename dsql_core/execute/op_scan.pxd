# What lookup shares with scan: decoding of scan columns.
from dsql_core.base.types cimport Slice, uint8_t, uint32_t
from dsql_core.base.vector cimport Vector
from dsql_core.execute.state cimport Op, PlanNode

cdef int scan_columns(Op* op, const PlanNode* node, const Slice* keys, const Slice* values, uint32_t count,
                      uint8_t use_mask, uint8_t skip_mask, Vector* out) noexcept nogil
