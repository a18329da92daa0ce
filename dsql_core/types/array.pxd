# Arrays: one layout for every element type, int2vector and oidvector included.
#
#   0  u32 element_oid
#   4  u16 dimensions     0 = empty array
#   6  u16 flags          ARRAY_HAS_NULLS
#   8  u32 count          elements in all
#  12  u32 data_offset    of element 0, from the start of the image
#  16  dimensions x {i32 length, i32 lower_bound}
#   .  u8 is_null[count]  when ARRAY_HAS_NULLS
#   .  (padding to 8)
#   .  fixed classes: count x phys_size bytes;  PHYS_VAR: count x {u32 offset from image start, u32 size}, then bytes
# Native byte order, any alignment. Elements in row-major order.
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.base.vector cimport PHYS_VAR, Value, Var, phys_size, type_phys
from dsql_core.types.io cimport FormatSettings

cdef enum:
    ARRAY_HAS_NULLS = 1
    ARRAY_DIMENSIONS_MAX = 6

cdef packed struct ArrayHead:
    uint32_t element_oid
    uint16_t dimensions
    uint16_t flags
    uint32_t count
    uint32_t data_offset

cdef packed struct ArrayDimension:
    int32_t length
    int32_t lower_bound

# Cursor over an array's elements: array_open, then array_element(i) for i in 0..count.
cdef struct ArrayReader:
    const uint8_t* image
    const uint8_t* is_null         # NULL = no nulls
    const uint8_t* data
    uint32_t element_oid
    uint32_t count
    uint32_t dimensions
    uint8_t phys
    uint8_t width                  # bytes per element slot

cdef inline void array_open(const Var* array, ArrayReader* out) noexcept nogil:
    cdef ArrayHead head
    memcpy(&head, array.data, sizeof(ArrayHead))
    out.image = array.data
    out.element_oid = head.element_oid
    out.count = head.count
    out.dimensions = head.dimensions
    out.is_null = array.data + 16 + 8 * <size_t>head.dimensions if head.flags & ARRAY_HAS_NULLS else NULL
    out.data = array.data + head.data_offset
    out.phys = type_phys(head.element_oid)
    out.width = 8 if out.phys == PHYS_VAR else <uint8_t>phys_size(out.phys)

cdef inline void array_element(const ArrayReader* reader, uint32_t i, Value* out) noexcept nogil:
    # out.v.var points into the array.
    cdef uint32_t[2] slot
    out.type_oid = reader.element_oid
    out.phys = reader.phys
    out.is_null = reader.is_null[i] if reader.is_null != NULL else 0
    if reader.phys == PHYS_VAR:
        memcpy(slot, reader.data + 8 * <size_t>i, 8)
        out.v.var.data = reader.image + slot[0]
        out.v.var.size = slot[1]
        out.v.var.reserved = 0
    else:
        memcpy(&out.v, reader.data + reader.width * <size_t>i, reader.width)

cdef inline void array_dimension(const Var* array, uint32_t i, ArrayDimension* out) noexcept nogil:
    memcpy(out, array.data + 16 + 8 * <size_t>i, 8)

cdef uint32_t array_element_oid(uint32_t array_oid) noexcept nogil      # 0 = not an array type
cdef uint32_t array_oid_of(uint32_t element_oid) noexcept nogil         # 0 = no array type known
# Image of an array. dimensions NULL: one dimension of count elements from 1 (count 0: the empty array).
cdef int array_build(uint32_t element_oid, const Value* elements, uint32_t count, const ArrayDimension* dimensions,
                     uint32_t dimension_count, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int array_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                     Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int array_output(uint32_t oid, const Var* array, const FormatSettings* format, Buffer* out) noexcept nogil
cdef int array_receive(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Var* out,
                       dsql_error_t* error) noexcept nogil
cdef int array_send(uint32_t oid, const Var* array, Buffer* out) noexcept nogil
cdef int array_compare(uint32_t oid, const Var* a, const Var* b) noexcept nogil
cdef uint64_t array_hash(uint32_t oid, const Var* array) noexcept nogil
cdef int array_apply_typmod(uint32_t oid, int32_t typmod, int is_explicit, Var* value, Pool* pool,
                            dsql_error_t* error) noexcept nogil
