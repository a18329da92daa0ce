"""Kernels that build text: concatenation, replacement, repetition, quoting, code points, hexadecimal.

concat, concat_ws and the || of text with anything take arguments of any type and print them as their output format
does.
"""

from libc.string cimport memcmp, memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_free, buffer_init
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport OID_BOOL, OID_TEXT, OID_VARCHAR, PHYS_I64, Value, Var, Vector
from dsql_core.execute.kernel cimport EvalContext, KERNEL_NULLS
from dsql_core.execute.kernels.rows cimport (int32_at, integer_at, is_null, kernel, kernel_flags, new_bytes, no_memory,
                                             row_at, set_copy, set_var, var_at)
from dsql_core.execute.vectors cimport vector_value
from dsql_core.types.io cimport type_output

cdef extern from *:
    """
    #include <string.h>
    extern void *memmem(const void *, size_t, const void *, size_t);
    """
    void* memmem(const void* haystack, size_t size, const void* needle, size_t needle_size) noexcept nogil


cdef inline void append_value(EvalContext* ctx, const Vector* v, uint32_t i, Buffer* to) noexcept nogil:
    # Element i, not NULL, as text.
    cdef Value value
    if v.type_oid == OID_TEXT or v.type_oid == OID_VARCHAR:
        buffer_append(to, var_at(v, i).data, var_at(v, i).size)
        return
    vector_value(v, i, &value)
    type_output(&value, ctx.format, to)


cdef inline int keep_buffer(EvalContext* ctx, Buffer* text, Vector* out, uint32_t i) noexcept nogil:
    # The result of row i is what the buffer holds; the buffer becomes empty.
    if text.failed:
        return no_memory(ctx)
    if set_copy(ctx, out, i, text.data, text.size) < 0:
        return -1
    text.size = 0
    return 0


# --- concatenation ---------------------------------------------------------------------------------------------------

cdef int cat(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef const Var* b
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        to = new_bytes(ctx, out, i, <size_t>a.size + b.size)
        if to == NULL:
            return -1
        memcpy(to, a.data, a.size)
        memcpy(to + a.size, b.data, b.size)
    return 0


cdef int concat(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    # concat(...): NULLs are empty. Also text || any (strict, so it never sees one).
    cdef Buffer text
    cdef uint32_t k, i, j
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        for j in range(n):
            if not is_null(args[j], i):
                append_value(ctx, args[j], i, &text)
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int any_cat(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    # text || any: the cast to text, which prints booleans in full.
    cdef Buffer text
    cdef uint32_t k, i, j
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        for j in range(2):
            if args[j].type_oid == OID_BOOL:
                if (<const uint8_t*>args[j].data)[i * args[j].stride]:
                    buffer_append(&text, <const uint8_t*>b"true", 4)
                else:
                    buffer_append(&text, <const uint8_t*>b"false", 5)
            else:
                append_value(ctx, args[j], i, &text)
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int concat_ws(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef uint32_t k, i, j
    cdef int status = 0, first
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        if is_null(args[0], i):
            out.nulls[i] = 1
            continue
        first = 1
        for j in range(1, n):
            if is_null(args[j], i):
                continue
            if not first:
                append_value(ctx, args[0], i, &text)
            first = 0
            append_value(ctx, args[j], i, &text)
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


# --- replacing -------------------------------------------------------------------------------------------------------

cdef int replace(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef const Var* a
    cdef const Var* old
    cdef const Var* new
    cdef const uint8_t* at
    cdef const uint8_t* end
    cdef const uint8_t* found
    cdef uint32_t k, i
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        old = var_at(args[1], i)
        new = var_at(args[2], i)
        end = a.data + a.size
        found = <const uint8_t*>memmem(a.data, a.size, old.data, old.size) if old.size != 0 else NULL
        if found == NULL:
            set_var(out, i, a.data, a.size)
            continue
        at = a.data
        while found != NULL:
            buffer_append(&text, at, found - at)
            buffer_append(&text, new.data, new.size)
            at = found + old.size
            found = <const uint8_t*>memmem(at, end - at, old.data, old.size)
        buffer_append(&text, at, end - at)
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef inline uint32_t char_size(const uint8_t* text, uint32_t size) noexcept nogil:
    cdef uint32_t at = 1
    while at < size and (text[at] & 0xC0) == 0x80:
        at += 1
    return at


cdef int translate(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    # Each character of args[1] becomes the one at its place in args[2], or nothing where that is shorter.
    cdef Buffer text
    cdef const Var* a
    cdef const Var* old
    cdef const Var* new
    cdef uint32_t k, i, at, step, o, o_step, w
    cdef int status = 0, replaced
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        old = var_at(args[1], i)
        new = var_at(args[2], i)
        at = 0
        while at < a.size:
            step = char_size(a.data + at, a.size - at)
            o = w = 0
            replaced = 0
            while o < old.size:
                o_step = char_size(old.data + o, old.size - o)
                if o_step == step and memcmp(old.data + o, a.data + at, step) == 0:
                    replaced = 1
                    break
                o += o_step
                if w < new.size:
                    w += char_size(new.data + w, new.size - w)
            if not replaced:
                buffer_append(&text, a.data + at, step)
            elif w < new.size:
                buffer_append(&text, new.data + w, char_size(new.data + w, new.size - w))
            at += step
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int repeat(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef int64_t times, j
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        times = int32_at(args[1], i)
        if times < 0:
            times = 0
        if times * <int64_t>a.size > 1073741819:
            dsql_error_set(ctx.error, "54000", "requested length too large")
            return -1
        to = new_bytes(ctx, out, i, <size_t>(times * a.size))
        if to == NULL:
            return -1
        for j in range(times):
            memcpy(to + j * a.size, a.data, a.size)
    return 0


cdef int reverse(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint8_t* to
    cdef uint32_t k, i, at, step
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        to = new_bytes(ctx, out, i, a.size)
        if to == NULL:
            return -1
        at = 0
        while at < a.size:
            step = char_size(a.data + at, a.size - at)
            memcpy(to + (a.size - at - step), a.data + at, step)
            at += step
    return 0


# --- code points and numbers -----------------------------------------------------------------------------------------

cdef int ascii(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    cdef int32_t* r = <int32_t*>out.data
    cdef const Var* a
    cdef uint32_t k, i, j, size
    cdef int32_t code
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        if a.size == 0:
            r[i] = 0
            continue
        code = a.data[0]
        size = char_size(a.data, a.size)
        if size > 1:
            code &= 0x7F >> size
            for j in range(1, size):
                code = code << 6 | (a.data[j] & 0x3F)
        r[i] = code
    return 0


cdef int chr_(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    cdef int32_t code
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        code = int32_at(args[0], i)
        if code < 0:
            dsql_error_set(ctx.error, "22023", "character number must be positive")
            return -1
        if code == 0:
            dsql_error_set(ctx.error, "54000", "null character not permitted")
            return -1
        if code > 0x10FFFF:
            dsql_error_set(ctx.error, "54000", "requested character too large for encoding: %u", <unsigned int>code)
            return -1
        if code >= 0xD800 and code < 0xE000:
            dsql_error_set(ctx.error, "54000", "requested character not valid for encoding: %u", <unsigned int>code)
            return -1
        if code < 0x80:
            to = new_bytes(ctx, out, i, 1)
            if to == NULL:
                return -1
            to[0] = <uint8_t>code
        elif code < 0x800:
            to = new_bytes(ctx, out, i, 2)
            if to == NULL:
                return -1
            to[0] = <uint8_t>(0xC0 | code >> 6)
            to[1] = <uint8_t>(0x80 | code & 0x3F)
        elif code < 0x10000:
            to = new_bytes(ctx, out, i, 3)
            if to == NULL:
                return -1
            to[0] = <uint8_t>(0xE0 | code >> 12)
            to[1] = <uint8_t>(0x80 | code >> 6 & 0x3F)
            to[2] = <uint8_t>(0x80 | code & 0x3F)
        else:
            to = new_bytes(ctx, out, i, 4)
            if to == NULL:
                return -1
            to[0] = <uint8_t>(0xF0 | code >> 18)
            to[1] = <uint8_t>(0x80 | code >> 12 & 0x3F)
            to[2] = <uint8_t>(0x80 | code >> 6 & 0x3F)
            to[3] = <uint8_t>(0x80 | code & 0x3F)
    return 0


cdef int to_hex(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint64_t value
    cdef uint8_t digits[16]
    cdef int at
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = <uint64_t>integer_at(args[0], i)
        if args[0].phys != PHYS_I64:
            value = <uint32_t>value
        at = 16
        while True:
            at -= 1
            digits[at] = (<const uint8_t*>b"0123456789abcdef")[value & 15]
            value >>= 4
            if value == 0:
                break
        if set_copy(ctx, out, i, &digits[at], 16 - at) < 0:
            return -1
    return 0


# --- quoting ---------------------------------------------------------------------------------------------------------

cdef int quote(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    # quote_literal and quote_nullable of anything; only the latter ever sees a NULL.
    cdef Buffer plain, text
    cdef uint32_t k, i
    cdef size_t j
    cdef int status = 0
    buffer_init(&plain)
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        if is_null(args[0], i):
            set_var(out, i, <const uint8_t*>b"NULL", 4)
            continue
        plain.size = 0
        if args[0].type_oid == OID_BOOL:
            if (<const uint8_t*>args[0].data)[i * args[0].stride]:
                buffer_append(&plain, <const uint8_t*>b"true", 4)
            else:
                buffer_append(&plain, <const uint8_t*>b"false", 5)
        else:
            append_value(ctx, args[0], i, &plain)
        for j in range(plain.size):
            if plain.data[j] == c'\\':
                buffer_append(&text, <const uint8_t*>b"E", 1)
                break
        buffer_append_u8(&text, c"'")
        for j in range(plain.size):
            if plain.data[j] == c"'" or plain.data[j] == c'\\':
                buffer_append_u8(&text, plain.data[j])
            buffer_append_u8(&text, plain.data[j])
        buffer_append_u8(&text, c"'")
        text.failed |= plain.failed
        status = keep_buffer(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&plain)
    buffer_free(&text)
    return status


# --- the greater and the smaller -------------------------------------------------------------------------------------

cdef inline int bytes_order(const Var* a, const Var* b) noexcept nogil:
    cdef int order = memcmp(a.data, b.data, a.size if a.size < b.size else b.size)
    return order if order != 0 else (a.size > b.size) - (a.size < b.size)


cdef int larger(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<Var*>out.data)[i] = (var_at(args[0], i) if bytes_order(var_at(args[0], i), var_at(args[1], i)) > 0
                               else var_at(args[1], i))[0]
    return 0


cdef int smaller(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<Var*>out.data)[i] = (var_at(args[0], i) if bytes_order(var_at(args[0], i), var_at(args[1], i)) < 0
                               else var_at(args[1], i))[0]
    return 0


cdef int _register() except -1:
    kernel(b"textcat", cat)
    kernel(b"byteacat", cat)
    kernel(b"textanycat", any_cat)
    kernel(b"anytextcat", any_cat)
    kernel_flags(b"text_concat", concat, KERNEL_NULLS)
    kernel_flags(b"text_concat_ws", concat_ws, KERNEL_NULLS)
    kernel(b"replace_text", replace)
    kernel(b"translate", translate)
    kernel(b"repeat", repeat)
    kernel(b"text_reverse", reverse)
    kernel(b"ascii", ascii)
    kernel(b"chr", chr_)
    kernel(b"to_hex32", to_hex)
    kernel(b"to_hex64", to_hex)
    kernel(b"quote_literal", quote)
    kernel_flags(b"quote_nullable", quote, KERNEL_NULLS)
    kernel(b"text_larger", larger)
    kernel(b"text_smaller", smaller)
    return 0


_register()
