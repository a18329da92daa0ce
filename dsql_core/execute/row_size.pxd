# Sizes of values as the limits count them. See row_size.pyx.
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport PHYS_VAR, Value, phys_size
from dsql_core.codec.row cimport RowLayout
from dsql_core.execute.state cimport Execution

cdef inline uint32_t value_bytes(const Value* value) noexcept nogil:
    if value.is_null:
        return 0
    return value.v.var.size if value.phys == PHYS_VAR else <uint32_t>phys_size(value.phys)

# Bytes the data takes when compressed, `size` when that does not help (or there is no memory to find out).
cdef size_t stored_bytes(const uint8_t* data, size_t size) noexcept nogil
# Judges a row whose image is larger than a column may be. 0, -1 error set.
cdef int row_size_check(Execution* x, const RowLayout* layout, const Value* row, size_t image_size) noexcept nogil
