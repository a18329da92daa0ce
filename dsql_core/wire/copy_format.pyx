"""COPY formats, both ways: text, csv and binary as PostgreSQL 16 writes and reads them. Pure functions over buffers.

    text    fields joined by the delimiter, row ends with LF; NULL is \\N; escapes \\b \\f \\n \\r \\t \\v \\\\ and
            the delimiter; \\ooo and \\xhh on input; a line of \\. alone ends the data
    csv     fields quoted when they hold the delimiter, the quote, CR or LF, or look like NULL; quotes double
    binary  "PGCOPY\\n\\377\\r\\n\\0", u32 flags, u32 extension size; per row u16 count, per field i32 size (-1 NULL)
            and type_send bytes; trailer i16 -1

Invariants
  F1  copy_next_row either leaves *at alone (COPY_MORE) or moves it past exactly one row, so any split of the input into
      CopyData messages gives the same rows.
  F2  Field bytes are appended to state.fields; offsets name them, never pointers, because the buffer grows.
Memory: CopyState belongs to its connection (connection.copy_free).
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_init, buffer_reserve
from dsql_core.base.vector cimport Batch, Value
from dsql_core.types.io cimport FormatSettings, type_output, type_send
from dsql_core.wire.plan_cache cimport COPY_BINARY, COPY_CSV, CopyOptions, Plan, plan_retain
from dsql_core.wire.protocol cimport (
    message_begin, message_end, put_simple, put_u16, put_u32, read_u16, read_u32, store_u32, value_load,
)

cdef const char* SIGNATURE = b"PGCOPY\n\xff\r\n\x00"


# -- out --------------------------------------------------------------------------------------------------------------

cdef void _response(const Plan* plan, uint32_t columns, uint8_t kind, Buffer* out) noexcept nogil:
    cdef size_t begin = message_begin(out, kind)
    cdef uint8_t binary = plan.copy.format == COPY_BINARY
    cdef uint32_t _i
    buffer_append_u8(out, binary)
    put_u16(out, <uint16_t>columns)
    for _i in range(columns):
        put_u16(out, binary)
    message_end(out, begin)


cdef void copy_begin_out(const Plan* plan, Buffer* out) noexcept nogil:
    cdef uint32_t i
    cdef size_t begin
    _response(plan, plan.column_count, c'H', out)
    if plan.copy.format != COPY_BINARY and plan.copy.header:
        begin = message_begin(out, c'd')
        for i in range(plan.column_count):
            if i != 0:
                buffer_append_u8(out, plan.copy.delimiter)
            if plan.copy.format == COPY_CSV:
                _put_csv(out, &plan.copy, <const uint8_t*>plan.columns[i].name, plan.columns[i].name_size, False,
                         plan.column_count == 1)
            else:
                _put_text(out, &plan.copy, <const uint8_t*>plan.columns[i].name, plan.columns[i].name_size)
        buffer_append_u8(out, c'\n')
        message_end(out, begin)


cdef void _binary_header(Buffer* out) noexcept nogil:
    # Travels in the message of the first row (or of the trailer), as clients that read row by row expect.
    buffer_append(out, SIGNATURE, 11)
    put_u32(out, 0)
    put_u32(out, 0)


cdef void copy_end_out(const Plan* plan, Buffer* out, int is_empty) noexcept nogil:
    cdef size_t begin
    if plan.copy.format == COPY_BINARY:
        begin = message_begin(out, c'd')
        if is_empty:
            _binary_header(out)
        put_u16(out, 0xFFFF)
        message_end(out, begin)
    put_simple(out, c'c')


cdef void _put_text(Buffer* out, const CopyOptions* options, const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 2 * size)
    cdef uint8_t* w = at
    cdef size_t i
    cdef uint8_t c
    if at == NULL:
        return
    for i in range(size):
        c = data[i]
        if c < 32 and 8 <= c <= 13:
            w[0] = c'\\'
            w[1] = b"btnvfr"[c - 8]
            w += 2
        elif c == c'\\' or c == options.delimiter:
            w[0] = c'\\'
            w[1] = c
            w += 2
        else:
            w[0] = c
            w += 1
    out.size += w - at


cdef void _put_csv(Buffer* out, const CopyOptions* options, const uint8_t* data, size_t size, bint force,
                   bint single) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 2 * size + 2)
    cdef uint8_t* w = at
    cdef size_t i
    cdef uint8_t c
    cdef bint quoted = force
    if at == NULL:
        return
    if not quoted and size == options.null_size and (size == 0 or memcmp(data, options.null_text, size) == 0):
        quoted = True
    if not quoted and single and size == 2 and data[0] == c'\\' and data[1] == c'.':
        quoted = True
    if not quoted:
        for i in range(size):
            c = data[i]
            if c == options.delimiter or c == options.quote or c == 10 or c == 13:
                quoted = True
                break
    if not quoted:
        memcpy(at, data, size)
        out.size += size
        return
    w[0] = options.quote
    w += 1
    for i in range(size):
        c = data[i]
        if c == options.quote or c == options.escape:
            w[0] = options.escape
            w += 1
        w[0] = c
        w += 1
    w[0] = options.quote
    out.size += w + 1 - at


cdef int copy_put_rows(Buffer* out, const Plan* plan, const Batch* batch, uint32_t start, uint32_t stop,
                       const FormatSettings* settings, Buffer* scratch, int is_first) noexcept nogil:
    cdef const CopyOptions* options = &plan.copy
    cdef uint32_t row
    cdef uint32_t column
    cdef uint32_t i
    cdef size_t begin
    cdef size_t mark
    cdef Value value
    cdef bint force
    for row in range(start, stop):
        i = row if batch.sel == NULL else batch.sel[row]
        begin = message_begin(out, c'd')
        if options.format == COPY_BINARY:
            if is_first and row == start:
                _binary_header(out)
            put_u16(out, <uint16_t>batch.column_count)
        for column in range(batch.column_count):
            value_load(&batch.columns[column], i, &value)
            if options.format == COPY_BINARY:
                if value.is_null:
                    put_u32(out, 0xFFFFFFFFU)
                    continue
                mark = out.size
                put_u32(out, 0)
                if type_send(&value, out) < 0 or out.failed:
                    return -1
                store_u32(out.data + mark, <uint32_t>(out.size - mark - 4))
                continue
            if column != 0:
                buffer_append_u8(out, options.delimiter)
            if value.is_null:
                if options.null_size != 0:
                    buffer_append(out, options.null_text, options.null_size)
                continue
            scratch.size = 0
            if type_output(&value, settings, scratch) < 0 or scratch.failed:
                scratch.failed = 0
                return -1
            if options.format == COPY_CSV:
                force = options.force_quote_all or (options.force_quote != NULL and options.force_quote[column] != 0)
                _put_csv(out, options, scratch.data, scratch.size, force, batch.column_count == 1)
            else:
                _put_text(out, options, scratch.data, scratch.size)
        if options.format != COPY_BINARY:
            buffer_append_u8(out, c'\n')
        message_end(out, begin)
    return 0 if not out.failed else -1


# -- in ---------------------------------------------------------------------------------------------------------------

cdef CopyState* copy_begin_in(Plan* plan, Buffer* out) noexcept nogil:
    cdef CopyState* state = <CopyState*>calloc(1, sizeof(CopyState))
    cdef uint32_t count = plan.param_count
    if state == NULL:
        return NULL
    state.field_count = count
    state.offsets = <uint32_t*>calloc(count + 1, sizeof(uint32_t))
    state.sizes = <uint32_t*>calloc(count + 1, sizeof(uint32_t))
    if state.offsets == NULL or state.sizes == NULL:
        free(state.offsets)
        free(state.sizes)
        free(state)
        return NULL
    buffer_init(&state.pending)
    buffer_init(&state.fields)
    state.plan = plan
    plan_retain(plan)
    _response(plan, count, c'G', out)
    return state


cdef int _too_many(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, "22P04", "extra data after last expected column")
    return COPY_BAD


cdef int _field_done(CopyState* state, uint32_t* count, size_t begin, bint is_null, dsql_error_t* error) noexcept nogil:
    if count[0] >= state.field_count:
        return _too_many(error)
    state.offsets[count[0]] = COPY_NULL if is_null else <uint32_t>begin
    state.sizes[count[0]] = <uint32_t>(state.fields.size - begin)
    count[0] += 1
    return 0


cdef int _row_done(CopyState* state, uint32_t count, dsql_error_t* error) noexcept nogil:
    state.line += 1
    if count < state.field_count:
        if count < state.plan.column_count:
            dsql_error_set(error, "22P04", "missing data for column \"%s\"", state.plan.columns[count].name)
        else:
            dsql_error_set(error, "22P04", "missing data for column %u", count + 1)
        return COPY_BAD
    return COPY_ROW


cdef inline int _hex(uint8_t c) noexcept nogil:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if 97 <= c <= 102 else -1


cdef void _unescape(CopyState* state, const uint8_t* data, size_t size) noexcept nogil:
    # Backslash escapes of the text format.
    cdef uint8_t* w = buffer_reserve(&state.fields, size + 1)
    cdef uint8_t* begin = w
    cdef size_t i = 0
    cdef uint8_t c
    cdef int value
    cdef int digits
    if w == NULL:
        return
    while i < size:
        c = data[i]
        i += 1
        if c == c'\\' and i < size:
            c = data[i]
            i += 1
            if c == c'n':
                c = 10
            elif c == c't':
                c = 9
            elif c == c'r':
                c = 13
            elif c == c'b':
                c = 8
            elif c == c'f':
                c = 12
            elif c == c'v':
                c = 11
            elif 48 <= c <= 55:
                value = c - 48
                digits = 1
                while digits < 3 and i < size and 48 <= data[i] <= 55:
                    value = value * 8 + data[i] - 48
                    i += 1
                    digits += 1
                c = <uint8_t>value
            elif c == c'x' and i < size and _hex(data[i]) >= 0:
                value = _hex(data[i])
                i += 1
                if i < size and _hex(data[i]) >= 0:
                    value = value * 16 + _hex(data[i])
                    i += 1
                c = <uint8_t>value
        w[0] = c
        w += 1
    state.fields.size += w - begin


cdef int _text_row(CopyState* state, size_t* at, int final, dsql_error_t* error) noexcept nogil:
    cdef const CopyOptions* options = &state.plan.copy
    cdef const uint8_t* data = state.pending.data
    cdef size_t size = state.pending.size
    cdef size_t i = at[0]
    cdef size_t line_end
    cdef size_t field
    cdef size_t begin
    cdef uint32_t count = 0
    cdef bint is_null
    # The end of the line first: nothing is kept of a row that is not all there (F1).
    while i < size and data[i] != 10:
        if data[i] == c'\\':
            i += 1
        i += 1
    if i >= size:
        if not final or at[0] >= size:
            return COPY_MORE
        i = size
    line_end = i
    if line_end > at[0] and data[line_end - 1] == 13 and i < size:
        line_end -= 1
    if line_end - at[0] == 2 and data[at[0]] == c'\\' and data[at[0] + 1] == c'.':
        at[0] = i + 1 if i < size else size
        return COPY_END
    if options.header and not state.header_seen:
        state.header_seen = 1
        at[0] = i + 1 if i < size else size
        state.line += 1
        return _text_row(state, at, final, error)
    state.fields.size = 0
    field = at[0]
    at[0] = i + 1 if i < size else size
    if state.field_count == 0 and field == line_end:
        return _row_done(state, 0, error)
    i = field
    while True:
        while i < line_end and data[i] != options.delimiter:
            if data[i] == c'\\':
                i += 1
            i += 1
        if i > line_end:
            i = line_end
        is_null = i - field == options.null_size and (
            options.null_size == 0 or memcmp(data + field, options.null_text, options.null_size) == 0)
        begin = state.fields.size
        if not is_null:
            _unescape(state, data + field, i - field)
        if _field_done(state, &count, begin, is_null, error) < 0:
            return COPY_BAD
        if i >= line_end:
            break
        i += 1
        field = i
    return _row_done(state, count, error)


cdef int _csv_row(CopyState* state, size_t* at, int final, dsql_error_t* error) noexcept nogil:
    cdef const CopyOptions* options = &state.plan.copy
    cdef const uint8_t* data = state.pending.data
    cdef size_t size = state.pending.size
    cdef size_t i = at[0]
    cdef size_t line_end
    cdef size_t field
    cdef size_t begin
    cdef uint32_t count = 0
    cdef bint quoted = False
    cdef bint was_quoted
    cdef bint is_null
    cdef uint8_t c
    while i < size:
        c = data[i]
        if quoted and c == options.escape and i + 1 < size and (
                data[i + 1] == options.quote or (data[i + 1] == options.escape and options.escape != options.quote)):
            i += 2
            continue
        if c == options.quote:
            quoted = not quoted
        elif c == 10 and not quoted:
            break
        i += 1
    if i >= size:
        if not final or at[0] >= size:
            return COPY_MORE
        if quoted:
            dsql_error_set(error, "22P04", "unterminated CSV quoted field")
            return COPY_BAD
        i = size
    line_end = i
    if line_end > at[0] and data[line_end - 1] == 13:
        line_end -= 1
    if line_end - at[0] == 2 and data[at[0]] == c'\\' and data[at[0] + 1] == c'.':
        at[0] = i + 1 if i < size else size
        return COPY_END
    field = at[0]
    at[0] = i + 1 if i < size else size
    if options.header and not state.header_seen:
        state.header_seen = 1
        state.line += 1
        return _csv_row(state, at, final, error)
    state.fields.size = 0
    if state.field_count == 0 and field == line_end:
        return _row_done(state, 0, error)
    i = field
    while True:
        begin = state.fields.size
        field = i
        was_quoted = False
        quoted = False
        while i < line_end:
            c = data[i]
            if quoted:
                if c == options.escape and i + 1 < line_end and (
                        data[i + 1] == options.quote or data[i + 1] == options.escape):
                    buffer_append_u8(&state.fields, data[i + 1])
                    i += 2
                    continue
                if c == options.quote:
                    quoted = False
                    i += 1
                    continue
            elif c == options.delimiter:
                break
            elif c == options.quote:
                quoted = True
                was_quoted = True
                i += 1
                continue
            buffer_append_u8(&state.fields, c)
            i += 1
        is_null = i - field == options.null_size and not was_quoted and (
            options.null_size == 0 or memcmp(data + field, options.null_text, options.null_size) == 0)
        if is_null and options.force_not_null != NULL and count < state.field_count and options.force_not_null[count]:
            is_null = False
        if was_quoted and options.force_null != NULL and count < state.field_count and options.force_null[count]:
            is_null = state.fields.size - begin == options.null_size and (
                options.null_size == 0 or memcmp(state.fields.data + begin, options.null_text, options.null_size) == 0)
        if _field_done(state, &count, begin, is_null, error) < 0:
            return COPY_BAD
        if i >= line_end:
            break
        i += 1
    return _row_done(state, count, error)


cdef int _binary_row(CopyState* state, size_t* at, int final, dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* data = state.pending.data
    cdef size_t size = state.pending.size
    cdef size_t i = at[0]
    cdef size_t begin
    cdef uint32_t count = 0
    cdef uint32_t length
    cdef uint16_t fields
    if not state.header_seen:
        if size - i < 19 or size - i - 19 < read_u32(data + i + 15):
            if not final:
                return COPY_MORE
            dsql_error_set(error, "22P04", "COPY file signature not recognized")
            return COPY_BAD
        if memcmp(data + i, SIGNATURE, 11) != 0:
            dsql_error_set(error, "22P04", "COPY file signature not recognized")
            return COPY_BAD
        if read_u32(data + i + 11) != 0:
            dsql_error_set(error, "22P04", "unrecognized critical flags in COPY file header")
            return COPY_BAD
        i += 19 + <size_t>read_u32(data + i + 15)
        state.header_seen = 1
        at[0] = i
    if size - i < 2:
        if final and size != i:
            dsql_error_set(error, "22P04", "unexpected EOF in COPY data")
            return COPY_BAD
        return COPY_END if final else COPY_MORE
    fields = read_u16(data + i)
    i += 2
    if fields == 0xFFFF:
        at[0] = i
        return COPY_END
    if fields != state.field_count:
        dsql_error_set(error, "22P04", "row field count is %d, expected %d", <int>fields, <int>state.field_count)
        return COPY_BAD
    state.fields.size = 0
    while count < state.field_count:
        if size - i < 4:
            break
        length = read_u32(data + i)
        i += 4
        if length == 0xFFFFFFFFU:
            _field_done(state, &count, 0, True, error)
            continue
        if length > 0x7FFFFFFF:
            dsql_error_set(error, "22P04", "invalid field size")
            return COPY_BAD
        if size - i < length:
            break
        begin = state.fields.size
        buffer_append(&state.fields, data + i, length)
        _field_done(state, &count, begin, False, error)
        i += length
    if count < state.field_count:
        if not final:
            return COPY_MORE
        dsql_error_set(error, "22P04", "unexpected EOF in COPY data")
        return COPY_BAD
    at[0] = i
    state.line += 1
    return COPY_ROW


cdef int copy_next_row(CopyState* state, size_t* at, int final, dsql_error_t* error) noexcept nogil:
    if state.plan.copy.format == COPY_BINARY:
        return _binary_row(state, at, final, error)
    if state.plan.copy.format == COPY_CSV:
        return _csv_row(state, at, final, error)
    return _text_row(state, at, final, error)
