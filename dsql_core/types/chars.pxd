# Characters and digits: the small inline pieces every text format is parsed and written with. ASCII only, no locale.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, strlen

from dsql_core.base.memory cimport Buffer, buffer_append, buffer_reserve


cdef inline bint is_space(uint8_t c) noexcept nogil:
    return c == 32 or (c >= 9 and c <= 13)


cdef inline bint is_digit(uint8_t c) noexcept nogil:
    return <uint8_t>(c - 48) < 10


cdef inline bint is_alpha(uint8_t c) noexcept nogil:
    return <uint8_t>((c | 32) - 97) < 26


cdef inline bint is_punct(uint8_t c) noexcept nogil:
    return c > 32 and c < 127 and not is_digit(c) and not is_alpha(c)


cdef inline uint8_t lower_ascii(uint8_t c) noexcept nogil:
    return c + 32 if <uint8_t>(c - 65) < 26 else c


cdef inline int hex_digit(uint8_t c) noexcept nogil:
    # Value of a hexadecimal digit, -1 for anything else.
    if <uint8_t>(c - 48) < 10:
        return c - 48
    c |= 32
    if <uint8_t>(c - 97) < 6:
        return c - 87
    return -1


cdef inline bint same_text(const uint8_t* a, size_t size, const char* b) noexcept nogil:
    # Case-insensitive equality of a sized text with a C string in lower case.
    cdef size_t i
    for i in range(size):
        if b[i] == 0 or lower_ascii(a[i]) != <uint8_t>b[i]:
            return False
    return b[size] == 0


cdef inline void trim_spaces(const uint8_t** text, size_t* size) noexcept nogil:
    while size[0] > 0 and is_space(text[0][0]):
        text[0] += 1
        size[0] -= 1
    while size[0] > 0 and is_space(text[0][size[0] - 1]):
        size[0] -= 1


cdef inline int shown(size_t size) noexcept nogil:
    # Length of a text as an argument of "%.*s" in an error message.
    return <int>size if size < 1000 else 1000


cdef inline void put_text(Buffer* out, const char* text) noexcept nogil:
    buffer_append(out, text, strlen(text))


cdef inline uint8_t* write_u64(uint8_t* at, uint64_t value) noexcept nogil:
    # Decimal digits of value; returns the end. Needs 20 bytes.
    cdef uint8_t digits[20]
    cdef int n = 20
    while True:
        n -= 1
        digits[n] = <uint8_t>(48 + value % 10)
        value = value / 10
        if value == 0:
            break
    memcpy(at, &digits[n], 20 - n)
    return at + (20 - n)


cdef inline uint8_t* write_i64(uint8_t* at, int64_t value) noexcept nogil:
    cdef uint64_t magnitude = <uint64_t>value
    if value < 0:
        at[0] = c'-'
        at += 1
        magnitude = 0 - magnitude
    return write_u64(at, magnitude)


cdef inline uint8_t* write_padded(uint8_t* at, uint64_t value, int width) noexcept nogil:
    # At least `width` digits, zero filled on the left.
    cdef uint8_t digits[20]
    cdef uint8_t* end = write_u64(&digits[0], value)
    cdef int n = <int>(end - &digits[0])
    while width > n:
        at[0] = c'0'
        at += 1
        width -= 1
    memcpy(at, &digits[0], n)
    return at + n


cdef inline void put_i64(Buffer* out, int64_t value) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 24)
    if at != NULL:
        out.size = write_i64(at, value) - out.data


cdef inline uint32_t load_be16(const uint8_t* p) noexcept nogil:
    return (<uint32_t>p[0] << 8) | p[1]


cdef inline uint32_t load_be32(const uint8_t* p) noexcept nogil:
    return (<uint32_t>p[0] << 24) | (<uint32_t>p[1] << 16) | (<uint32_t>p[2] << 8) | p[3]


cdef inline uint64_t load_be64(const uint8_t* p) noexcept nogil:
    return (<uint64_t>load_be32(p) << 32) | load_be32(p + 4)


cdef inline void store_be16(uint8_t* p, uint32_t v) noexcept nogil:
    p[0] = <uint8_t>(v >> 8)
    p[1] = <uint8_t>v


cdef inline void store_be32(uint8_t* p, uint32_t v) noexcept nogil:
    p[0] = <uint8_t>(v >> 24)
    p[1] = <uint8_t>(v >> 16)
    p[2] = <uint8_t>(v >> 8)
    p[3] = <uint8_t>v


cdef inline void store_be64(uint8_t* p, uint64_t v) noexcept nogil:
    store_be32(p, <uint32_t>(v >> 32))
    store_be32(p + 4, <uint32_t>v)


cdef inline void put_be16(Buffer* out, uint32_t v) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 2)
    if at != NULL:
        store_be16(at, v)
        out.size += 2


cdef inline void put_be32(Buffer* out, uint32_t v) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 4)
    if at != NULL:
        store_be32(at, v)
        out.size += 4


cdef inline void put_be64(Buffer* out, uint64_t v) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 8)
    if at != NULL:
        store_be64(at, v)
        out.size += 8
