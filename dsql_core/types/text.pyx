"""The text family and bytea: validation, length coercion and text formats.

A value of any of these types is its bytes: no terminator, no length word. bpchar is kept padded with blanks to its
declared length; name is cut at 63 bytes on a character border; "char" is one byte, or none for the NUL character.

I1  Every value of a text type is valid UTF-8 without NUL bytes: checked here on the way in and relied upon elsewhere.
I2  Lengths in typmods (n + 4) count characters, not bytes.
"""
from libc.string cimport memcpy, memset

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_append_u8, buffer_reserve, pool_alloc, pool_copy
from dsql_core.base.types cimport int32_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport OID_BPCHAR, OID_CHAR, OID_NAME, OID_VARCHAR, Var
from dsql_core.types.chars cimport hex_digit

cdef enum:
    NAME_SIZE_MAX = 63


cdef int out_of_memory(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"53200", b"out of memory")
    return -1


cdef inline int _sequence_size(uint8_t lead) noexcept nogil:
    if lead < 0x80:
        return 1
    if (lead & 0xE0) == 0xC0:
        return 2
    if (lead & 0xF0) == 0xE0:
        return 3
    if (lead & 0xF8) == 0xF0:
        return 4
    return 1


cdef bint _sequence_valid(const uint8_t* at, int size) noexcept nogil:
    # Shortest form, no surrogates, at most U+10FFFF.
    cdef uint8_t second
    cdef int i
    if at[0] < 0x80:
        return at[0] != 0
    if size == 1 or at[0] < 0xC2 or at[0] > 0xF4:
        return False
    second = at[1]
    for i in range(1, size):
        if (at[i] & 0xC0) != 0x80:
            return False
    if at[0] == 0xE0 and second < 0xA0:
        return False
    if at[0] == 0xED and second > 0x9F:
        return False
    if at[0] == 0xF0 and second < 0x90:
        return False
    return not (at[0] == 0xF4 and second > 0x8F)


cdef int _report_bytes(const uint8_t* at, size_t left, dsql_error_t* error) noexcept nogil:
    # PostgreSQL shows the bytes of the character as its lead byte announces it, as far as they exist.
    cdef char text[40]
    cdef const char* digits = b"0123456789abcdef"
    cdef size_t size = _sequence_size(at[0])
    cdef size_t i
    cdef int n = 0
    if size > left:
        size = left
    for i in range(size):
        if i > 0:
            text[n] = c' '
            n += 1
        text[n] = c'0'
        text[n + 1] = c'x'
        text[n + 2] = digits[at[i] >> 4]
        text[n + 3] = digits[at[i] & 15]
        n += 4
    text[n] = 0
    dsql_error_set(error, b"22021", b"invalid byte sequence for encoding \"UTF8\": %s", &text[0])
    return -1


cdef int utf8_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef uint64_t word
    cdef int n
    while at < end:
        while end - at >= 8:
            memcpy(&word, at, 8)
            # A byte with its high bit set, or a zero byte, leaves the fast path.
            if (word & 0x8080808080808080ULL) != 0 or ((word - 0x0101010101010101ULL) & 0x8080808080808080ULL) != 0:
                break
            at += 8
        if at == end:
            break
        n = _sequence_size(at[0])
        if end - at < n or not _sequence_valid(at, n):
            return _report_bytes(at, end - at, error)
        at += n
    return 0


cdef size_t utf8_length(const uint8_t* text, size_t size) noexcept nogil:
    cdef size_t count = 0
    cdef size_t i
    for i in range(size):
        count += (text[i] & 0xC0) != 0x80
    return count


cdef size_t utf8_prefix(const uint8_t* text, size_t size, size_t characters) noexcept nogil:
    cdef size_t i = 0
    if characters >= size:
        return size
    while i < size:
        if (text[i] & 0xC0) != 0x80:
            if characters == 0:
                break
            characters -= 1
        i += 1
    return i


cdef int text_apply_typmod(uint32_t oid, int32_t typmod, int is_explicit, Var* value, Pool* pool,
                           dsql_error_t* error) noexcept nogil:
    cdef size_t limit
    cdef size_t length
    cdef size_t keep
    cdef size_t i
    cdef uint8_t* padded
    if typmod < 5 or (oid != OID_VARCHAR and oid != OID_BPCHAR):
        return 0
    limit = <size_t>(typmod - 4)
    if oid == OID_VARCHAR and value.size <= limit:
        return 0
    length = utf8_length(value.data, value.size)
    if length > limit:
        keep = utf8_prefix(value.data, value.size, limit)
        if not is_explicit:
            for i in range(keep, value.size):
                if value.data[i] != c' ':
                    dsql_error_set(error, b"22001", b"value too long for type character varying(%d)"
                                   if oid == OID_VARCHAR else b"value too long for type character(%d)", <int>limit)
                    return -1
        value.size = <uint32_t>keep
    elif oid == OID_BPCHAR and length < limit:
        padded = <uint8_t*>pool_alloc(pool, value.size + (limit - length))
        if padded == NULL:
            return out_of_memory(error)
        memcpy(padded, value.data, value.size)
        memset(padded + value.size, c' ', limit - length)
        value.data = padded
        value.size += <uint32_t>(limit - length)
    return 0


cdef int _char_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef uint8_t value = 0
    cdef uint8_t* at
    if size == 4 and text[0] == c'\\' and text[1] >= c'0' and text[1] <= c'3' and text[2] >= c'0' and \
            text[2] <= c'7' and text[3] >= c'0' and text[3] <= c'7':
        value = <uint8_t>(((text[1] - 48) << 6) + ((text[2] - 48) << 3) + (text[3] - 48))
    elif size > 0:
        value = text[0]
    at = pool_copy(pool, &value, 1)
    if at == NULL:
        return out_of_memory(error)
    out.data = at
    out.size = 1 if value != 0 else 0
    return 0


cdef void char_output(const Var* value, Buffer* out) noexcept nogil:
    cdef uint8_t byte
    if value.size == 0:
        return
    byte = value.data[0]
    if byte < 0x80:
        buffer_append_u8(out, byte)
    else:
        buffer_append_u8(out, c'\\')
        buffer_append_u8(out, 48 + (byte >> 6))
        buffer_append_u8(out, 48 + ((byte >> 3) & 7))
        buffer_append_u8(out, 48 + (byte & 7))


cdef int text_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, Pool* pool, Var* out,
                    dsql_error_t* error) noexcept nogil:
    if oid == OID_CHAR:
        return _char_input(text, size, pool, out, error)
    if utf8_check(text, size, error) < 0:
        return -1
    if oid == OID_NAME and size > NAME_SIZE_MAX:
        size = NAME_SIZE_MAX
        while size > 0 and (text[size] & 0xC0) == 0x80:
            size -= 1
    out.data = pool_copy(pool, text, size)
    out.size = <uint32_t>size
    out.reserved = 0
    if out.data == NULL:
        return out_of_memory(error)
    return text_apply_typmod(oid, typmod, 0, out, pool, error)


cdef int _hex_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef uint8_t* data = <uint8_t*>pool_alloc(pool, size / 2 + 1)
    cdef size_t i = 2
    cdef uint32_t n = 0
    cdef int high
    cdef int low
    if data == NULL:
        return out_of_memory(error)
    while i < size:
        if text[i] == c' ' or text[i] == c'\n' or text[i] == c'\t' or text[i] == c'\r':
            i += 1
            continue
        high = hex_digit(text[i])
        if high < 0:
            return _bad_hex(text + i, size - i, error)
        if i + 1 >= size:
            dsql_error_set(error, b"22023", b"invalid hexadecimal data: odd number of digits")
            return -1
        low = hex_digit(text[i + 1])
        if low < 0:
            return _bad_hex(text + i + 1, size - i - 1, error)
        data[n] = <uint8_t>((high << 4) | low)
        n += 1
        i += 2
    out.data = data
    out.size = n
    out.reserved = 0
    return 0


cdef int _bad_hex(const uint8_t* at, size_t left, dsql_error_t* error) noexcept nogil:
    cdef int size = _sequence_size(at[0])
    dsql_error_set(error, b"22023", b"invalid hexadecimal digit: \"%.*s\"",
                   size if <size_t>size < left else <int>left, at)
    return -1


cdef int bytea_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef uint8_t* data
    cdef size_t i = 0
    cdef uint32_t n = 0
    if size >= 2 and text[0] == c'\\' and text[1] == c'x':
        return _hex_input(text, size, pool, out, error)
    data = <uint8_t*>pool_alloc(pool, size + 1)
    if data == NULL:
        return out_of_memory(error)
    while i < size:
        if text[i] != c'\\':
            data[n] = text[i]
            i += 1
        elif i + 1 < size and text[i + 1] == c'\\':
            data[n] = c'\\'
            i += 2
        elif i + 3 < size and text[i + 1] >= c'0' and text[i + 1] <= c'3' and text[i + 2] >= c'0' and \
                text[i + 2] <= c'7' and text[i + 3] >= c'0' and text[i + 3] <= c'7':
            data[n] = <uint8_t>(((text[i + 1] - 48) << 6) + ((text[i + 2] - 48) << 3) + (text[i + 3] - 48))
            i += 4
        else:
            dsql_error_set(error, b"22P02", b"invalid input syntax for type %s", b"bytea")
            return -1
        n += 1
    out.data = data
    out.size = n
    out.reserved = 0
    return 0


cdef void bytea_output(const uint8_t* data, size_t size, int escape, Buffer* out) noexcept nogil:
    cdef const char* digits = b"0123456789abcdef"
    cdef uint8_t* at
    cdef size_t i
    cdef uint8_t c
    at = buffer_reserve(out, size * 4 + 2)
    if at == NULL:
        return
    if not escape:
        at[0] = c'\\'
        at[1] = c'x'
        at += 2
        for i in range(size):
            at[0] = <uint8_t>digits[data[i] >> 4]
            at[1] = <uint8_t>digits[data[i] & 15]
            at += 2
    else:
        for i in range(size):
            c = data[i]
            if c == c'\\':
                at[0] = c'\\'
                at[1] = c'\\'
                at += 2
            elif c < 0x20 or c > 0x7E:
                at[0] = c'\\'
                at[1] = 48 + (c >> 6)
                at[2] = 48 + ((c >> 3) & 7)
                at[3] = 48 + (c & 7)
                at += 4
            else:
                at[0] = c
                at += 1
    out.size = at - out.data
