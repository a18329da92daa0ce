# Order-preserving keys: memcmp order of the encoding equals the type's btree order, column by column.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport Value

# Appends one key part. A part is one marker byte (0x01 value, 0x02 NULL sorting last, 0x00 NULL sorting first) and the
# value's bytes; a part is never a prefix of another part, so parts concatenate. 0, -1 = type cannot be a key.
cdef int keycode_append(Buffer* out, const Value* value, int nulls_first) noexcept nogil
# Size of the part that starts at key, or 0 if it is malformed.
cdef size_t keycode_part_size(const uint8_t* key, size_t size, uint32_t type_oid) noexcept nogil
# Smallest byte string greater than every string that starts with prefix (increment with carry, dropping 0xFF bytes),
# in place; returns the new size, 0 = no such string (all 0xFF).
cdef size_t keycode_successor(uint8_t* key, size_t size) noexcept nogil
