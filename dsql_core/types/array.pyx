"""Arrays: text form, binary form, order, hash. The layout is in array.pxd.

Text: {1,2,NULL,"a \\"b\\""} nested per dimension, with [lower:upper]... = in front when a lower bound is not 1.
int2vector and oidvector share the layout (one dimension from 0) and print as numbers with blanks between.
Binary: i32 dimensions, i32 has-nulls, u32 element oid, per dimension {i32 length, i32 lower bound}, per element
{i32 size or -1, payload}.

I1  An image is built in one piece in the pool; element bytes never alias the input.
I2  An array without elements has no dimensions.
"""
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_append, buffer_append_u8, buffer_free, buffer_init, pool_alloc
from dsql_core.base.vector cimport (
    OID_INT2VECTOR, OID_OIDVECTOR, PHYS_VAR, Value, Var, phys_size, type_phys,
)
from dsql_core.types.chars cimport is_digit, is_space, load_be32, put_be32, put_i64, same_text, shown, store_be32
from dsql_core.types.io cimport (
    FormatSettings, type_apply_typmod, type_compare, type_hash, type_input, type_output, type_receive, type_send,
)
from dsql_core.types.text cimport out_of_memory

cdef enum:
    PAIRS = 34
    ELEMENTS_MAX = 134217727

cdef uint32_t[68] pairs        # array oid, element oid

ARRAYS = [
    (1000, 16), (1001, 17), (1002, 18), (1003, 19), (1005, 21), (1006, 22), (1007, 23), (1008, 24), (1009, 25),
    (1028, 26), (1013, 30), (1014, 1042), (1015, 1043), (1016, 20), (1021, 700), (1022, 701), (1115, 1114),
    (1182, 1082), (1183, 1083), (1185, 1184), (1187, 1186), (1231, 1700), (1270, 1266), (2951, 2950), (199, 114),
    (3807, 3802), (2210, 2205), (2211, 2206), (4090, 4089), (1034, 1033), (1041, 869), (1263, 2275),
    (22, 21), (30, 26),
]


def _fill_pairs():
    for i, (array, element) in enumerate(ARRAYS):
        pairs[2 * i] = array
        pairs[2 * i + 1] = element


_fill_pairs()


cdef uint32_t array_element_oid(uint32_t array_oid) noexcept nogil:
    cdef int i
    if array_oid == 4097:
        return 4096
    for i in range(PAIRS):
        if pairs[2 * i] == array_oid:
            return pairs[2 * i + 1]
    return 0


cdef uint32_t array_oid_of(uint32_t element_oid) noexcept nogil:
    cdef int i
    if element_oid == 4096:
        return 4097
    for i in range(PAIRS):
        if pairs[2 * i + 1] == element_oid:
            return pairs[2 * i]
    return 0


cdef inline bint _is_vector(uint32_t oid) noexcept nogil:
    return oid == OID_INT2VECTOR or oid == OID_OIDVECTOR


cdef int array_build(uint32_t element_oid, const Value* elements, uint32_t count, const ArrayDimension* dimensions,
                     uint32_t dimension_count, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef ArrayHead head
    cdef ArrayDimension plain
    cdef uint8_t phys = type_phys(element_oid)
    cdef size_t width = 8 if phys == PHYS_VAR else phys_size(phys)
    cdef size_t size
    cdef size_t at
    cdef uint8_t* image
    cdef uint8_t* nulls
    cdef uint32_t slot[2]
    cdef uint32_t i
    plain.length = <int32_t>count
    plain.lower_bound = 1
    if dimensions == NULL:
        dimensions = &plain
        dimension_count = 1
    if count == 0:
        dimension_count = 0
    head.element_oid = element_oid
    head.dimensions = <uint16_t>dimension_count
    head.flags = 0
    head.count = count
    for i in range(count):
        if elements[i].is_null:
            head.flags = ARRAY_HAS_NULLS
            break
    size = sizeof(ArrayHead) + 8 * <size_t>dimension_count + (count if head.flags else 0)
    size = (size + 7) & ~<size_t>7
    head.data_offset = <uint32_t>size
    size += width * count
    at = size
    if phys == PHYS_VAR:
        for i in range(count):
            if not elements[i].is_null:
                size += elements[i].v.var.size
    if size > 0x3FFFFFFF:
        dsql_error_set(error, b"54000", b"array size exceeds the maximum allowed (%d)", <int>ELEMENTS_MAX)
        return -1
    image = <uint8_t*>pool_alloc(pool, size)
    if image == NULL:
        return out_of_memory(error)
    memset(image, 0, at)
    memcpy(image, &head, sizeof(ArrayHead))
    memcpy(image + sizeof(ArrayHead), dimensions, 8 * <size_t>dimension_count)
    nulls = image + sizeof(ArrayHead) + 8 * <size_t>dimension_count
    for i in range(count):
        if elements[i].is_null:
            nulls[i] = 1
        elif phys == PHYS_VAR:
            slot[0] = <uint32_t>at
            slot[1] = elements[i].v.var.size
            memcpy(image + head.data_offset + 8 * <size_t>i, slot, 8)
            memcpy(image + at, elements[i].v.var.data, slot[1])
            at += slot[1]
        else:
            memcpy(image + head.data_offset + width * i, &elements[i].v, width)
    out.data = image
    out.size = <uint32_t>size
    out.reserved = 0
    return 0


# ------------------------------------------------------------------------------------------------------- text, input

cdef struct Elements:              # growing list of values; malloc'ed, freed by whoever made it
    Value* values
    uint32_t count
    uint32_t room

cdef struct ArrayText:             # one text being read
    const uint8_t* start
    size_t size
    const uint8_t* at
    const uint8_t* end
    uint32_t element_oid
    int32_t typmod
    const FormatSettings* format
    Pool* pool
    dsql_error_t* error
    Elements elements
    int depth                      # dimensions, known once the first element is reached; 0 before
    int32_t lengths[6]             # -1 = not known yet


cdef int _malformed(ArrayText* a, const char* detail) noexcept nogil:
    if not a.error.is_set:
        dsql_error_set(a.error, b"22P02", b"malformed array literal: \"%.*s\"", shown(a.size), a.start)
        dsql_error_detail(a.error, b"%s", detail)
    return -1


cdef int _unexpected(ArrayText* a, uint8_t c) noexcept nogil:
    if not a.error.is_set:
        dsql_error_set(a.error, b"22P02", b"malformed array literal: \"%.*s\"", shown(a.size), a.start)
        dsql_error_detail(a.error, b"Unexpected \"%c\" character.", <int>c)
    return -1


cdef int _push(Elements* list, const Value* value, dsql_error_t* error) noexcept nogil:
    cdef Value* larger
    if list.count == list.room:
        if list.count > ELEMENTS_MAX:
            dsql_error_set(error, b"54000", b"array size exceeds the maximum allowed (%d)", <int>ELEMENTS_MAX)
            return -1
        larger = <Value*>realloc(list.values, (<size_t>list.room * 2 + 16) * sizeof(Value))
        if larger == NULL:
            return out_of_memory(error)
        list.values = larger
        list.room = list.room * 2 + 16
    list.values[list.count] = value[0]
    list.count += 1
    return 0


cdef inline void _blanks(ArrayText* a) noexcept nogil:
    while a.at < a.end and is_space(a.at[0]):
        a.at += 1


cdef int _element(ArrayText* a) noexcept nogil:
    # Quoted, or up to the next delimiter; backslash escapes in both. An unquoted NULL is NULL.
    cdef uint8_t* text = <uint8_t*>pool_alloc(a.pool, a.end - a.at + 1)
    cdef size_t size = 0
    cdef size_t kept = 0           # size up to the last character that is not a plain blank
    cdef Value value
    cdef bint quoted = False
    cdef bint escaped = False
    if text == NULL:
        return out_of_memory(a.error)
    if a.at < a.end and a.at[0] == c'"':
        quoted = True
        a.at += 1
        while True:
            if a.at >= a.end:
                return _malformed(a, b"Unexpected end of input.")
            if a.at[0] == c'"':
                a.at += 1
                break
            if a.at[0] == c'\\':
                a.at += 1
                if a.at >= a.end:
                    return _malformed(a, b"Unexpected end of input.")
            text[size] = a.at[0]
            size += 1
            a.at += 1
        _blanks(a)
        if a.at < a.end and a.at[0] != c',' and a.at[0] != c'}':
            if a.at[0] == c'{' or a.at[0] == c'"':
                if a.at[0] == c'{':
                    return _unexpected(a, c'{')
            return _malformed(a, b"Unexpected array element.")
    else:
        while a.at < a.end and a.at[0] != c',' and a.at[0] != c'}':
            if a.at[0] == c'{':
                return _unexpected(a, c'{')
            if a.at[0] == c'"':
                return _malformed(a, b"Unexpected array element.")
            if a.at[0] == c'\\':
                escaped = True
                a.at += 1
                if a.at >= a.end:
                    return _malformed(a, b"Unexpected end of input.")
                text[size] = a.at[0]
                size += 1
                kept = size
            else:
                text[size] = a.at[0]
                size += 1
                if not is_space(a.at[0]):
                    kept = size
            a.at += 1
        size = kept
        if size == 0:
            if a.at >= a.end:
                return _malformed(a, b"Unexpected end of input.")
            return _unexpected(a, a.at[0])
    if a.at >= a.end:
        return _malformed(a, b"Unexpected end of input.")
    if not quoted and not escaped and same_text(text, size, b"null"):
        memset(&value, 0, sizeof(Value))
        value.type_oid = a.element_oid
        value.phys = type_phys(a.element_oid)
        value.is_null = 1
    elif type_input(a.element_oid, a.typmod, text, size, a.format, a.pool, &value, a.error) < 0:
        return -1
    return _push(&a.elements, &value, a.error)


cdef int _level(ArrayText* a, int level) noexcept nogil:
    # At '{'. Reads one (sub-)array of dimension `level`, counted from 0.
    cdef int32_t count = 0
    if level >= ARRAY_DIMENSIONS_MAX:
        dsql_error_set(a.error, b"54000", b"number of array dimensions (%d) exceeds the maximum allowed (%d)",
                       level + 1,
                       <int>ARRAY_DIMENSIONS_MAX)
        return -1
    if a.depth > 0 and level >= a.depth:
        return _unexpected(a, c'{')
    a.at += 1
    _blanks(a)
    if a.at < a.end and a.at[0] == c'}':
        # Only a whole array may be empty.
        if level > 0:
            return _unexpected(a, c'}')
        a.at += 1
        a.depth = 1
        a.lengths[0] = 0
        return 0
    while True:
        _blanks(a)
        if a.at >= a.end:
            return _malformed(a, b"Unexpected end of input.")
        if a.at[0] == c'{':
            if a.depth > 0 and level + 1 >= a.depth:
                return _unexpected(a, c'{')
            if _level(a, level + 1) < 0:
                return -1
        else:
            if a.at[0] == c',' or a.at[0] == c'}':
                return _unexpected(a, a.at[0])
            if a.depth == 0:
                a.depth = level + 1
            elif a.depth != level + 1:
                return _malformed(a, b"Unexpected array element.")
            if _element(a) < 0:
                return -1
        count += 1
        _blanks(a)
        if a.at >= a.end:
            return _malformed(a, b"Unexpected end of input.")
        if a.at[0] == c',':
            a.at += 1
            continue
        if a.at[0] == c'}':
            a.at += 1
            break
        if a.at[0] == c'{':
            return _unexpected(a, c'{')
        return _malformed(a, b"Unexpected array element.")
    if a.lengths[level] >= 0 and a.lengths[level] != count:
        return _malformed(a, b"Multidimensional arrays must have sub-arrays with matching dimensions.")
    a.lengths[level] = count
    return 0


cdef int _bound(ArrayText* a, int64_t* out) noexcept nogil:
    cdef const uint8_t* first
    cdef bint negative = False
    cdef int64_t value = 0
    if a.at < a.end and (a.at[0] == c'-' or a.at[0] == c'+'):
        negative = a.at[0] == c'-'
        a.at += 1
    first = a.at
    while a.at < a.end and is_digit(a.at[0]):
        if value < 100000000000LL:
            value = value * 10 + (a.at[0] - 48)
        a.at += 1
    if a.at == first:
        return _malformed(a, b"Missing array dimension value.")
    out[0] = -value if negative else value
    return 0


cdef int _bounds(ArrayText* a, ArrayDimension* dimensions, uint32_t* count) noexcept nogil:
    # [n]... or [l:u]... then '='.
    cdef int64_t low
    cdef int64_t high
    count[0] = 0
    while a.at < a.end and a.at[0] == c'[':
        if count[0] >= ARRAY_DIMENSIONS_MAX:
            dsql_error_set(a.error, b"54000", b"number of array dimensions (%d) exceeds the maximum allowed (%d)",
                           <int>count[0] + 1, <int>ARRAY_DIMENSIONS_MAX)
            return -1
        a.at += 1
        low = 1
        if a.at < a.end and not is_digit(a.at[0]) and a.at[0] != c'-' and a.at[0] != c'+':
            return _malformed(a, b"\"[\" must introduce explicitly-specified array dimensions.")
        if _bound(a, &high) < 0:
            return -1
        if a.at < a.end and a.at[0] == c':':
            a.at += 1
            low = high
            if _bound(a, &high) < 0:
                return -1
        if a.at >= a.end or a.at[0] != c']':
            return _malformed(a, b"Missing \"]\" after array dimensions.")
        a.at += 1
        if high < low:
            dsql_error_set(a.error, b"2202E", b"upper bound cannot be less than lower bound")
            return -1
        if high >= INT32_MAX or low <= -INT32_MAX or high - low >= ELEMENTS_MAX:
            dsql_error_set(a.error, b"54000", b"array size exceeds the maximum allowed (%d)", <int>ELEMENTS_MAX)
            return -1
        dimensions[count[0]].lower_bound = <int32_t>low
        dimensions[count[0]].length = <int32_t>(high - low + 1)
        count[0] += 1
        _blanks(a)
    if count[0] > 0:
        if a.at >= a.end or a.at[0] != c'=':
            return _malformed(a, b"Missing \"=\" after array dimensions.")
        a.at += 1
        _blanks(a)
    return 0


cdef int _read(ArrayText* a, Var* out) noexcept nogil:
    cdef ArrayDimension dimensions[6]
    cdef uint32_t given = 0
    cdef int i
    _blanks(a)
    if _bounds(a, dimensions, &given) < 0:
        return -1
    if a.at >= a.end or a.at[0] != c'{':
        return _malformed(a, b"Array contents must start with \"{\"." if given > 0 else
                          b"Array value must start with \"{\" or dimension information.")
    if _level(a, 0) < 0:
        return -1
    _blanks(a)
    if a.at != a.end:
        return _malformed(a, b"Junk after closing right brace.")
    if given > 0:
        if given != <uint32_t>a.depth:
            return _malformed(a, b"Specified array dimensions do not match array contents.")
        for i in range(a.depth):
            if dimensions[i].length != a.lengths[i]:
                return _malformed(a, b"Specified array dimensions do not match array contents.")
    else:
        for i in range(a.depth):
            dimensions[i].length = a.lengths[i]
            dimensions[i].lower_bound = 1
    return array_build(a.element_oid, a.elements.values, a.elements.count, dimensions, a.depth, a.pool, out, a.error)


cdef int _read_vector(ArrayText* a, Var* out) noexcept nogil:
    cdef ArrayDimension dimension
    cdef const uint8_t* first
    cdef Value value
    _blanks(a)
    while a.at < a.end:
        first = a.at
        while a.at < a.end and not is_space(a.at[0]):
            a.at += 1
        if type_input(a.element_oid, -1, first, a.at - first, a.format, a.pool, &value, a.error) < 0 or \
                _push(&a.elements, &value, a.error) < 0:
            return -1
        _blanks(a)
    dimension.length = <int32_t>a.elements.count
    dimension.lower_bound = 0
    return array_build(a.element_oid, a.elements.values, a.elements.count, &dimension, 1, a.pool, out, a.error)


cdef int array_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                     Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef ArrayText a
    cdef int status
    cdef int i
    memset(&a, 0, sizeof(a))
    a.start = text
    a.size = size
    a.at = text
    a.end = text + size
    a.element_oid = array_element_oid(oid)
    a.typmod = typmod
    a.format = format
    a.pool = pool
    a.error = error
    for i in range(6):
        a.lengths[i] = -1
    status = _read_vector(&a, out) if _is_vector(oid) else _read(&a, out)
    free(a.elements.values)
    return status


# ------------------------------------------------------------------------------------------------------ text, output

cdef void _put_element(const uint8_t* text, size_t size, Buffer* out) noexcept nogil:
    cdef bint quote = size == 0 or same_text(text, size, b"null")
    cdef size_t i
    cdef uint8_t c
    for i in range(size):
        c = text[i]
        if c == c'"' or c == c'\\' or c == c'{' or c == c'}' or c == c',' or is_space(c):
            quote = True
            break
    if not quote:
        buffer_append(out, text, size)
        return
    buffer_append_u8(out, c'"')
    for i in range(size):
        if text[i] == c'"' or text[i] == c'\\':
            buffer_append_u8(out, c'\\')
        buffer_append_u8(out, text[i])
    buffer_append_u8(out, c'"')


cdef int array_output(uint32_t oid, const Var* array, const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef ArrayReader reader
    cdef ArrayDimension dimension
    cdef Buffer text
    cdef Value value
    cdef uint32_t position[6]
    cdef uint32_t lengths[6]
    cdef uint32_t i
    cdef uint32_t d
    cdef uint32_t opened = 0
    cdef bint show_bounds = False
    cdef int status = 0
    array_open(array, &reader)
    if reader.count == 0:
        if not _is_vector(oid):
            buffer_append(out, b"{}", 2)
        return 0
    buffer_init(&text)
    for d in range(reader.dimensions):
        array_dimension(array, d, &dimension)
        lengths[d] = <uint32_t>dimension.length
        position[d] = 0
        if dimension.lower_bound != 1:
            show_bounds = True
    if show_bounds and not _is_vector(oid):
        for d in range(reader.dimensions):
            array_dimension(array, d, &dimension)
            buffer_append_u8(out, c'[')
            put_i64(out, dimension.lower_bound)
            buffer_append_u8(out, c':')
            put_i64(out, <int64_t>dimension.lower_bound + dimension.length - 1)
            buffer_append_u8(out, c']')
        buffer_append_u8(out, c'=')
    for i in range(reader.count):
        array_element(&reader, i, &value)
        if _is_vector(oid):
            if i > 0:
                buffer_append_u8(out, c' ')
            type_output(&value, format, out)
            continue
        # Braces open where inner positions are at their start.
        while opened < reader.dimensions:
            buffer_append_u8(out, c'{')
            opened += 1
        if value.is_null:
            buffer_append(out, b"NULL", 4)
        else:
            text.size = 0
            if type_output(&value, format, &text) < 0:
                status = -1
            _put_element(text.data, text.size, out)
        # Advance the position; every dimension that overflows closes a brace.
        d = reader.dimensions
        while d > 0:
            position[d - 1] += 1
            if position[d - 1] < lengths[d - 1]:
                buffer_append_u8(out, c',')
                break
            position[d - 1] = 0
            buffer_append_u8(out, c'}')
            opened -= 1
            d -= 1
    buffer_free(&text)
    return -1 if out.failed else status


# ------------------------------------------------------------------------------------------------------------ binary

cdef int _short(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"08P01", b"insufficient data left in message")
    return -1


cdef int array_receive(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Var* out,
                       dsql_error_t* error) noexcept nogil:
    cdef ArrayDimension dimensions[6]
    cdef const uint8_t* end = data + size
    cdef uint32_t element_oid = array_element_oid(oid)
    cdef Value* values
    cdef uint32_t dimension_count
    cdef uint32_t length
    cdef uint32_t i
    cdef int64_t count = 1
    if size < 12:
        return _short(error)
    dimension_count = load_be32(data)
    if <int32_t>dimension_count < 0:
        dsql_error_set(error, b"22P03", b"invalid number of dimensions: %d", <int>dimension_count)
        return -1
    if dimension_count > ARRAY_DIMENSIONS_MAX:
        dsql_error_set(error, b"54000", b"number of array dimensions (%d) exceeds the maximum allowed (%d)",
                       <int>dimension_count, <int>ARRAY_DIMENSIONS_MAX)
        return -1
    if load_be32(data + 4) > 1:
        dsql_error_set(error, b"22P03", b"invalid array flags")
        return -1
    if load_be32(data + 8) != element_oid:
        dsql_error_set(error, b"42804", b"binary data has array element type %u instead of expected %u",
                       <unsigned int>load_be32(data + 8), <unsigned int>element_oid)
        return -1
    data += 12
    if <size_t>(end - data) < 8 * <size_t>dimension_count:
        return _short(error)
    for i in range(dimension_count):
        dimensions[i].length = <int32_t>load_be32(data)
        dimensions[i].lower_bound = <int32_t>load_be32(data + 4)
        data += 8
        if dimensions[i].length < 0 or dimensions[i].length > ELEMENTS_MAX:
            dsql_error_set(error, b"54000", b"array size exceeds the maximum allowed (%d)", <int>ELEMENTS_MAX)
            return -1
        count *= dimensions[i].length
        if count > ELEMENTS_MAX:
            dsql_error_set(error, b"54000", b"array size exceeds the maximum allowed (%d)", <int>ELEMENTS_MAX)
            return -1
    if dimension_count == 0:
        count = 0
    if count * 4 > end - data:
        return _short(error)
    values = <Value*>pool_alloc(pool, <size_t>(count + 1) * sizeof(Value))
    if values == NULL:
        return out_of_memory(error)
    for i in range(<uint32_t>count):
        if end - data < 4:
            return _short(error)
        length = load_be32(data)
        data += 4
        if length == 0xFFFFFFFFU:
            memset(&values[i], 0, sizeof(Value))
            values[i].type_oid = element_oid
            values[i].phys = type_phys(element_oid)
            values[i].is_null = 1
            continue
        if <size_t>(end - data) < length:
            return _short(error)
        if type_receive(element_oid, typmod, data, length, pool, &values[i], error) < 0:
            return -1
        data += length
    if data != end:
        dsql_error_set(error, b"22P03", b"incorrect binary data format")
        return -1
    if _is_vector(oid):
        # Always one dimension from 0.
        if dimension_count > 1:
            dsql_error_set(error, b"22P03", b"invalid %s data",
                           b"int2vector" if oid == OID_INT2VECTOR else b"oidvector")
            return -1
        dimensions[0].length = <int32_t>count
        dimensions[0].lower_bound = 0
        dimension_count = 1
    return array_build(element_oid, values, <uint32_t>count, dimensions, dimension_count, pool, out, error)


cdef int array_send(uint32_t oid, const Var* array, Buffer* out) noexcept nogil:
    cdef ArrayReader reader
    cdef ArrayDimension dimension
    cdef Value value
    cdef uint32_t i
    cdef size_t at
    array_open(array, &reader)
    put_be32(out, 1 if reader.count == 0 and _is_vector(oid) else reader.dimensions)
    put_be32(out, 1 if reader.is_null != NULL else 0)
    put_be32(out, reader.element_oid)
    if reader.count == 0 and _is_vector(oid):
        put_be32(out, 0)
        put_be32(out, 0)
    for i in range(reader.dimensions):
        array_dimension(array, i, &dimension)
        put_be32(out, <uint32_t>dimension.length)
        put_be32(out, <uint32_t>dimension.lower_bound)
    for i in range(reader.count):
        array_element(&reader, i, &value)
        if value.is_null:
            put_be32(out, 0xFFFFFFFFU)
            continue
        at = out.size
        put_be32(out, 0)
        if type_send(&value, out) < 0 or out.failed:
            return -1
        store_be32(out.data + at, <uint32_t>(out.size - at - 4))
    return -1 if out.failed else 0


# ---------------------------------------------------------------------------------------------------- order and hash

cdef int array_compare(uint32_t oid, const Var* a, const Var* b) noexcept nogil:
    # Elements first (NULL greatest), then numbers of elements and of dimensions, then lengths, then lower bounds.
    cdef ArrayReader x
    cdef ArrayReader y
    cdef ArrayDimension x_dimension
    cdef ArrayDimension y_dimension
    cdef Value v
    cdef Value w
    cdef uint32_t i
    cdef int order
    array_open(a, &x)
    array_open(b, &y)
    for i in range(x.count if x.count < y.count else y.count):
        array_element(&x, i, &v)
        array_element(&y, i, &w)
        if v.is_null or w.is_null:
            if v.is_null != w.is_null:
                return 1 if v.is_null else -1
            continue
        order = type_compare(&v, &w)
        if order != 0:
            return order
    if x.count != y.count:
        return 1 if x.count > y.count else -1
    if x.dimensions != y.dimensions:
        return 1 if x.dimensions > y.dimensions else -1
    for i in range(x.dimensions):
        array_dimension(a, i, &x_dimension)
        array_dimension(b, i, &y_dimension)
        if x_dimension.length != y_dimension.length:
            return 1 if x_dimension.length > y_dimension.length else -1
    for i in range(x.dimensions):
        array_dimension(a, i, &x_dimension)
        array_dimension(b, i, &y_dimension)
        if x_dimension.lower_bound != y_dimension.lower_bound:
            return 1 if x_dimension.lower_bound > y_dimension.lower_bound else -1
    return 0


cdef uint64_t array_hash(uint32_t oid, const Var* array) noexcept nogil:
    cdef ArrayReader reader
    cdef Value value
    cdef uint64_t h = 1
    cdef uint32_t i
    array_open(array, &reader)
    for i in range(reader.count):
        array_element(&reader, i, &value)
        h = h * 31 + (0 if value.is_null else type_hash(&value))
    return h * 0xD6E8FEB86659FD93ULL


cdef int array_apply_typmod(uint32_t oid, int32_t typmod, int is_explicit, Var* value, Pool* pool,
                            dsql_error_t* error) noexcept nogil:
    cdef ArrayReader reader
    cdef ArrayDimension dimensions[6]
    cdef Value* values
    cdef uint32_t i
    array_open(value, &reader)
    if typmod < 0 or reader.count == 0:
        return 0
    values = <Value*>pool_alloc(pool, reader.count * sizeof(Value))
    if values == NULL:
        return out_of_memory(error)
    for i in range(reader.dimensions):
        array_dimension(value, i, &dimensions[i])
    for i in range(reader.count):
        array_element(&reader, i, &values[i])
        if not values[i].is_null and type_apply_typmod(typmod, is_explicit, &values[i], pool, error) < 0:
            return -1
    return array_build(reader.element_oid, values, reader.count, dimensions, reader.dimensions, pool, value, error)
