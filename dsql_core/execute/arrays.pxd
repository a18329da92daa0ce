# Arrays as the evaluator and unnest meet them: elements out of an array, an array out of elements.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Value, Vector

# Elements of array row (not NULL) in storage order; values point into the array. 0, -1 no memory or malformed.
cdef int array_values(Pool* pool, uint32_t elem_oid, const Vector* array, uint32_t row, Value** values,
                      uint32_t* count) noexcept nogil
# A one-dimensional array of the values into out[row]. 0, -1 no memory.
cdef int array_make(Pool* pool, uint32_t elem_oid, const Value* values, uint32_t count, Vector* out,
                    uint32_t row) noexcept nogil
