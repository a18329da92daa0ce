"""Looking inside json and jsonb without the GIL: -> ->> #> #>> ? ?| ?&, types and lengths.

Both are text in memory (jsonb in canonical form), valid by construction, so a value is found by skipping over the
others: a result is a slice of its document. Only strings with escapes are ever copied, when they are decoded.

Invariants
  J1  every document is valid JSON (the types' input saw to it): the scanner checks nothing.
  J2  where json repeats a key, the last value counts; jsonb has none twice.
"""

from libc.string cimport memchr, memcmp

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport Value, Var, Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, EvalContext
from dsql_core.execute.kernels.rows cimport int32_at, kernel, kernel_flags, no_memory, null_row, row_at, set_var, var_at
from dsql_core.types.array cimport ArrayReader, array_element, array_open
from dsql_core.types.chars cimport hex_digit, is_digit, is_space

cdef struct Span:
    const uint8_t* at
    const uint8_t* end


# --- the scanner -----------------------------------------------------------------------------------------------------

cdef inline const uint8_t* skip_blanks(const uint8_t* at, const uint8_t* end) noexcept nogil:
    while at < end and (at[0] == c' ' or at[0] == c'\n' or at[0] == c'\t' or at[0] == c'\r'):
        at += 1
    return at


cdef inline const uint8_t* skip_string(const uint8_t* at, const uint8_t* end) noexcept nogil:
    # at: the opening quote. Returns the place behind the closing one.
    at += 1
    while at < end and at[0] != c'"':
        at += 2 if at[0] == c'\\' else 1
    return at + 1


cdef const uint8_t* skip_value(const uint8_t* at, const uint8_t* end) noexcept nogil:
    cdef int depth = 0
    if at[0] == c'"':
        return skip_string(at, end)
    if at[0] != c'{' and at[0] != c'[':
        while at < end and at[0] != c',' and at[0] != c'}' and at[0] != c']' and not is_space(at[0]):
            at += 1
        return at
    while at < end:
        if at[0] == c'"':
            at = skip_string(at, end)
            continue
        if at[0] == c'{' or at[0] == c'[':
            depth += 1
        elif at[0] == c'}' or at[0] == c']':
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return end


cdef inline Span document(const Var* text) noexcept nogil:
    # Without blanks around it.
    cdef Span span
    span.at = skip_blanks(text.data, text.data + text.size)
    span.end = text.data + text.size
    while span.end > span.at and is_space((span.end - 1)[0]):
        span.end -= 1
    return span


cdef inline uint32_t code_unit(const uint8_t* at) noexcept nogil:
    # Four hexadecimal digits.
    return <uint32_t>(hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 | hex_digit(at[2]) << 4 | hex_digit(at[3]))


cdef uint32_t decode(const uint8_t* at, const uint8_t* end, uint8_t* out) noexcept nogil:
    # Text of a string between its quotes; never longer than it was. Returns its size.
    cdef uint8_t* start = out
    cdef uint32_t code
    cdef uint8_t c
    while at < end:
        if at[0] != c'\\':
            out[0] = at[0]
            out += 1
            at += 1
            continue
        c = at[1]
        at += 2
        if c != c'u':
            out[0] = c'\n' if c == c'n' else c'\t' if c == c't' else c'\r' if c == c'r' else \
                8 if c == c'b' else 12 if c == c'f' else c
            out += 1
            continue
        code = code_unit(at)
        at += 4
        if code >= 0xD800 and code < 0xDC00 and at + 6 <= end and at[0] == c'\\' and at[1] == c'u':
            code = 0x10000 + ((code - 0xD800) << 10) + (code_unit(at + 2) - 0xDC00)
            at += 6
        if code < 0x80:
            out[0] = <uint8_t>code
            out += 1
        elif code < 0x800:
            out[0] = <uint8_t>(0xC0 | code >> 6)
            out[1] = <uint8_t>(0x80 | code & 0x3F)
            out += 2
        elif code < 0x10000:
            out[0] = <uint8_t>(0xE0 | code >> 12)
            out[1] = <uint8_t>(0x80 | code >> 6 & 0x3F)
            out[2] = <uint8_t>(0x80 | code & 0x3F)
            out += 3
        else:
            out[0] = <uint8_t>(0xF0 | code >> 18)
            out[1] = <uint8_t>(0x80 | code >> 12 & 0x3F)
            out[2] = <uint8_t>(0x80 | code >> 6 & 0x3F)
            out[3] = <uint8_t>(0x80 | code & 0x3F)
            out += 4
    return <uint32_t>(out - start)


cdef int string_is(EvalContext* ctx, const uint8_t* at, const uint8_t* end, const uint8_t* key, uint32_t size) noexcept nogil:
    # Whether the string between at and end (no quotes) says key. -1 = no memory.
    cdef uint8_t* room
    if memchr(at, c'\\', end - at) == NULL:
        return <uint32_t>(end - at) == size and memcmp(at, key, size) == 0
    room = <uint8_t*>pool_alloc(ctx.pool, end - at)
    if room == NULL:
        return no_memory(ctx)
    return decode(at, end, room) == size and memcmp(room, key, size) == 0


cdef int find_field(EvalContext* ctx, Span* span, const uint8_t* key, uint32_t size) noexcept nogil:
    # span becomes the value of the key. 1 found, 0 not, -1 no memory.
    cdef const uint8_t* at
    cdef const uint8_t* end = span.end
    cdef const uint8_t* name
    cdef const uint8_t* value
    cdef Span found
    cdef int is_found = 0, same
    if span.at >= end or span.at[0] != c'{':
        return 0
    at = skip_blanks(span.at + 1, end)
    while at < end and at[0] == c'"':
        name = at + 1
        at = skip_string(at, end)
        same = string_is(ctx, name, at - 1, key, size)
        if same < 0:
            return -1
        value = skip_blanks(skip_blanks(at, end) + 1, end)
        at = skip_value(value, end)
        if same:
            found.at = value
            found.end = at
            is_found = 1
        at = skip_blanks(at, end)
        if at < end and at[0] == c',':
            at = skip_blanks(at + 1, end)
    if is_found:
        span[0] = found
    return is_found


cdef int64_t count_elements(const Span* span) noexcept nogil:
    cdef const uint8_t* at = skip_blanks(span.at + 1, span.end)
    cdef int64_t count = 0
    while at < span.end and at[0] != c']':
        at = skip_blanks(skip_value(at, span.end), span.end)
        count += 1
        if at < span.end and at[0] == c',':
            at = skip_blanks(at + 1, span.end)
    return count


cdef int find_element(Span* span, int64_t index) noexcept nogil:
    # span becomes the element at a place, from the end when negative. 1 found, 0 not.
    cdef const uint8_t* at
    cdef const uint8_t* end = span.end
    cdef const uint8_t* value
    if span.at >= end or span.at[0] != c'[':
        return 0
    if index < 0:
        index += count_elements(span)
        if index < 0:
            return 0
    at = skip_blanks(span.at + 1, end)
    while at < end and at[0] != c']':
        value = at
        at = skip_value(at, end)
        if index == 0:
            span.at = value
            span.end = at
            return 1
        index -= 1
        at = skip_blanks(at, end)
        if at < end and at[0] == c',':
            at = skip_blanks(at + 1, end)
    return 0


# --- results ---------------------------------------------------------------------------------------------------------

cdef int put(EvalContext* ctx, Vector* out, uint32_t i, const Span* span, int as_text) noexcept nogil:
    # The value as it is, or as ->> gives it: strings decoded, null is NULL.
    cdef uint8_t* room
    cdef size_t size = span.end - span.at
    if not as_text:
        set_var(out, i, span.at, size)
        return 0
    if span.at[0] == c'n':
        out.nulls[i] = 1
    elif span.at[0] != c'"':
        set_var(out, i, span.at, size)
    elif memchr(span.at, c'\\', size) == NULL:
        set_var(out, i, span.at + 1, size - 2)
    else:
        room = <uint8_t*>pool_alloc(ctx.pool, size)
        if room == NULL:
            return no_memory(ctx)
        set_var(out, i, room, decode(span.at + 1, span.end - 1, room))
    return 0


cdef int fields(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                int as_text) noexcept nogil:
    cdef Span span
    cdef uint32_t k, i
    cdef int found
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        span = document(var_at(args[0], i))
        found = find_field(ctx, &span, var_at(args[1], i).data, var_at(args[1], i).size)
        if found < 0:
            return -1
        if not found:
            out.nulls[i] = 1
        elif put(ctx, out, i, &span, as_text) < 0:
            return -1
    return 0


cdef int elements(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int as_text,
                  int jsonb) noexcept nogil:
    cdef Span span
    cdef uint32_t k, i
    cdef int32_t index
    cdef int found
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        span = document(var_at(args[0], i))
        index = int32_at(args[1], i)
        if jsonb and span.at[0] != c'[' and span.at[0] != c'{':
            found = index == 0 or index == -1      # a jsonb scalar counts as an array of one
        else:
            found = find_element(&span, index)
        if not found:
            out.nulls[i] = 1
        elif put(ctx, out, i, &span, as_text) < 0:
            return -1
    return 0


cdef int step_index(const Var* step, int64_t* out) noexcept nogil:
    # An integer as text, with blanks around and a sign. 1 ok.
    cdef const uint8_t* at = step.data
    cdef const uint8_t* end = step.data + step.size
    cdef int negative = 0
    while at < end and is_space(at[0]):
        at += 1
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        negative = at[0] == c'-'
        at += 1
    if at >= end or not is_digit(at[0]):
        return 0
    out[0] = 0
    while at < end and is_digit(at[0]):
        out[0] = out[0] * 10 + (at[0] - 48)
        if out[0] > 2147483648LL:
            return 0
        at += 1
    if negative:
        out[0] = -out[0]
    while at < end and is_space(at[0]):
        at += 1
    return at == end


cdef int walk(EvalContext* ctx, const Var* path, Span* span) noexcept nogil:
    # span becomes what the path leads to. 1 found, 0 not, -1 no memory.
    cdef ArrayReader reader
    cdef Value step
    cdef int64_t index
    cdef uint32_t j
    cdef int found
    array_open(path, &reader)
    for j in range(reader.count):
        array_element(&reader, j, &step)
        if step.is_null:
            return 0
        if span.at[0] == c'[':
            found = step_index(&step.v.var, &index) and find_element(span, index)
        else:
            found = find_field(ctx, span, step.v.var.data, step.v.var.size)
        if found <= 0:
            return found
    return 1


cdef int paths(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
               int as_text) noexcept nogil:
    cdef Span span
    cdef uint32_t k, i
    cdef int found
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        span = document(var_at(args[0], i))
        found = walk(ctx, var_at(args[1], i), &span)
        if found < 0:
            return -1
        if not found:
            out.nulls[i] = 1
        elif put(ctx, out, i, &span, as_text) < 0:
            return -1
    return 0


cdef int field(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return fields(ctx, out, args, sel, count, 0)


cdef int field_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return fields(ctx, out, args, sel, count, 1)


cdef int json_element(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    return elements(ctx, out, args, sel, count, 0, 0)


cdef int json_element_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    return elements(ctx, out, args, sel, count, 1, 0)


cdef int jsonb_element(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    return elements(ctx, out, args, sel, count, 0, 1)


cdef int jsonb_element_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    return elements(ctx, out, args, sel, count, 1, 1)


cdef int path(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return paths(ctx, out, args, sel, count, 0)


cdef int path_text(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return paths(ctx, out, args, sel, count, 1)


# --- questions -------------------------------------------------------------------------------------------------------

cdef int has_key(EvalContext* ctx, const Var* text, const uint8_t* key, uint32_t size) noexcept nogil:
    # A key of an object, a string of an array, or the string itself. -1 = no memory.
    cdef Span span = document(text)
    cdef const uint8_t* at
    cdef const uint8_t* value
    cdef int same
    if span.at[0] == c'{':
        return find_field(ctx, &span, key, size)
    if span.at[0] == c'"':
        return string_is(ctx, span.at + 1, span.end - 1, key, size)
    if span.at[0] != c'[':
        return 0
    at = skip_blanks(span.at + 1, span.end)
    while at < span.end and at[0] != c']':
        value = at
        at = skip_value(at, span.end)
        if value[0] == c'"':
            same = string_is(ctx, value + 1, at - 1, key, size)
            if same:
                return same
        at = skip_blanks(at, span.end)
        if at < span.end and at[0] == c',':
            at = skip_blanks(at + 1, span.end)
    return 0


cdef int exists(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    cdef int found
    for k in range(count):
        i = row_at(sel, k)
        found = has_key(ctx, var_at(args[0], i), var_at(args[1], i).data, var_at(args[1], i).size)
        if found < 0:
            return -1
        (<uint8_t*>out.data)[i] = <uint8_t>found
    return 0


cdef int exists_many(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                     int wanted) noexcept nogil:
    # wanted 1: any key; 0: stops at the first that is missing. NULL keys do not count.
    cdef ArrayReader reader
    cdef Value key
    cdef uint32_t k, i, j
    cdef int found, result
    for k in range(count):
        i = row_at(sel, k)
        array_open(var_at(args[1], i), &reader)
        result = not wanted
        for j in range(reader.count):
            array_element(&reader, j, &key)
            if key.is_null:
                continue
            found = has_key(ctx, var_at(args[0], i), key.v.var.data, key.v.var.size)
            if found < 0:
                return -1
            if found == wanted:
                result = wanted
                break
        (<uint8_t*>out.data)[i] = <uint8_t>result
    return 0


cdef int exists_any(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return exists_many(ctx, out, args, sel, count, 1)


cdef int exists_all(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return exists_many(ctx, out, args, sel, count, 0)


cdef int type_name(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint8_t first
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        first = document(var_at(args[0], i)).at[0]
        if first == c'{':
            set_var(out, i, <const uint8_t*>b"object", 6)
        elif first == c'[':
            set_var(out, i, <const uint8_t*>b"array", 5)
        elif first == c'"':
            set_var(out, i, <const uint8_t*>b"string", 6)
        elif first == c't' or first == c'f':
            set_var(out, i, <const uint8_t*>b"boolean", 7)
        elif first == c'n':
            set_var(out, i, <const uint8_t*>b"null", 4)
        else:
            set_var(out, i, <const uint8_t*>b"number", 6)
    return 0


cdef int array_length(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef Span span
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        span = document(var_at(args[0], i))
        if span.at[0] != c'[':
            dsql_error_set(ctx.error, "22023", "cannot get array length of a %s",
                           b"non-array" if span.at[0] == c'{' else b"scalar")
            return -1
        (<int32_t*>out.data)[i] = <int32_t>count_elements(&span)
    return 0


cdef int _register() except -1:
    for name in (b"json_object_field", b"jsonb_object_field"):
        kernel_flags(name, field, KERNEL_NULLS)
    for name in (b"json_object_field_text", b"jsonb_object_field_text"):
        kernel_flags(name, field_text, KERNEL_NULLS)
    kernel_flags(b"json_array_element", json_element, KERNEL_NULLS)
    kernel_flags(b"json_array_element_text", json_element_text, KERNEL_NULLS)
    kernel_flags(b"jsonb_array_element", jsonb_element, KERNEL_NULLS)
    kernel_flags(b"jsonb_array_element_text", jsonb_element_text, KERNEL_NULLS)
    for name in (b"json_extract_path", b"jsonb_extract_path"):
        kernel_flags(name, path, KERNEL_NULLS)
    for name in (b"json_extract_path_text", b"jsonb_extract_path_text"):
        kernel_flags(name, path_text, KERNEL_NULLS)
    kernel(b"jsonb_exists", exists)
    kernel(b"jsonb_exists_any", exists_any)
    kernel(b"jsonb_exists_all", exists_all)
    kernel(b"json_typeof", type_name)
    kernel(b"jsonb_typeof", type_name)
    kernel(b"json_array_length", array_length)
    kernel(b"jsonb_array_length", array_length)
    return 0


_register()
