"""Arrays between the evaluator and types/array: elements as Values, Values as an array image.

Owner of the memory: the pool given; elements point into the array they came from.
"""

from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.vector cimport Var
from dsql_core.types.array cimport ArrayReader, array_build, array_element, array_open


cdef int array_values(Pool* pool, uint32_t elem_oid, const Vector* array, uint32_t row, Value** values,
                      uint32_t* count) noexcept nogil:
    cdef ArrayReader reader
    cdef uint32_t i
    array_open(<const Var*>array.data + row * array.stride, &reader)
    count[0] = reader.count
    values[0] = <Value*>pool_alloc(pool, (reader.count + 1) * sizeof(Value))
    if values[0] == NULL:
        return -1
    for i in range(reader.count):
        array_element(&reader, i, &values[0][i])
    return 0


cdef int array_make(Pool* pool, uint32_t elem_oid, const Value* values, uint32_t count, Vector* out,
                    uint32_t row) noexcept nogil:
    return array_build(elem_oid, values, count, NULL, 0, pool, <Var*>out.data + row, NULL)
