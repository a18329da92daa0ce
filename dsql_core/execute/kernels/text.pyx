"""Kernels of text: lengths, parts, searching, padding, trimming, case.

Positions and lengths are characters of UTF-8; case changes ASCII only (C collation). Results that are a part of an
argument point into it; others lie in the batch's pool.
"""

from libc.string cimport memcmp, memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport Var, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport int32_at, kernel, new_bytes, row_at, set_var, var_at
from dsql_core.types.chars cimport is_alpha, is_digit, lower_ascii
from dsql_core.types.text cimport trimmed_size, utf8_length, utf8_prefix

cdef extern from *:
    """
    #include <string.h>
    extern void *memmem(const void *, size_t, const void *, size_t);
    """
    void* memmem(const void* haystack, size_t size, const void* needle, size_t needle_size) noexcept nogil


# guess: case_mapping
cdef inline uint8_t upper_ascii(uint8_t c) noexcept nogil:
    return c - 32 if <uint8_t>(c - 97) < 26 else c


# --- lengths ---------------------------------------------------------------------------------------------------------

cdef int char_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = <int32_t>utf8_length(var_at(args[0], i).data, var_at(args[0], i).size)
    return 0


cdef int bpchar_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef const Var* a
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        r[i] = <int32_t>utf8_length(a.data, trimmed_size(a.data, a.size))
    return 0


cdef int octet_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = <int32_t>var_at(args[0], i).size
    return 0


cdef int bit_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = <int32_t>var_at(args[0], i).size * 8
    return 0


# --- case ------------------------------------------------------------------------------------------------------------

cdef int lower(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint8_t* to
    cdef uint32_t k, i, j
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        to = new_bytes(ctx, out, i, a.size)
        if to == NULL:
            return -1
        for j in range(a.size):
            to[j] = lower_ascii(a.data[j])
    return 0


cdef int upper(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint8_t* to
    cdef uint32_t k, i, j
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        to = new_bytes(ctx, out, i, a.size)
        if to == NULL:
            return -1
        for j in range(a.size):
            to[j] = upper_ascii(a.data[j])
    return 0


cdef int initcap(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint8_t* to
    cdef uint8_t c
    cdef int inside
    cdef uint32_t k, i, j
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        to = new_bytes(ctx, out, i, a.size)
        if to == NULL:
            return -1
        inside = 0
        for j in range(a.size):
            c = a.data[j]
            to[j] = lower_ascii(c) if inside else upper_ascii(c)
            inside = is_alpha(c) or is_digit(c)
    return 0


# --- parts -----------------------------------------------------------------------------------------------------------

cdef inline void char_range(const Var* a, int64_t first, int64_t behind, Vector* out, uint32_t i) noexcept nogil:
    # Characters first .. behind (1-based, behind excluded); both may lie outside.
    cdef size_t start, size
    if first < 1:
        first = 1
    if behind <= first:
        set_var(out, i, a.data, 0)
        return
    start = utf8_prefix(a.data, a.size, <size_t>(first - 1))
    size = utf8_prefix(a.data + start, a.size - start, <size_t>(behind - first))
    set_var(out, i, a.data + start, size)


cdef int substr(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef int64_t first, size
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        first = int32_at(args[1], i)
        if n == 2:
            char_range(var_at(args[0], i), first, <int64_t>1 << 40, out, i)
            continue
        size = int32_at(args[2], i)
        if size < 0:
            dsql_error_set(ctx.error, "22011", "negative substring length not allowed")
            return -1
        char_range(var_at(args[0], i), first, first + size, out, i)
    return 0


cdef int left(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef int64_t size
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        size = int32_at(args[1], i)
        if size < 0:
            size += <int64_t>utf8_length(a.data, a.size)
        char_range(a, 1, size + 1, out, i)
    return 0


cdef int right(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef int64_t size
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        size = int32_at(args[1], i)
        # A negative count drops that many characters from the front.
        if size == -2147483648LL:
            size = 1        # PostgreSQL's own overflow keeps the whole text
        else:
            size = 1 - size if size < 0 else <int64_t>utf8_length(a.data, a.size) - size + 1
        char_range(a, size, <int64_t>1 << 40, out, i)
    return 0


cdef int split_part(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef const Var* mark
    cdef const uint8_t* at
    cdef const uint8_t* end
    cdef const uint8_t* found
    cdef int64_t field, fields
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        mark = var_at(args[1], i)
        field = int32_at(args[2], i)
        if field == 0:
            dsql_error_set(ctx.error, "22023", "field position must not be zero")
            return -1
        set_var(out, i, a.data, 0)
        if a.size == 0:
            continue
        if mark.size == 0:
            if field == 1 or field == -1:
                set_var(out, i, a.data, a.size)
            continue
        end = a.data + a.size
        if field < 0:
            # Counted from the end: how many are there?
            fields = 1
            at = a.data
            while True:
                found = <const uint8_t*>memmem(at, end - at, mark.data, mark.size)
                if found == NULL:
                    break
                fields += 1
                at = found + mark.size
            field += fields + 1
            if field < 1:
                continue
        at = a.data
        while True:
            found = <const uint8_t*>memmem(at, end - at, mark.data, mark.size)
            if field == 1:
                set_var(out, i, at, (found if found != NULL else end) - at)
                break
            if found == NULL:
                break
            at = found + mark.size
            field -= 1
    return 0


cdef int position(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef const Var* a
    cdef const Var* b
    cdef const uint8_t* found
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        found = <const uint8_t*>memmem(a.data, a.size, b.data, b.size) if b.size != 0 else a.data
        r[i] = <int32_t>utf8_length(a.data, found - a.data) + 1 if found != NULL else 0
    return 0


cdef int starts_with(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef const Var* a
    cdef const Var* b
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        r[i] = a.size >= b.size and memcmp(a.data, b.data, b.size) == 0
    return 0


# --- trimming --------------------------------------------------------------------------------------------------------

cdef inline uint32_t char_size(const uint8_t* text, uint32_t size) noexcept nogil:
    # Bytes of the first character; size > 0.
    cdef uint32_t at = 1
    while at < size and (text[at] & 0xC0) == 0x80:
        at += 1
    return at


cdef inline int in_set(const uint8_t* character, uint32_t size, const Var* chars) noexcept nogil:
    cdef uint32_t at = 0, step
    while at < chars.size:
        step = char_size(chars.data + at, chars.size - at)
        if step == size and memcmp(chars.data + at, character, size) == 0:
            return 1
        at += step
    return 0


cdef void trim_ends(const Var* a, const Var* chars, int front, int back, Vector* out, uint32_t i) noexcept nogil:
    cdef const uint8_t* start = a.data
    cdef const uint8_t* end = a.data + a.size
    cdef uint32_t step
    while front and start < end:
        step = char_size(start, <uint32_t>(end - start))
        if not in_set(start, step, chars):
            break
        start += step
    while back and start < end:
        step = 1
        while end - step > start and ((end - step)[0] & 0xC0) == 0x80:
            step += 1
        if not in_set(end - step, step, chars):
            break
        end -= step
    set_var(out, i, start, end - start)


cdef int trim(Vector* out, Vector** args, uint32_t n, const uint32_t* sel, uint32_t count, int front,
              int back) noexcept nogil:
    cdef Var blank
    cdef uint32_t k, i
    blank.data = <const uint8_t*>b" "
    blank.size = 1
    for k in range(count):
        i = row_at(sel, k)
        trim_ends(var_at(args[0], i), var_at(args[1], i) if n == 2 else &blank, front, back, out, i)
    return 0


cdef int ltrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, n, sel, count, 1, 0)


cdef int rtrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, n, sel, count, 0, 1)


cdef int btrim(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return trim(out, args, n, sel, count, 1, 1)


# --- padding and overlaying ------------------------------------------------------------------------------------------

cdef int pad(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel, uint32_t count,
             int before) noexcept nogil:
    cdef const Var* a
    cdef Var fill
    cdef int64_t wanted, have, missing, fill_chars, rest
    cdef size_t fill_size, kept
    cdef uint8_t* to
    cdef uint32_t k, i
    fill.data = <const uint8_t*>b" "
    fill.size = 1
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        wanted = int32_at(args[1], i)
        if n == 3:
            fill = var_at(args[2], i)[0]
        if wanted < 0:
            wanted = 0
        have = <int64_t>utf8_length(a.data, a.size)
        if have >= wanted or fill.size == 0:
            char_range(a, 1, wanted + 1, out, i)
            continue
        missing = wanted - have
        fill_chars = <int64_t>utf8_length(fill.data, fill.size)
        rest = missing % fill_chars
        kept = utf8_prefix(fill.data, fill.size, <size_t>rest)
        fill_size = <size_t>(missing / fill_chars) * fill.size + kept
        if a.size + fill_size > 1073741819:
            dsql_error_set(ctx.error, "54000", "requested length too large")
            return -1
        to = new_bytes(ctx, out, i, a.size + fill_size)
        if to == NULL:
            return -1
        if not before:
            memcpy(to, a.data, a.size)
            to += a.size
        while fill_size >= fill.size:
            memcpy(to, fill.data, fill.size)
            to += fill.size
            fill_size -= fill.size
        memcpy(to, fill.data, kept)
        if before:
            memcpy(to + kept, a.data, a.size)
    return 0


cdef int lpad(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return pad(ctx, out, args, n, sel, count, 1)


cdef int rpad(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return pad(ctx, out, args, n, sel, count, 0)


cdef int overlay(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef const Var* b
    cdef int64_t first, size, total
    cdef size_t head, tail
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        first = int32_at(args[2], i)
        size = int32_at(args[3], i) if n == 4 else <int64_t>utf8_length(b.data, b.size)
        if first <= 0:
            dsql_error_set(ctx.error, "22011", "negative substring length not allowed")
            return -1
        total = first + size - 1
        if first + size > 2147483647:
            dsql_error_set(ctx.error, "22003", "integer out of range")
            return -1
        head = utf8_prefix(a.data, a.size, <size_t>(first - 1))
        tail = utf8_prefix(a.data, a.size, <size_t>(total if total > 0 else 0))
        to = new_bytes(ctx, out, i, head + b.size + (a.size - tail))
        if to == NULL:
            return -1
        memcpy(to, a.data, head)
        memcpy(to + head, b.data, b.size)
        memcpy(to + head + b.size, a.data + tail, a.size - tail)
    return 0


cdef int _register() except -1:
    kernel(b"textlen", char_length)
    kernel(b"bpcharlen", bpchar_length)
    kernel(b"textoctetlen", octet_length)
    kernel(b"bpcharoctetlen", octet_length)
    kernel(b"byteaoctetlen", octet_length)
    kernel(b"text_bit_length", bit_length)
    kernel(b"bytea_bit_length", bit_length)
    kernel(b"lower", lower)
    kernel(b"upper", upper)
    kernel(b"initcap", initcap)
    kernel(b"text_substr", substr)
    kernel(b"text_substr_no_len", substr)
    kernel(b"text_left", left)
    kernel(b"text_right", right)
    kernel(b"split_part", split_part)
    kernel(b"textpos", position)
    kernel(b"text_starts_with", starts_with)
    for name in (b"ltrim", b"ltrim1"):
        kernel(name, ltrim)
    for name in (b"rtrim", b"rtrim1"):
        kernel(name, rtrim)
    for name in (b"btrim", b"btrim1"):
        kernel(name, btrim)
    kernel(b"lpad", lpad)
    kernel(b"rpad", rpad)
    kernel(b"textoverlay", overlay)
    kernel(b"textoverlay_no_len", overlay)
    return 0


_register()
