"""Scalars: text formats of bool, int2, int4, int8, oid (and reg*, by number) and uuid.

Rules are PostgreSQL 16's: integers may be written 0x1F, 0o17, 0b11 and with underscores between digits; blanks around
bool and integers are ignored, around uuid they are not. oid wraps a negative number the way C's strtoul does.

I1  A parser reads only text[0..size) and sets `error` exactly when it returns -1.
"""
from libc.stdint cimport UINT64_MAX

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_reserve
from dsql_core.base.types cimport int64_t, uint8_t, uint64_t
from dsql_core.types.chars cimport hex_digit, is_digit, is_space, lower_ascii, shown, trim_spaces


cdef int invalid_syntax(const char* type_name, const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22P02", b"invalid input syntax for type %s: \"%.*s\"", type_name, shown(size), text)
    return -1


cdef bint _is_prefix(const uint8_t* text, size_t size, const char* word, size_t word_size) noexcept nogil:
    cdef size_t i
    if size > word_size:
        return False
    for i in range(size):
        if lower_ascii(text[i]) != <uint8_t>word[i]:
            return False
    return True


cdef int bool_input(const uint8_t* text, size_t size, uint8_t* out, dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* at = text
    cdef size_t n = size
    cdef uint8_t first
    trim_spaces(&at, &n)
    if n > 0:
        first = lower_ascii(at[0])
        if first == c't' and _is_prefix(at, n, b"true", 4):
            out[0] = 1
            return 0
        if first == c'f' and _is_prefix(at, n, b"false", 5):
            out[0] = 0
            return 0
        if first == c'y' and _is_prefix(at, n, b"yes", 3):
            out[0] = 1
            return 0
        if first == c'n' and _is_prefix(at, n, b"no", 2):
            out[0] = 0
            return 0
        if first == c'o' and n == 2 and _is_prefix(at, n, b"on", 2):
            out[0] = 1
            return 0
        if first == c'o' and n >= 2 and _is_prefix(at, n, b"off", 3):
            out[0] = 0
            return 0
        if n == 1 and (first == c'1' or first == c'0'):
            out[0] = first == c'1'
            return 0
    return invalid_syntax(b"boolean", text, size, error)


cdef int integer_input(const uint8_t* text, size_t size, int64_t low, int64_t high, const char* type_name,
                       int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef const uint8_t* first
    cdef uint64_t value = 0
    cdef uint64_t limit
    cdef uint64_t base = 10
    cdef int digit
    cdef bint negative = False
    cdef bint overflow = False
    while at < end and is_space(at[0]):
        at += 1
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        negative = at[0] == c'-'
        at += 1
    if end - at > 1 and at[0] == c'0':
        if (at[1] | 32) == c'x':
            base = 16
        elif (at[1] | 32) == c'o':
            base = 8
        elif (at[1] | 32) == c'b':
            base = 2
        if base != 10:
            at += 2
    first = at
    while at < end:
        if at[0] == c'_':
            # Between digits; after a base prefix also before the first.
            if (base == 10 and at == first) or end - at < 2:
                return invalid_syntax(type_name, text, size, error)
            at += 1
            digit = hex_digit(at[0])
            if digit < 0 or <uint64_t>digit >= base:
                return invalid_syntax(type_name, text, size, error)
        digit = hex_digit(at[0])
        if digit < 0 or <uint64_t>digit >= base:
            break
        if value > (UINT64_MAX - 15) / base:
            overflow = True
        else:
            value = value * base + <uint64_t>digit
        at += 1
    if at == first:
        return invalid_syntax(type_name, text, size, error)
    while at < end and is_space(at[0]):
        at += 1
    if at != end:
        return invalid_syntax(type_name, text, size, error)
    limit = <uint64_t>high
    if negative:
        limit = 0 - <uint64_t>low
    if overflow or value > limit:
        dsql_error_set(error, b"22003", b"value \"%.*s\" is out of range for type %s", shown(size), text, type_name)
        return -1
    out[0] = <int64_t>(0 - value) if negative else <int64_t>value
    return 0


cdef int oid_input(const uint8_t* text, size_t size, const char* type_name, int64_t* out,
                   dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef uint64_t value = 0
    cdef bint negative = False
    cdef bint overflow = False
    cdef const uint8_t* first
    while at < end and is_space(at[0]):
        at += 1
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        negative = at[0] == c'-'
        at += 1
    first = at
    while at < end and is_digit(at[0]):
        if value > 0xFFFFFFFFFFFFULL:
            overflow = True
        else:
            value = value * 10 + (at[0] - 48)
        at += 1
    if at == first:
        return invalid_syntax(type_name, text, size, error)
    while at < end and is_space(at[0]):
        at += 1
    if at != end:
        return invalid_syntax(type_name, text, size, error)
    if overflow or (value > 0xFFFFFFFFULL and not negative) or (negative and value > 0x80000000ULL):
        dsql_error_set(error, b"22003", b"value \"%.*s\" is out of range for type %s", shown(size), text, type_name)
        return -1
    if negative:
        value = (0 - value) & 0xFFFFFFFFULL
    out[0] = <int64_t>value
    return 0


cdef int uuid_input(const uint8_t* text, size_t size, uint8_t* out, dsql_error_t* error) noexcept nogil:
    # 32 digits, a hyphen allowed after every fourth, braces allowed around.
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef int i
    cdef int high
    cdef int low
    cdef bint braces = False
    if size > 0 and at[0] == c'{':
        braces = True
        at += 1
    for i in range(16):
        if end - at < 2:
            return invalid_syntax(b"uuid", text, size, error)
        high = hex_digit(at[0])
        low = hex_digit(at[1])
        if (high | low) < 0:
            return invalid_syntax(b"uuid", text, size, error)
        out[i] = <uint8_t>((high << 4) | low)
        at += 2
        if (i & 1) == 1 and i < 15 and at < end and at[0] == c'-':
            at += 1
    if braces:
        if at == end or at[0] != c'}':
            return invalid_syntax(b"uuid", text, size, error)
        at += 1
    if at != end:
        return invalid_syntax(b"uuid", text, size, error)
    return 0


cdef void uuid_output(const uint8_t* uuid, Buffer* out) noexcept nogil:
    cdef const char* digits = b"0123456789abcdef"
    cdef uint8_t* at = buffer_reserve(out, 36)
    cdef int i
    if at == NULL:
        return
    for i in range(16):
        if i == 4 or i == 6 or i == 8 or i == 10:
            at[0] = c'-'
            at += 1
        at[0] = <uint8_t>digits[uuid[i] >> 4]
        at[1] = <uint8_t>digits[uuid[i] & 15]
        at += 2
    out.size += 36
