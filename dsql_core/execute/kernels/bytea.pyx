"""Kernels of bytea: parts, searching, bytes and bits, encode and decode, md5.

encode and decode know hex, base64 (lines of 76 characters) and escape. Part functions give a view into the argument.
"""

from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport Var, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel, new_bytes, row_at, set_copy, set_var, var_at
from dsql_core.types.chars cimport hex_digit, same_text, shown

cdef extern from *:
    """
    #include <string.h>
    extern void *memmem(const void *, size_t, const void *, size_t);
    """
    void* memmem(const void* haystack, size_t size, const void* needle, size_t needle_size) noexcept nogil

cdef extern from "kernel/md5.h" nogil:
    void dsql_md5(const void* data, size_t size, uint8_t* digest) noexcept

cdef const char* BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


# --- parts -----------------------------------------------------------------------------------------------------------

cdef int substr(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef int64_t first, behind
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        first = int32_at(args[1], i)
        behind = a.size + 1
        if n == 3:
            if int32_at(args[2], i) < 0:
                dsql_error_set(ctx.error, "22011", "negative substring length not allowed")
                return -1
            behind = min(behind, first + int32_at(args[2], i))
        if first < 1:
            first = 1
        set_var(out, i, a.data + (first - 1), <size_t>(behind - first) if behind > first else 0)
    return 0


cdef int overlay(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef const Var* b
    cdef int64_t first, head, tail
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        first = int32_at(args[2], i)
        if first <= 0:
            dsql_error_set(ctx.error, "22011", "negative substring length not allowed")
            return -1
        head = min(first - 1, <int64_t>a.size)
        tail = first - 1 + (int32_at(args[3], i) if n == 4 else <int64_t>b.size)
        if tail >= 2147483647:
            dsql_error_set(ctx.error, "22003", "integer out of range")
            return -1
        tail = max(<int64_t>0, min(tail, <int64_t>a.size))
        to = new_bytes(ctx, out, i, head + b.size + (a.size - tail))
        if to == NULL:
            return -1
        memcpy(to, a.data, head)
        memcpy(to + head, b.data, b.size)
        memcpy(to + head + b.size, a.data + tail, a.size - tail)
    return 0


cdef int position(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef const Var* b
    cdef const uint8_t* found
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        found = <const uint8_t*>memmem(a.data, a.size, b.data, b.size) if b.size != 0 else a.data
        (<int32_t*>out.data)[i] = <int32_t>(found - a.data) + 1 if found != NULL else 0
    return 0


cdef inline int in_set(uint8_t byte, const Var* bytes) noexcept nogil:
    cdef uint32_t j
    for j in range(bytes.size):
        if bytes.data[j] == byte:
            return 1
    return 0


cdef int trim(Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int front, int back) noexcept nogil:
    cdef const uint8_t* start
    cdef const uint8_t* end
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        start = var_at(args[0], i).data
        end = start + var_at(args[0], i).size
        while front and start < end and in_set(start[0], var_at(args[1], i)):
            start += 1
        while back and start < end and in_set((end - 1)[0], var_at(args[1], i)):
            end -= 1
        set_var(out, i, start, end - start)
    return 0


cdef int ltrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, sel, count, 1, 0)


cdef int rtrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, sel, count, 0, 1)


cdef int btrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, sel, count, 1, 1)


# --- bytes and bits --------------------------------------------------------------------------------------------------

cdef int bad_index(EvalContext* ctx, int64_t index, int64_t size) noexcept nogil:
    dsql_error_set(ctx.error, "2202E", "index %lld out of valid range, 0..%lld", <long long>index, <long long>size - 1)
    return -1


cdef int get_byte(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int64_t at
    for k in range(count):
        i = row_at(sel, k)
        at = int32_at(args[1], i)
        if at < 0 or at >= var_at(args[0], i).size:
            return bad_index(ctx, at, var_at(args[0], i).size)
        (<int32_t*>out.data)[i] = var_at(args[0], i).data[at]
    return 0


cdef int set_byte(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int64_t at
    for k in range(count):
        i = row_at(sel, k)
        at = int32_at(args[1], i)
        if at < 0 or at >= var_at(args[0], i).size:
            return bad_index(ctx, at, var_at(args[0], i).size)
        if set_copy(ctx, out, i, var_at(args[0], i).data, var_at(args[0], i).size) < 0:
            return -1
        (<uint8_t*>(<Var*>out.data)[i].data)[at] = <uint8_t>int32_at(args[2], i)
    return 0


cdef int get_bit(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int64_t at
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if at < 0 or at >= <int64_t>var_at(args[0], i).size * 8:
            return bad_index(ctx, at, <int64_t>var_at(args[0], i).size * 8)
        (<int32_t*>out.data)[i] = var_at(args[0], i).data[at >> 3] >> (at & 7) & 1
    return 0


cdef int set_bit(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int64_t at
    cdef uint8_t* byte
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if at < 0 or at >= <int64_t>var_at(args[0], i).size * 8:
            return bad_index(ctx, at, <int64_t>var_at(args[0], i).size * 8)
        if int32_at(args[2], i) != 0 and int32_at(args[2], i) != 1:
            dsql_error_set(ctx.error, "22023", "new bit must be 0 or 1")
            return -1
        if set_copy(ctx, out, i, var_at(args[0], i).data, var_at(args[0], i).size) < 0:
            return -1
        byte = <uint8_t*>(<Var*>out.data)[i].data + (at >> 3)
        byte[0] = <uint8_t>((byte[0] & ~(1 << (at & 7))) | (int32_at(args[2], i) << (at & 7)))
    return 0


cdef int bit_count(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i, j
    cdef int64_t total
    cdef uint8_t byte
    for k in range(count):
        i = row_at(sel, k)
        total = 0
        for j in range(var_at(args[0], i).size):
            byte = var_at(args[0], i).data[j]
            while byte:
                byte &= byte - 1
                total += 1
        (<int64_t*>out.data)[i] = total
    return 0


# --- encode ----------------------------------------------------------------------------------------------------------

cdef enum:
    CODE_HEX = 0
    CODE_BASE64 = 1
    CODE_ESCAPE = 2


cdef int code_of(EvalContext* ctx, const Var* name) noexcept nogil:
    if same_text(name.data, name.size, b"hex"):
        return CODE_HEX
    if same_text(name.data, name.size, b"base64"):
        return CODE_BASE64
    if same_text(name.data, name.size, b"escape"):
        return CODE_ESCAPE
    dsql_error_set(ctx.error, "22023", 'unrecognized encoding: "%.*s"', shown(name.size), name.data)
    return -1


cdef int hex_text(EvalContext* ctx, const uint8_t* data, size_t size, Vector* out, uint32_t i) noexcept nogil:
    cdef const char* digits = b"0123456789abcdef"
    cdef uint8_t* to = new_bytes(ctx, out, i, 2 * size)
    cdef size_t j
    if to == NULL:
        return -1
    for j in range(size):
        to[2 * j] = digits[data[j] >> 4]
        to[2 * j + 1] = digits[data[j] & 15]
    return 0


cdef int base64_text(EvalContext* ctx, const Var* a, Vector* out, uint32_t i) noexcept nogil:
    cdef size_t j, size = (<size_t>a.size + 2) / 3 * 4
    cdef uint8_t* to
    cdef uint8_t* start
    cdef uint32_t word
    to = start = new_bytes(ctx, out, i, size + size / 76)
    if to == NULL:
        return -1
    j = 0
    while j < a.size:
        word = <uint32_t>a.data[j] << 16
        if j + 1 < a.size:
            word |= <uint32_t>a.data[j + 1] << 8
        if j + 2 < a.size:
            word |= a.data[j + 2]
        to[0] = BASE64[word >> 18]
        to[1] = BASE64[word >> 12 & 63]
        to[2] = BASE64[word >> 6 & 63] if j + 1 < a.size else c'='
        to[3] = BASE64[word & 63] if j + 2 < a.size else c'='
        to += 4
        j += 3
        if j % 57 == 0 and j < a.size:
            to[0] = c'\n'
            to += 1
    set_var(out, i, start, to - start)
    return 0


cdef int escape_text(EvalContext* ctx, const Var* a, Vector* out, uint32_t i) noexcept nogil:
    cdef uint8_t* to = new_bytes(ctx, out, i, 4 * <size_t>a.size)
    cdef uint8_t* start = to
    cdef uint8_t byte
    cdef uint32_t j
    if to == NULL:
        return -1
    for j in range(a.size):
        byte = a.data[j]
        if byte == 0 or byte >= 0x80:
            to[0] = c'\\'
            to[1] = c'0' + (byte >> 6)
            to[2] = c'0' + (byte >> 3 & 7)
            to[3] = c'0' + (byte & 7)
            to += 4
        elif byte == c'\\':
            to[0] = to[1] = c'\\'
            to += 2
        else:
            to[0] = byte
            to += 1
    set_var(out, i, start, to - start)
    return 0


cdef int encode(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int code, status
    for k in range(count):
        i = row_at(sel, k)
        code = code_of(ctx, var_at(args[1], i))
        if code < 0:
            return -1
        if code == CODE_HEX:
            status = hex_text(ctx, var_at(args[0], i).data, var_at(args[0], i).size, out, i)
        elif code == CODE_BASE64:
            status = base64_text(ctx, var_at(args[0], i), out, i)
        else:
            status = escape_text(ctx, var_at(args[0], i), out, i)
        if status < 0:
            return -1
    return 0


# --- decode ----------------------------------------------------------------------------------------------------------

cdef inline int char_bytes(const uint8_t* at) noexcept nogil:
    # Bytes of the UTF-8 character that starts here, for messages.
    if at[0] < 0xC0:
        return 1
    return 2 if at[0] < 0xE0 else 3 if at[0] < 0xF0 else 4


cdef int hex_bytes(EvalContext* ctx, const Var* a, Vector* out, uint32_t i) noexcept nogil:
    cdef uint8_t* to = new_bytes(ctx, out, i, a.size / 2 + 1)
    cdef uint8_t* start = to
    cdef uint32_t j = 0
    cdef int high, low
    if to == NULL:
        return -1
    while j < a.size:
        if a.data[j] == c' ' or a.data[j] == c'\n' or a.data[j] == c'\t' or a.data[j] == c'\r':
            j += 1
            continue
        high = hex_digit(a.data[j])
        if high < 0:
            dsql_error_set(ctx.error, "22023", 'invalid hexadecimal digit: "%.*s"', char_bytes(a.data + j), a.data + j)
            return -1
        j += 1
        if j >= a.size:
            dsql_error_set(ctx.error, "22023", "invalid hexadecimal data: odd number of digits")
            return -1
        low = hex_digit(a.data[j])
        if low < 0:
            dsql_error_set(ctx.error, "22023", 'invalid hexadecimal digit: "%.*s"', char_bytes(a.data + j), a.data + j)
            return -1
        j += 1
        to[0] = <uint8_t>(high << 4 | low)
        to += 1
    set_var(out, i, start, to - start)
    return 0


cdef inline int base64_value(uint8_t c) noexcept nogil:
    if <uint8_t>(c - 65) < 26:
        return c - 65
    if <uint8_t>(c - 97) < 26:
        return c - 71
    if <uint8_t>(c - 48) < 10:
        return c + 4
    return 62 if c == c'+' else 63 if c == c'/' else -1


cdef int base64_bytes(EvalContext* ctx, const Var* a, Vector* out, uint32_t i) noexcept nogil:
    cdef uint8_t* to = new_bytes(ctx, out, i, a.size / 4 * 3 + 3)
    cdef uint8_t* start = to
    cdef uint32_t j, word = 0
    cdef int value, position = 0, end = 0
    cdef uint8_t c
    if to == NULL:
        return -1
    for j in range(a.size):
        c = a.data[j]
        if c == c' ' or c == c'\n' or c == c'\t' or c == c'\r':
            continue
        if c == c'=':
            if end == 0:
                if position == 2:
                    end = 1
                elif position == 3:
                    end = 2
                else:
                    dsql_error_set(ctx.error, "22023", 'unexpected "=" while decoding base64 sequence')
                    return -1
            value = 0
        else:
            value = base64_value(c)
            if value < 0:
                dsql_error_set(ctx.error, "22023", 'invalid symbol "%.*s" found while decoding base64 sequence',
                               char_bytes(a.data + j), a.data + j)
                return -1
        word = word << 6 | <uint32_t>value
        position += 1
        if position == 4:
            to[0] = <uint8_t>(word >> 16)
            to += 1
            if end == 0 or end > 1:
                to[0] = <uint8_t>(word >> 8)
                to += 1
            if end == 0 or end > 2:
                to[0] = <uint8_t>word
                to += 1
            word = 0
            position = 0
    if position != 0:
        dsql_error_set(ctx.error, "22023", "invalid base64 end sequence")
        memcpy(ctx.error.hint, b"Input data is missing padding, is truncated, or is otherwise corrupted.", 72)
        return -1
    set_var(out, i, start, to - start)
    return 0


cdef inline int is_octal(uint8_t c, uint8_t top) noexcept nogil:
    return c >= c'0' and c <= top


cdef int escape_bytes(EvalContext* ctx, const Var* a, Vector* out, uint32_t i) noexcept nogil:
    cdef uint8_t* to = new_bytes(ctx, out, i, a.size)
    cdef uint8_t* start = to
    cdef uint32_t j = 0
    if to == NULL:
        return -1
    while j < a.size:
        if a.data[j] != c'\\':
            to[0] = a.data[j]
            j += 1
        elif j + 3 < a.size and is_octal(a.data[j + 1], c'3') and is_octal(a.data[j + 2], c'7') \
                and is_octal(a.data[j + 3], c'7'):
            to[0] = <uint8_t>((a.data[j + 1] - 48) << 6 | (a.data[j + 2] - 48) << 3 | (a.data[j + 3] - 48))
            j += 4
        elif j + 1 < a.size and a.data[j + 1] == c'\\':
            to[0] = c'\\'
            j += 2
        else:
            dsql_error_set(ctx.error, "22P02", "invalid input syntax for type %s", b"bytea")
            return -1
        to += 1
    set_var(out, i, start, to - start)
    return 0


cdef int decode(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int code, status
    for k in range(count):
        i = row_at(sel, k)
        code = code_of(ctx, var_at(args[1], i))
        if code < 0:
            return -1
        if code == CODE_HEX:
            status = hex_bytes(ctx, var_at(args[0], i), out, i)
        elif code == CODE_BASE64:
            status = base64_bytes(ctx, var_at(args[0], i), out, i)
        else:
            status = escape_bytes(ctx, var_at(args[0], i), out, i)
        if status < 0:
            return -1
    return 0


# --- md5 -------------------------------------------------------------------------------------------------------------

cdef int md5(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef uint8_t[16] digest
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        dsql_md5(var_at(args[0], i).data, var_at(args[0], i).size, &digest[0])
        if hex_text(ctx, &digest[0], 16, out, i) < 0:
            return -1
    return 0


cdef int _register() except -1:
    kernel(b"bytea_substr", substr)
    kernel(b"bytea_substr_no_len", substr)
    kernel(b"byteaoverlay", overlay)
    kernel(b"byteaoverlay_no_len", overlay)
    kernel(b"byteapos", position)
    kernel(b"bytealtrim", ltrim)
    kernel(b"byteartrim", rtrim)
    kernel(b"byteatrim", btrim)
    kernel(b"byteaGetByte", get_byte)
    kernel(b"byteaSetByte", set_byte)
    kernel(b"byteaGetBit", get_bit)
    kernel(b"byteaSetBit", set_bit)
    kernel(b"bytea_bit_count", bit_count)
    kernel(b"binary_encode", encode)
    kernel(b"binary_decode", decode)
    kernel(b"md5_text", md5)
    kernel(b"md5_bytea", md5)
    return 0


_register()
