"""Making json and jsonb of SQL values: to_json, to_jsonb, json(b)_build_array, json(b)_build_object.

The text is written by json_write; for jsonb it then goes through the type's input, which puts it in canonical form.
"""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_free, buffer_init
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport OID_JSONB, Value, Var, Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, EvalContext
from dsql_core.execute.kernels.json_write cimport json_put_key, json_put_value
from dsql_core.execute.kernels.rows cimport is_null, kernel, kernel_flags, no_memory, row_at, set_copy
from dsql_core.execute.vectors cimport vector_value
from dsql_core.types.json cimport jsonb_input
from libc.string cimport memcpy


cdef int keep(EvalContext* ctx, Buffer* text, Vector* out, uint32_t i) noexcept nogil:
    # The result of row i; the buffer becomes empty.
    cdef int status
    if text.failed:
        return no_memory(ctx)
    if out.type_oid == OID_JSONB:
        status = jsonb_input(text.data, text.size, ctx.pool, <Var*>out.data + i, ctx.error)
    else:
        status = set_copy(ctx, out, i, text.data, text.size)
    text.size = 0
    return status


cdef inline void append(EvalContext* ctx, const Vector* v, uint32_t i, Buffer* text) noexcept nogil:
    cdef Value value
    vector_value(v, i, &value)
    value.type_oid = v.type_oid
    json_put_value(&value, ctx.format, text)


cdef int one_value(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef uint32_t k, i
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        append(ctx, args[0], i, &text)
        status = keep(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int build_array(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef uint32_t k, i, j
    cdef int status = 0
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        buffer_append(&text, b"[", 1)
        for j in range(n):
            if j:
                buffer_append(&text, b", ", 2)
            append(ctx, args[j], i, &text)
        buffer_append(&text, b"]", 1)
        status = keep(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int put_key(EvalContext* ctx, const Vector* v, uint32_t i, uint32_t place, int jsonb, Buffer* text) noexcept nogil:
    cdef Value value
    if is_null(v, i):
        if jsonb:
            dsql_error_set(ctx.error, "22023", "argument %u: key must not be null", place)
        else:
            dsql_error_set(ctx.error, "22004", "null value not allowed for object key")
        return -1
    vector_value(v, i, &value)
    if json_put_key(&value, ctx.format, text) < 0:
        dsql_error_set(ctx.error, "22023", "key value must be scalar, not array, composite, or json")
        return -1
    return 0


cdef int odd_arguments(EvalContext* ctx, int jsonb) noexcept nogil:
    cdef const char* hint = b"The arguments of json_build_object() must consist of alternating keys and values."
    cdef size_t size = 83
    dsql_error_set(ctx.error, "22023", "argument list must have even number of elements")
    if jsonb:
        hint = b"The arguments of jsonb_build_object() must consist of alternating keys and values."
        size = 84
    memcpy(ctx.error.hint, hint, size)
    return -1


cdef int build_object(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef uint32_t k, i, j
    cdef int status = 0, jsonb = out.type_oid == OID_JSONB
    if n % 2:
        return odd_arguments(ctx, jsonb)
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        buffer_append(&text, b"{", 1)
        j = 0
        while j < n and status == 0:
            if j:
                buffer_append(&text, b", ", 2)
            status = put_key(ctx, args[j], i, j + 1, jsonb, &text)
            if status == 0:
                buffer_append(&text, b" : ", 3)
                append(ctx, args[j + 1], i, &text)
            j += 2
        if status < 0:
            break
        buffer_append(&text, b"}", 1)
        status = keep(ctx, &text, out, i)
        if status < 0:
            break
    buffer_free(&text)
    return status


cdef int _register() except -1:
    kernel(b"to_json", one_value)
    kernel(b"to_jsonb", one_value)
    for name in (b"json_build_array", b"jsonb_build_array"):
        kernel_flags(name, build_array, KERNEL_NULLS)
    for name in (b"json_build_object", b"jsonb_build_object"):
        kernel_flags(name, build_object, KERNEL_NULLS)
    return 0


_register()
