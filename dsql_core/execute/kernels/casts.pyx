"""Casts between numbers, bool, oid and the text types; casts through the text form; length coercion.

    cast_io(value)                                any type to the result's type by output and input format
    apply_typmod(value, typmod int4, explicit)    varchar(n), numeric(p,s), timestamp(p) ...

Floats round half to even and must fit the integer; a text that becomes a name is cut to 63 bytes. Casts of dates and
times are in datetime, those of json in Python.
"""

from libc.math cimport isinf, rint

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_free, buffer_init, pool_copy
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport (OID_BPCHAR, OID_JSON, OID_NAME, OID_TEXT, OID_UNKNOWN, OID_VARCHAR,
                                    PHYS_F32, PHYS_I16, PHYS_I32, PHYS_I64, Value, Var, Vector)
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport (bool_at, int32_at, int64_at, integer_at, kernel, new_bytes, no_memory, row_at,
                                             set_var, var_at)
from dsql_core.execute.vectors cimport scalar_copy, vector_value
from dsql_core.types.io cimport type_apply_typmod, type_input, type_output
from dsql_core.types.numeric cimport (numeric_from_double, numeric_from_float, numeric_from_int64, numeric_to_double,
                                      numeric_to_integer)
from dsql_core.types.text cimport trimmed_size


cdef inline const char* integer_name(uint8_t phys) noexcept nogil:
    if phys == PHYS_I16:
        return b"smallint"
    return b"integer" if phys == PHYS_I32 else b"bigint"


cdef inline int64_t highest(uint8_t phys) noexcept nogil:
    if phys == PHYS_I16:
        return 32767
    return 2147483647 if phys == PHYS_I32 else 0x7FFFFFFFFFFFFFFFLL


cdef inline int out_of_range(EvalContext* ctx, uint8_t phys) noexcept nogil:
    dsql_error_set(ctx.error, "22003", "%s out of range", integer_name(phys))
    return -1


cdef inline void store_integer(Vector* out, uint32_t i, int64_t value) noexcept nogil:
    if out.phys == PHYS_I32:
        (<int32_t*>out.data)[i] = <int32_t>value
    elif out.phys == PHYS_I64:
        (<int64_t*>out.data)[i] = value
    else:
        (<int16_t*>out.data)[i] = <int16_t>value


# --- numbers ---------------------------------------------------------------------------------------------------------

cdef int integer_to_integer(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef int64_t value, top = highest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = integer_at(args[0], i)
        if value > top or value < -top - 1:
            return out_of_range(ctx, out.phys)
        store_integer(out, i, value)
    return 0


cdef int integer_to_float(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if out.phys == PHYS_F32:
            (<float*>out.data)[i] = <float>integer_at(args[0], i)
        else:
            (<double*>out.data)[i] = <double>integer_at(args[0], i)
    return 0


cdef int float_to_integer(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef double value, top = <double>highest(out.phys)
    cdef uint32_t k, i
    if out.phys == PHYS_I64:
        top = 9223372036854775808.0        # one too many: compared with >=
    for k in range(count):
        i = row_at(sel, k)
        if args[0].phys == PHYS_F32:
            value = rint((<const float*>args[0].data)[i * args[0].stride])
        else:
            value = rint((<const double*>args[0].data)[i * args[0].stride])
        if out.phys == PHYS_I64:
            if not (value >= -top and value < top):
                return out_of_range(ctx, out.phys)
        elif not (value >= -top - 1 and value <= top):
            return out_of_range(ctx, out.phys)
        store_integer(out, i, <int64_t>value)
    return 0


cdef int float_widen(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<double*>out.data)[i] = (<const float*>args[0].data)[i * args[0].stride]
    return 0


cdef int float_narrow(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef double value
    cdef float result
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = (<const double*>args[0].data)[i * args[0].stride]
        result = <float>value
        if isinf(result) and not isinf(value):
            dsql_error_set(ctx.error, "22003", "value out of range: overflow")
            return -1
        if result == 0 and value != 0:
            dsql_error_set(ctx.error, "22003", "value out of range: underflow")
            return -1
        (<float*>out.data)[i] = result
    return 0


cdef int integer_to_numeric(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_from_int64(integer_at(args[0], i), ctx.pool, <Var*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int float_to_numeric(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int status
    for k in range(count):
        i = row_at(sel, k)
        if args[0].phys == PHYS_F32:
            status = numeric_from_float((<const float*>args[0].data)[i * args[0].stride], ctx.pool,
                                        <Var*>out.data + i, ctx.error)
        else:
            status = numeric_from_double((<const double*>args[0].data)[i * args[0].stride], ctx.pool,
                                         <Var*>out.data + i, ctx.error)
        if status < 0:
            return -1
    return 0


cdef int numeric_to_int(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef int64_t value, top = highest(out.phys)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_to_integer(var_at(args[0], i), -top - 1, top, integer_name(out.phys), &value, ctx.error) < 0:
            return -1
        store_integer(out, i, value)
    return 0


cdef int numeric_to_float8(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if numeric_to_double(var_at(args[0], i), <double*>out.data + i, ctx.error) < 0:
            return -1
    return 0


# --- bool, oid -------------------------------------------------------------------------------------------------------

cdef int int4_to_bool(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<uint8_t*>out.data)[i] = int32_at(args[0], i) != 0
    return 0


cdef int bool_to_int4(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int32_t*>out.data)[i] = bool_at(args[0], i)
    return 0


cdef int bool_to_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if bool_at(args[0], i):
            set_var(out, i, <const uint8_t*>b"true", 4)
        else:
            set_var(out, i, <const uint8_t*>b"false", 5)
    return 0


cdef int integer_to_oid(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # int2 and int4 wrap as unsigned, int8 must fit.
    cdef int64_t value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = integer_at(args[0], i)
        if args[0].phys != PHYS_I64:
            value = <int64_t><uint32_t>value
        elif value < 0 or value > 4294967295LL:
            dsql_error_set(ctx.error, "22003", "OID out of range")
            return -1
        (<int64_t*>out.data)[i] = value
    return 0


cdef int oid_to_int4(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int32_t*>out.data)[i] = <int32_t><uint32_t>int64_at(args[0], i)
    return 0


cdef int oid_to_int8(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = int64_at(args[0], i)
    return 0


# --- the text types --------------------------------------------------------------------------------------------------

cdef int same_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<Var*>out.data)[i] = var_at(args[0], i)[0]
    return 0


cdef int text_to_name(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint32_t k, i, size
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        size = a.size
        if args[0].type_oid == OID_BPCHAR:
            size = <uint32_t>trimmed_size(a.data, size)
        if size > 63:
            size = 63
            while size > 0 and (a.data[size] & 0xC0) == 0x80:
                size -= 1
        set_var(out, i, a.data, size)
    return 0


cdef int text_to_char(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    # "char" keeps the first byte.
    cdef const Var* a
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        set_var(out, i, a.data, 1 if a.size != 0 else 0)
    return 0


cdef int char_to_int4(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef const Var* a
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        (<int32_t*>out.data)[i] = <int32_t>(<signed char>a.data[0]) if a.size != 0 else 0
    return 0


cdef int int4_to_char(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef int32_t value
    cdef uint8_t* to
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = int32_at(args[0], i)
        if value < -128 or value > 127:
            dsql_error_set(ctx.error, "22003", '"char" out of range')
            return -1
        to = new_bytes(ctx, out, i, 1 if value != 0 else 0)
        if to == NULL:
            return -1
        to[0] = <uint8_t>value
    return 0


# --- through the text form -------------------------------------------------------------------------------------------

cdef inline int is_plain_text(uint32_t oid) noexcept nogil:
    return oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BPCHAR or oid == OID_NAME or oid == OID_UNKNOWN


cdef int cast_io(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef Value value
    cdef Buffer text
    cdef const uint8_t* data
    cdef size_t size
    cdef uint32_t k, i
    cdef int status = 0
    cdef int from_text = is_plain_text(args[0].type_oid) or args[0].type_oid == OID_JSON
    buffer_init(&text)
    for k in range(count):
        i = row_at(sel, k)
        if from_text:
            data = var_at(args[0], i).data
            size = var_at(args[0], i).size
        else:
            vector_value(args[0], i, &value)
            text.size = 0
            if type_output(&value, ctx.format, &text) < 0 or text.failed:
                status = no_memory(ctx)
                break
            data = pool_copy(ctx.pool, text.data, text.size)
            size = text.size
            if data == NULL:
                status = no_memory(ctx)
                break
        if out.type_oid == OID_TEXT or out.type_oid == OID_VARCHAR or out.type_oid == OID_UNKNOWN:
            set_var(out, i, data, size)
            continue
        status = type_input(out.type_oid, -1, data, size, ctx.format, ctx.pool, &value, ctx.error)
        if status < 0:
            break
        scalar_copy(out.phys, out.data, i, &value.v, 0)
    buffer_free(&text)
    return status


cdef int apply_typmod(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef Value value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        vector_value(args[0], i, &value)
        value.type_oid = out.type_oid
        if type_apply_typmod(int32_at(args[1], i), bool_at(args[2], i), &value, ctx.pool, ctx.error) < 0:
            return -1
        scalar_copy(out.phys, out.data, i, &value.v, 0)
    return 0


cdef int _register() except -1:
    for name in (b"i2toi4", b"i4toi2", b"int28", b"int82", b"int48", b"int84"):
        kernel(name, integer_to_integer)
    for name in (b"i2tof", b"i4tof", b"i8tof", b"i2tod", b"i4tod", b"i8tod"):
        kernel(name, integer_to_float)
    for name in (b"ftoi2", b"ftoi4", b"ftoi8", b"dtoi2", b"dtoi4", b"dtoi8"):
        kernel(name, float_to_integer)
    kernel(b"ftod", float_widen)
    kernel(b"dtof", float_narrow)
    for name in (b"int2_numeric", b"int4_numeric", b"int8_numeric"):
        kernel(name, integer_to_numeric)
    for name in (b"float4_numeric", b"float8_numeric"):
        kernel(name, float_to_numeric)
    for name in (b"numeric_int2", b"numeric_int4", b"numeric_int8"):
        kernel(name, numeric_to_int)
    kernel(b"numeric_float8", numeric_to_float8)
    kernel(b"numeric_float4", cast_io)
    kernel(b"int4_bool", int4_to_bool)
    kernel(b"bool_int4", bool_to_int4)
    kernel(b"booltext", bool_to_text)
    for name in (b"i2tooid", b"i4tooid", b"i8tooid"):
        kernel(name, integer_to_oid)
    kernel(b"oidtoi4", oid_to_int4)
    kernel(b"oidtoi8", oid_to_int8)
    for name in (b"name_text", b"name_bpchar", b"char_text", b"char_bpchar"):
        kernel(name, same_text)
    for name in (b"text_name", b"bpchar_name"):
        kernel(name, text_to_name)
    kernel(b"text_char", text_to_char)
    kernel(b"chartoi4", char_to_int4)
    kernel(b"i4tochar", int4_to_char)
    kernel(b"cast_io", cast_io)
    kernel(b"apply_typmod", apply_typmod)
    return 0


_register()
