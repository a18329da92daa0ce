# Row images: what a tree stores as the value of a row or an index entry.
#
#   0  u16 column_count    columns stored; columns added to the table later read as NULL
#   2  u16 bitmap_offset   where the NULL bitmap begins (after the slots)
#   4  u32 size            of the image
#   8  slots               one per column in order: the value for fixed classes (phys_size bytes, unaligned),
#                          {u32 offset from image start, u32 size} for PHYS_VAR
#   .  NULL bitmap         (column_count + 7) / 8 bytes, bit i of byte i/8 set = NULL
#   .  variable data
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport Slice, uint8_t, uint16_t, uint32_t
from dsql_core.base.vector cimport Value, Vector

cdef struct RowLayout:
    uint32_t column_count
    uint32_t* type_oids        # arrays of column_count, owned by whoever made the layout (layout_init: one malloc)
    uint8_t* phys
    uint16_t* slot_offset      # offset of each column's slot from the image start
    uint16_t slots_end         # == bitmap_offset of a full row

# 0, -1 no memory
cdef int layout_init(RowLayout* layout, const uint32_t* type_oids, uint32_t column_count) noexcept nogil
cdef void layout_free(RowLayout* layout) noexcept nogil
# appends; 0, -1
cdef int row_encode(const RowLayout* layout, const Value* values, Buffer* out) noexcept nogil
# 0, or -1 for an image that is malformed (sizes or offsets outside it).
cdef int row_check(const RowLayout* layout, const uint8_t* row, size_t size) noexcept nogil
# Var points into row
cdef void row_column(const RowLayout* layout, const uint8_t* row, uint32_t column, Value* out) noexcept nogil
# Column-wise decode of count row images into out (phys of the column; data room for count values allocated by the
# caller). out.nulls must point at count zeroed bytes; set to NULL if no row is NULL.
cdef void row_gather(const RowLayout* layout, const Slice* rows, uint32_t count, uint32_t column,
                     Vector* out) noexcept nogil
