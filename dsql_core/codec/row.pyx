"""Row images: encode, check, and decode by row or by column.

The layout is in row.pxd. A full row's slots all lie before bitmap_offset; a row written before a column was added
has fewer columns, and the missing ones read as NULL.

I1  The slot of a NULL is zero bytes, so images of equal rows are equal.
I2  row_gather trusts its rows (row_check has been called on them, or they were encoded here): it reads the slot and
    the bit of a column below column_count without further tests.
I3  Var results point into the row image; they live as long as it does.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from dsql_core.base.memory cimport Buffer, buffer_reserve
from dsql_core.base.types cimport Slice
from dsql_core.base.vector cimport (
    PHYS_B16, PHYS_F32, PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Bytes16, Value, Var, Vector,
    phys_size, type_phys,
)

cdef enum:
    HEAD_SIZE = 8


cdef inline size_t _slot_size(uint8_t phys) noexcept nogil:
    return 8 if phys == PHYS_VAR else phys_size(phys)


cdef inline uint16_t _u16(const uint8_t* at) noexcept nogil:
    return (<const uint16_t*>at)[0]


cdef inline uint32_t _u32(const uint8_t* at) noexcept nogil:
    return (<const uint32_t*>at)[0]


cdef int layout_init(RowLayout* layout, const uint32_t* type_oids, uint32_t column_count) noexcept nogil:
    cdef uint8_t* memory = <uint8_t*>malloc(column_count * (4 + 2 + 1) + 1)
    cdef size_t offset = HEAD_SIZE
    cdef uint32_t i
    layout.column_count = column_count
    layout.type_oids = <uint32_t*>memory
    if memory == NULL or column_count > 4000:
        free(memory)
        layout.type_oids = NULL
        layout.column_count = 0
        return -1
    layout.slot_offset = <uint16_t*>(memory + 4 * <size_t>column_count)
    layout.phys = memory + 6 * <size_t>column_count
    for i in range(column_count):
        layout.type_oids[i] = type_oids[i]
        layout.phys[i] = type_phys(type_oids[i])
        layout.slot_offset[i] = <uint16_t>offset
        offset += _slot_size(layout.phys[i])
    layout.slots_end = <uint16_t>offset
    return 0


cdef void layout_free(RowLayout* layout) noexcept nogil:
    free(layout.type_oids)
    layout.type_oids = NULL
    layout.phys = NULL
    layout.slot_offset = NULL
    layout.column_count = 0


cdef int row_encode(const RowLayout* layout, const Value* values, Buffer* out) noexcept nogil:
    cdef uint32_t count = layout.column_count
    cdef size_t bitmap_size = (count + 7) >> 3
    cdef size_t size = layout.slots_end + bitmap_size
    cdef size_t at
    cdef uint8_t* image
    cdef uint8_t* slot
    cdef uint8_t* bitmap
    cdef uint32_t i
    cdef uint32_t pair[2]
    cdef uint8_t phys
    at = size
    for i in range(count):
        if layout.phys[i] == PHYS_VAR and not values[i].is_null:
            size += values[i].v.var.size
    if size > 0xFFFFFFFFUL:
        return -1
    image = buffer_reserve(out, size)
    if image == NULL:
        return -1
    memset(image, 0, at)
    (<uint16_t*>image)[0] = <uint16_t>count
    (<uint16_t*>(image + 2))[0] = layout.slots_end
    (<uint32_t*>(image + 4))[0] = <uint32_t>size
    bitmap = image + layout.slots_end
    for i in range(count):
        if values[i].is_null:
            bitmap[i >> 3] |= <uint8_t>(1 << (i & 7))
            continue
        slot = image + layout.slot_offset[i]
        phys = layout.phys[i]
        if phys == PHYS_VAR:
            pair[0] = <uint32_t>at
            pair[1] = values[i].v.var.size
            memcpy(slot, pair, 8)
            memcpy(image + at, values[i].v.var.data, pair[1])
            at += pair[1]
        elif phys == PHYS_I32 or phys == PHYS_F32:
            memcpy(slot, &values[i].v, 4)
        elif phys == PHYS_I64 or phys == PHYS_F64:
            memcpy(slot, &values[i].v, 8)
        elif phys == PHYS_B16:
            memcpy(slot, &values[i].v, 16)
        elif phys == PHYS_I16:
            memcpy(slot, &values[i].v, 2)
        else:
            slot[0] = values[i].v.b
    out.size += size
    return 0


cdef int row_check(const RowLayout* layout, const uint8_t* row, size_t size) noexcept nogil:
    cdef uint32_t count
    cdef uint32_t known
    cdef uint32_t bitmap_offset
    cdef uint32_t i
    cdef uint64_t offset
    cdef uint64_t length
    if size < HEAD_SIZE or _u32(row + 4) != size:
        return -1
    count = _u16(row)
    bitmap_offset = _u16(row + 2)
    if bitmap_offset + ((count + 7) >> 3) > size:
        return -1
    known = count if count < layout.column_count else layout.column_count
    for i in range(known):
        if layout.slot_offset[i] + _slot_size(layout.phys[i]) > bitmap_offset:
            return -1
        if layout.phys[i] == PHYS_VAR:
            offset = _u32(row + layout.slot_offset[i])
            length = _u32(row + layout.slot_offset[i] + 4)
            if offset + length > size:
                return -1
    return 0


cdef inline bint _is_null(const uint8_t* row, uint32_t column) noexcept nogil:
    return column >= _u16(row) or (row[_u16(row + 2) + (column >> 3)] >> (column & 7)) & 1


cdef void row_column(const RowLayout* layout, const uint8_t* row, uint32_t column, Value* out) noexcept nogil:
    cdef const uint8_t* slot
    cdef uint8_t phys = layout.phys[column]
    out.type_oid = layout.type_oids[column]
    out.phys = phys
    out.is_null = _is_null(row, column)
    if out.is_null:
        return
    slot = row + layout.slot_offset[column]
    if phys == PHYS_VAR:
        out.v.var.data = row + _u32(slot)
        out.v.var.size = _u32(slot + 4)
        out.v.var.reserved = 0
    else:
        memcpy(&out.v, slot, phys_size(phys))


# One loop per physical class. `null` of a row is 0 or 1; for rows that lack the column it is 1 and the value zero.
# The columns of one batch nearly always have the same shape, so the test for a missing column predicts well.

cdef inline uint8_t _gather_null(const uint8_t* row, uint32_t byte, uint32_t bit) noexcept nogil:
    return (row[_u16(row + 2) + byte] >> bit) & 1


cdef uint8_t _gather_8(const Slice* rows, uint32_t count, uint32_t column, size_t offset, uint8_t* data,
                       uint8_t* nulls) noexcept nogil:
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            data[i] = row[offset]
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            data[i] = 0
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef uint8_t _gather_16(const Slice* rows, uint32_t count, uint32_t column, size_t offset, uint16_t* data,
                        uint8_t* nulls) noexcept nogil:
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            data[i] = (<const uint16_t*>(row + offset))[0]
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            data[i] = 0
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef uint8_t _gather_32(const Slice* rows, uint32_t count, uint32_t column, size_t offset, uint32_t* data,
                        uint8_t* nulls) noexcept nogil:
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            data[i] = (<const uint32_t*>(row + offset))[0]
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            data[i] = 0
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef uint8_t _gather_64(const Slice* rows, uint32_t count, uint32_t column, size_t offset, uint64_t* data,
                        uint8_t* nulls) noexcept nogil:
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            data[i] = (<const uint64_t*>(row + offset))[0]
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            data[i] = 0
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef uint8_t _gather_128(const Slice* rows, uint32_t count, uint32_t column, size_t offset, Bytes16* data,
                         uint8_t* nulls) noexcept nogil:
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            memcpy(&data[i], row + offset, 16)
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            memset(&data[i], 0, 16)
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef uint8_t _gather_var(const Slice* rows, uint32_t count, uint32_t column, size_t offset, Var* data,
                         uint8_t* nulls) noexcept nogil:
    # A NULL's slot is zero: its Var is the row's first byte with size 0, safe to look at.
    cdef const uint8_t* row
    cdef uint32_t i
    cdef uint8_t any_null = 0
    for i in range(count):
        row = rows[i].data
        if column < _u16(row):
            data[i].data = row + _u32(row + offset)
            data[i].size = _u32(row + offset + 4)
            data[i].reserved = 0
            nulls[i] = _gather_null(row, column >> 3, column & 7)
        else:
            data[i].data = row
            data[i].size = 0
            data[i].reserved = 0
            nulls[i] = 1
        any_null |= nulls[i]
    return any_null


cdef void row_gather(const RowLayout* layout, const Slice* rows, uint32_t count, uint32_t column,
                     Vector* out) noexcept nogil:
    cdef uint8_t phys = layout.phys[column]
    cdef size_t offset = layout.slot_offset[column]
    cdef uint8_t any_null
    if phys == PHYS_I32 or phys == PHYS_F32:
        any_null = _gather_32(rows, count, column, offset, <uint32_t*>out.data, out.nulls)
    elif phys == PHYS_I64 or phys == PHYS_F64:
        any_null = _gather_64(rows, count, column, offset, <uint64_t*>out.data, out.nulls)
    elif phys == PHYS_VAR:
        any_null = _gather_var(rows, count, column, offset, <Var*>out.data, out.nulls)
    elif phys == PHYS_B16:
        any_null = _gather_128(rows, count, column, offset, <Bytes16*>out.data, out.nulls)
    elif phys == PHYS_I16:
        any_null = _gather_16(rows, count, column, offset, <uint16_t*>out.data, out.nulls)
    else:
        any_null = _gather_8(rows, count, column, offset, <uint8_t*>out.data, out.nulls)
    out.type_oid = layout.type_oids[column]
    out.phys = phys
    out.stride = 1
    if any_null == 0:
        out.nulls = NULL
