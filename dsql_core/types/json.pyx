"""json and jsonb: validation with PostgreSQL's messages, the canonical text of jsonb, its order and hash.

One recursive reader serves both types. For json it only checks; for jsonb it builds a tree in the pool (strings
unescaped, numbers as numeric text, object members sorted and made unique) and writes the tree out.

I1  Depth is bounded (DEPTH_MAX), so the C stack is.
I2  jsonb text is canonical: see json.pxd. jsonb_compare and jsonb_hash rely on it and check nothing.
I3  Object members are ordered by key length, then key bytes; of equal keys the last one wins.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcmp, memcpy

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport (
    Buffer, Pool, buffer_append, buffer_append_u8, buffer_free, buffer_init, buffer_reserve, pool_alloc, pool_copy,
    pool_free, pool_init,
)
from dsql_core.base.vector cimport Var
from dsql_core.types.chars cimport hex_digit, is_alpha, is_digit, put_text, shown
from dsql_core.types.numeric cimport numeric_compare
from dsql_core.types.numeric_text cimport numeric_output, numeric_parse
from dsql_core.types.text cimport out_of_memory, utf8_check

cdef enum:
    DEPTH_MAX = 6000

    # The values are PostgreSQL's order of types.
    NODE_NULL = 0
    NODE_STRING = 1
    NODE_NUMBER = 2
    NODE_BOOL = 3
    NODE_ARRAY = 16
    NODE_OBJECT = 17

cdef struct Node:
    int kind
    uint32_t count             # elements, or members of an object; 1 = true
    const uint8_t* data        # string bytes or number text
    uint32_t size
    uint32_t position          # place among the members as written
    Node* children             # object: key, value, key, value ...

cdef struct Reader:
    const uint8_t* at
    const uint8_t* end
    Pool* pool                 # NULL: only check
    dsql_error_t* error
    int depth


# ------------------------------------------------------------------------------------------------------------- errors

cdef int _ended(Reader* r) noexcept nogil:
    dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
    dsql_error_detail(r.error, b"The input string ended unexpectedly.")
    return -1


cdef inline bint _word_byte(uint8_t c) noexcept nogil:
    return is_alpha(c) or is_digit(c) or c == c'_' or c >= 0x80


cdef int _bad_token(Reader* r, const uint8_t* start, const uint8_t* stop) noexcept nogil:
    dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
    dsql_error_detail(r.error, b"Token \"%.*s\" is invalid.", shown(stop - start), start)
    return -1


cdef int _expected(Reader* r, const char* what) noexcept nogil:
    # The token found instead is read first: it may itself be malformed, which is then what gets reported.
    cdef const uint8_t* start
    cdef const uint8_t* stop
    _skip_blanks(r)
    if r.at == r.end:
        return _ended(r)
    start = r.at
    if start[0] == c'"':
        if _string(r, NULL, NULL) < 0:
            return -1
        stop = r.at
    elif start[0] == c'-' or is_digit(start[0]):
        if _number(r, NULL) < 0:
            return -1
        stop = r.at
    elif start[0] == c'{' or start[0] == c'}' or start[0] == c'[' or start[0] == c']' or start[0] == c',' or \
            start[0] == c':':
        stop = start + 1
    else:
        stop = start
        while stop < r.end and _word_byte(stop[0]):
            stop += 1
        if not ((stop - start == 4 and (memcmp(start, b"true", 4) == 0 or memcmp(start, b"null", 4) == 0)) or
                (stop - start == 5 and memcmp(start, b"false", 5) == 0)):
            return _bad_token(r, start, stop if stop > start else start + 1)
    dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
    dsql_error_detail(r.error, b"Expected %s, but found \"%.*s\".", what, shown(stop - start), start)
    return -1


cdef int _bad_escape(Reader* r, const char* detail) noexcept nogil:
    dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
    dsql_error_detail(r.error, b"%s", detail)
    return -1


# ------------------------------------------------------------------------------------------------------------ reading

cdef inline void _skip_blanks(Reader* r) noexcept nogil:
    while r.at < r.end and (r.at[0] == c' ' or r.at[0] == c'\n' or r.at[0] == c'\t' or r.at[0] == c'\r'):
        r.at += 1


cdef uint8_t* _put_utf8(uint8_t* at, uint32_t code) noexcept nogil:
    if code < 0x80:
        at[0] = <uint8_t>code
        return at + 1
    if code < 0x800:
        at[0] = <uint8_t>(0xC0 | (code >> 6))
        at[1] = <uint8_t>(0x80 | (code & 63))
        return at + 2
    if code < 0x10000:
        at[0] = <uint8_t>(0xE0 | (code >> 12))
        at[1] = <uint8_t>(0x80 | ((code >> 6) & 63))
        at[2] = <uint8_t>(0x80 | (code & 63))
        return at + 3
    at[0] = <uint8_t>(0xF0 | (code >> 18))
    at[1] = <uint8_t>(0x80 | ((code >> 12) & 63))
    at[2] = <uint8_t>(0x80 | ((code >> 6) & 63))
    at[3] = <uint8_t>(0x80 | (code & 63))
    return at + 4


cdef int _unicode(Reader* r, const uint8_t* start, uint8_t** to, uint32_t* high) noexcept nogil:
    # After "\u". `to` NULL when only checking: json keeps escapes unexamined but for their digits.
    cdef uint32_t code = 0
    cdef int digit
    cdef int _i
    for _i in range(4):
        if r.at >= r.end:
            return _bad_token(r, start, r.end)
        digit = hex_digit(r.at[0])
        if digit < 0:
            return _bad_escape(r, b"\"\\u\" must be followed by four hexadecimal digits.")
        code = code * 16 + <uint32_t>digit
        r.at += 1
    if to == NULL:
        return 0
    if code >= 0xD800 and code <= 0xDBFF:
        if high[0] != 0:
            return _bad_escape(r, b"Unicode high surrogate must not follow a high surrogate.")
        high[0] = code
        return 0
    if code >= 0xDC00 and code <= 0xDFFF:
        if high[0] == 0:
            return _bad_escape(r, b"Unicode low surrogate must follow a high surrogate.")
        code = 0x10000 + ((high[0] - 0xD800) << 10) + (code - 0xDC00)
        high[0] = 0
    if high[0] != 0:
        return _bad_escape(r, b"Unicode low surrogate must follow a high surrogate.")
    if code == 0:
        dsql_error_set(r.error, b"22P05", b"unsupported Unicode escape sequence")
        dsql_error_detail(r.error, b"\\u0000 cannot be converted to text.")
        return -1
    to[0] = _put_utf8(to[0], code)
    return 0


cdef int _escape(Reader* r, const uint8_t* start, uint8_t** to, uint32_t* high) noexcept nogil:
    # After a backslash.
    cdef uint8_t c
    cdef const uint8_t* first
    if r.at >= r.end:
        return _bad_token(r, start, r.end)
    c = r.at[0]
    r.at += 1
    if c == c'u':
        return _unicode(r, start, to, high)
    if to != NULL and high[0] != 0:
        return _bad_escape(r, b"Unicode low surrogate must follow a high surrogate.")
    if c == c'b':
        c = 8
    elif c == c'f':
        c = 12
    elif c == c'n':
        c = 10
    elif c == c'r':
        c = 13
    elif c == c't':
        c = 9
    elif c != c'"' and c != c'\\' and c != c'/':
        first = r.at - 1
        while r.at < r.end and (r.at[0] & 0xC0) == 0x80:
            r.at += 1
        dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
        dsql_error_detail(r.error, b"Escape sequence \"\\%.*s\" is invalid.", shown(r.at - first), first)
        return -1
    if to != NULL:
        to[0][0] = c
        to[0] += 1
    return 0


cdef int _string(Reader* r, const uint8_t** data, uint32_t* size) noexcept nogil:
    # At a quote. data NULL: only check.
    cdef const uint8_t* start = r.at
    cdef const uint8_t* scan
    cdef uint8_t* room = NULL
    cdef uint8_t* to = NULL
    cdef uint32_t high = 0
    cdef uint8_t c
    r.at += 1
    if data != NULL:
        scan = r.at
        while scan < r.end and scan[0] != c'"':
            scan += 2 if scan[0] == c'\\' else 1
        room = <uint8_t*>pool_alloc(r.pool, scan - r.at + 4)
        if room == NULL:
            return out_of_memory(r.error)
        to = room
    while True:
        if r.at >= r.end:
            return _bad_token(r, start, r.end)
        c = r.at[0]
        r.at += 1
        if c == c'"':
            break
        if c == c'\\':
            if _escape(r, start, &to if data != NULL else NULL, &high) < 0:
                return -1
        elif c < 32:
            dsql_error_set(r.error, b"22P02", b"invalid input syntax for type json")
            dsql_error_detail(r.error, b"Character with value 0x%02x must be escaped.", <int>c)
            return -1
        else:
            if high != 0:
                return _bad_escape(r, b"Unicode low surrogate must follow a high surrogate.")
            if data != NULL:
                to[0] = c
                to += 1
    if high != 0:
        return _bad_escape(r, b"Unicode low surrogate must follow a high surrogate.")
    if data != NULL:
        data[0] = room
        size[0] = <uint32_t>(to - room)
    return 0


cdef int _number(Reader* r, Node* out) noexcept nogil:
    # -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?, and nothing word-like behind it.
    cdef const uint8_t* start = r.at
    cdef const uint8_t* first
    cdef bint bad = False
    cdef Var number
    cdef Buffer text
    if r.at[0] == c'-':
        r.at += 1
    if r.at < r.end and r.at[0] == c'0':
        r.at += 1
    else:
        first = r.at
        while r.at < r.end and is_digit(r.at[0]):
            r.at += 1
        bad = r.at == first
    if not bad and r.at < r.end and r.at[0] == c'.':
        r.at += 1
        first = r.at
        while r.at < r.end and is_digit(r.at[0]):
            r.at += 1
        bad = r.at == first
    if not bad and r.at < r.end and (r.at[0] | 32) == c'e':
        r.at += 1
        if r.at < r.end and (r.at[0] == c'+' or r.at[0] == c'-'):
            r.at += 1
        first = r.at
        while r.at < r.end and is_digit(r.at[0]):
            r.at += 1
        bad = r.at == first
    first = r.at
    while r.at < r.end and _word_byte(r.at[0]):
        r.at += 1
    if bad or r.at != first:
        return _bad_token(r, start, r.at)
    if out == NULL:
        return 0
    if numeric_parse(start, r.at - start, r.pool, &number, r.error) < 0:
        return -1
    buffer_init(&text)
    numeric_output(&number, &text)
    out.kind = NODE_NUMBER
    out.data = pool_copy(r.pool, text.data, text.size)
    out.size = <uint32_t>text.size
    buffer_free(&text)
    return 0 if out.data != NULL else out_of_memory(r.error)


cdef int _literal(Reader* r, Node* out) noexcept nogil:
    cdef const uint8_t* start = r.at
    cdef size_t size
    while r.at < r.end and _word_byte(r.at[0]):
        r.at += 1
    size = r.at - start
    if out != NULL:
        out.count = 0
    if size == 4 and memcmp(start, b"true", 4) == 0:
        if out != NULL:
            out.kind = NODE_BOOL
            out.count = 1
    elif size == 5 and memcmp(start, b"false", 5) == 0:
        if out != NULL:
            out.kind = NODE_BOOL
    elif size == 4 and memcmp(start, b"null", 4) == 0:
        if out != NULL:
            out.kind = NODE_NULL
    else:
        return _bad_token(r, start, r.at if size > 0 else start + 1)
    return 0


cdef int _grow(Reader* r, Node** children, uint32_t count, uint32_t* room) noexcept nogil:
    cdef Node* larger
    if count < room[0]:
        return 0
    larger = <Node*>pool_alloc(r.pool, <size_t>room[0] * 2 * sizeof(Node))
    if larger == NULL:
        return out_of_memory(r.error)
    memcpy(larger, children[0], count * sizeof(Node))
    children[0] = larger
    room[0] *= 2
    return 0


cdef int _array(Reader* r, Node* out) noexcept nogil:
    cdef uint32_t room = 4
    cdef uint32_t count = 0
    cdef Node* children = NULL
    r.at += 1
    if out != NULL:
        children = <Node*>pool_alloc(r.pool, room * sizeof(Node))
        if children == NULL:
            return out_of_memory(r.error)
    _skip_blanks(r)
    if r.at < r.end and r.at[0] == c']':
        r.at += 1
    else:
        while True:
            if out != NULL and _grow(r, &children, count, &room) < 0:
                return -1
            if _value(r, &children[count] if out != NULL else NULL) < 0:
                return -1
            count += 1
            _skip_blanks(r)
            if r.at < r.end and r.at[0] == c',':
                r.at += 1
            elif r.at < r.end and r.at[0] == c']':
                r.at += 1
                break
            else:
                return _expected(r, b"\",\" or \"]\"")
    if out != NULL:
        out.kind = NODE_ARRAY
        out.count = count
        out.children = children
    return 0


cdef int _member_order(const void* a, const void* b) noexcept nogil:
    cdef const Node* x = <const Node*>a
    cdef const Node* y = <const Node*>b
    cdef int order
    if x.size != y.size:
        return 1 if x.size > y.size else -1
    order = memcmp(x.data, y.data, x.size)
    if order != 0:
        return order
    return 1 if x.position < y.position else -1        # later first: the one kept


cdef void _unique_members(Node* children, uint32_t* count) noexcept nogil:
    # Pairs of nodes sorted as units of two; the first of equal keys stays.
    cdef uint32_t kept = 0
    cdef uint32_t i
    qsort(children, count[0], 2 * sizeof(Node), _member_order)
    for i in range(count[0]):
        if kept > 0 and children[2 * i].size == children[2 * kept - 2].size and \
                memcmp(children[2 * i].data, children[2 * kept - 2].data, children[2 * i].size) == 0:
            continue
        children[2 * kept] = children[2 * i]
        children[2 * kept + 1] = children[2 * i + 1]
        kept += 1
    count[0] = kept


cdef int _object(Reader* r, Node* out) noexcept nogil:
    cdef uint32_t room = 8
    cdef uint32_t count = 0
    cdef Node* children = NULL
    cdef Node* key = NULL
    r.at += 1
    if out != NULL:
        children = <Node*>pool_alloc(r.pool, room * sizeof(Node))
        if children == NULL:
            return out_of_memory(r.error)
    _skip_blanks(r)
    if r.at < r.end and r.at[0] == c'}':
        r.at += 1
    else:
        while True:
            _skip_blanks(r)
            if r.at >= r.end or r.at[0] != c'"':
                return _expected(r, b"string or \"}\"" if count == 0 else b"string")
            if out != NULL:
                if _grow(r, &children, 2 * count + 1, &room) < 0:
                    return -1
                key = &children[2 * count]
                key.kind = NODE_STRING
                key.position = count
                if _string(r, &key.data, &key.size) < 0:
                    return -1
            elif _string(r, NULL, NULL) < 0:
                return -1
            _skip_blanks(r)
            if r.at >= r.end or r.at[0] != c':':
                return _expected(r, b"\":\"")
            r.at += 1
            if _value(r, &children[2 * count + 1] if out != NULL else NULL) < 0:
                return -1
            count += 1
            _skip_blanks(r)
            if r.at < r.end and r.at[0] == c',':
                r.at += 1
            elif r.at < r.end and r.at[0] == c'}':
                r.at += 1
                break
            else:
                return _expected(r, b"\",\" or \"}\"")
    if out != NULL:
        _unique_members(children, &count)
        out.kind = NODE_OBJECT
        out.count = count
        out.children = children
    return 0


cdef int _value(Reader* r, Node* out) noexcept nogil:
    cdef uint8_t c
    cdef int status
    _skip_blanks(r)
    if r.at >= r.end:
        return _ended(r)
    c = r.at[0]
    if c == c'"':
        if out == NULL:
            return _string(r, NULL, NULL)
        out.kind = NODE_STRING
        return _string(r, &out.data, &out.size)
    if c == c'-' or is_digit(c):
        return _number(r, out)
    if c == c'{' or c == c'[':
        r.depth += 1
        if r.depth > DEPTH_MAX:
            dsql_error_set(r.error, b"54001", b"stack depth limit exceeded")
            return -1
        status = _object(r, out) if c == c'{' else _array(r, out)
        r.depth -= 1
        return status
    if c == c'}' or c == c']' or c == c',' or c == c':':
        return _expected(r, b"JSON value")
    return _literal(r, out)


cdef int _document(Reader* r, Node* out) noexcept nogil:
    if _value(r, out) < 0:
        return -1
    _skip_blanks(r)
    return 0 if r.at == r.end else _expected(r, b"end of input")


cdef int json_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    cdef Reader r
    r.at = text
    r.end = text + size
    r.pool = NULL
    r.error = error
    r.depth = 0
    return _document(&r, NULL)


# ------------------------------------------------------------------------------------------------------------ writing

cdef void json_put_string(const uint8_t* data, size_t size, Buffer* out) noexcept nogil:
    cdef const char* digits = b"0123456789abcdef"
    cdef uint8_t* at = buffer_reserve(out, 6 * size + 2)
    cdef size_t i
    cdef uint8_t c
    if at == NULL:
        return
    at[0] = c'"'
    at += 1
    for i in range(size):
        c = data[i]
        if c >= 32 and c != c'"' and c != c'\\':
            at[0] = c
            at += 1
            continue
        at[0] = c'\\'
        if c == c'"' or c == c'\\':
            at[1] = c
        elif c == 8:
            at[1] = c'b'
        elif c == 12:
            at[1] = c'f'
        elif c == 10:
            at[1] = c'n'
        elif c == 13:
            at[1] = c'r'
        elif c == 9:
            at[1] = c't'
        else:
            memcpy(at + 1, b"u00", 3)
            at[4] = <uint8_t>digits[c >> 4]
            at[5] = <uint8_t>digits[c & 15]
            at += 4
        at += 2
    at[0] = c'"'
    out.size = at + 1 - out.data


cdef void _write(const Node* node, Buffer* out) noexcept nogil:
    cdef uint32_t i
    if node.kind == NODE_STRING:
        json_put_string(node.data, node.size, out)
    elif node.kind == NODE_NUMBER:
        buffer_append(out, node.data, node.size)
    elif node.kind == NODE_BOOL:
        put_text(out, b"true" if node.count else b"false")
    elif node.kind == NODE_NULL:
        put_text(out, b"null")
    elif node.kind == NODE_ARRAY:
        buffer_append_u8(out, c'[')
        for i in range(node.count):
            if i > 0:
                buffer_append(out, b", ", 2)
            _write(&node.children[i], out)
        buffer_append_u8(out, c']')
    else:
        buffer_append_u8(out, c'{')
        for i in range(node.count):
            if i > 0:
                buffer_append(out, b", ", 2)
            json_put_string(node.children[2 * i].data, node.children[2 * i].size, out)
            buffer_append(out, b": ", 2)
            _write(&node.children[2 * i + 1], out)
        buffer_append_u8(out, c'}')


cdef int jsonb_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef Pool scratch
    cdef Buffer written
    cdef Reader r
    cdef Node root
    cdef int status = -1
    if utf8_check(text, size, error) < 0:
        return -1
    pool_init(&scratch, 0)
    buffer_init(&written)
    r.at = text
    r.end = text + size
    r.pool = &scratch
    r.error = error
    r.depth = 0
    if _document(&r, &root) == 0:
        _write(&root, &written)
        out.data = pool_copy(pool, written.data, written.size) if not written.failed else NULL
        out.size = <uint32_t>written.size
        out.reserved = 0
        status = 0 if out.data != NULL else out_of_memory(error)
    buffer_free(&written)
    pool_free(&scratch)
    return status


# ------------------------------------------------------------------------------------------ order and hash of jsonb

cdef inline int _kind_at(const uint8_t* at) noexcept nogil:
    if at[0] == c'"':
        return NODE_STRING
    if at[0] == c'{':
        return NODE_OBJECT
    if at[0] == c'[':
        return NODE_ARRAY
    if at[0] == c't' or at[0] == c'f':
        return NODE_BOOL
    return NODE_NULL if at[0] == c'n' else NODE_NUMBER


cdef const uint8_t* _after_string(const uint8_t* at) noexcept nogil:
    at += 1
    while at[0] != c'"':
        at += 2 if at[0] == c'\\' else 1
    return at + 1


cdef const uint8_t* _after(const uint8_t* at, const uint8_t* end) noexcept nogil:
    # First byte behind the value at `at`.
    cdef int depth = 0
    while at < end:
        if at[0] == c'"':
            at = _after_string(at)
        elif at[0] == c'{' or at[0] == c'[':
            depth += 1
            at += 1
            continue
        elif at[0] == c'}' or at[0] == c']':
            if depth == 0:
                return at
            depth -= 1
            at += 1
        elif depth == 0:
            while at < end and at[0] != c',' and at[0] != c'}' and at[0] != c']':
                at += 1
        else:
            at += 1
            continue
        if depth == 0:
            return at
    return at


cdef uint32_t _count(const uint8_t* at, const uint8_t* end) noexcept nogil:
    # Elements of the array or members of the object that starts at `at`.
    cdef uint32_t count = 0
    cdef bint is_object = at[0] == c'{'
    at += 1
    while at[0] != c']' and at[0] != c'}':
        count += 1
        if is_object:
            at = _after_string(at) + 2
        at = _after(at, end)
        if at[0] == c',':
            at += 2
    return count


cdef inline int _unescaped(const uint8_t** position) noexcept nogil:
    # Next byte of a canonical string, -1 at its end.
    cdef const uint8_t* at = position[0]
    cdef uint8_t c
    if at[0] == c'"':
        return -1
    if at[0] != c'\\':
        position[0] = at + 1
        return at[0]
    c = at[1]
    position[0] = at + 2
    if c == c'u':
        position[0] = at + 6
        return (hex_digit(at[4]) << 4) | hex_digit(at[5])
    return 8 if c == c'b' else 12 if c == c'f' else 10 if c == c'n' else 13 if c == c'r' else 9 if c == c't' else c


cdef int _compare_strings(const uint8_t** a, const uint8_t** b) noexcept nogil:
    # Both at their quotes; on equality both end behind the strings.
    cdef int x
    cdef int y
    a[0] += 1
    b[0] += 1
    while True:
        x = _unescaped(a)
        y = _unescaped(b)
        if x != y:
            return 1 if x > y else -1
        if x < 0:
            a[0] += 1
            b[0] += 1
            return 0


cdef int _compare_numbers(const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) noexcept nogil:
    cdef Pool pool
    cdef Var x
    cdef Var y
    cdef dsql_error_t error
    cdef int order = 0
    if a_size == b_size and memcmp(a, b, a_size) == 0:
        return 0
    pool_init(&pool, 0)
    error.is_set = 0
    if numeric_parse(a, a_size, &pool, &x, &error) == 0 and numeric_parse(b, b_size, &pool, &y, &error) == 0:
        order = numeric_compare(&x, &y)
    pool_free(&pool)
    return order


cdef int _compare(const uint8_t** a, const uint8_t* a_end, const uint8_t** b, const uint8_t* b_end) noexcept nogil:
    # Containers by size first, then element by element (members: key, value). On equality both stand behind.
    cdef int a_kind = _kind_at(a[0])
    cdef int b_kind = _kind_at(b[0])
    cdef const uint8_t* a_stop
    cdef const uint8_t* b_stop
    cdef uint32_t a_count
    cdef uint32_t b_count
    cdef int order = 0
    if a_kind != b_kind:
        return 1 if a_kind > b_kind else -1
    if a_kind == NODE_STRING:
        return _compare_strings(a, b)
    if a_kind == NODE_ARRAY or a_kind == NODE_OBJECT:
        a_count = _count(a[0], a_end)
        b_count = _count(b[0], b_end)
        if a_count != b_count:
            return 1 if a_count > b_count else -1
        a[0] += 1
        b[0] += 1
        while a_count > 0:
            if a_kind == NODE_OBJECT:
                order = _compare_strings(a, b)
                if order != 0:
                    return order
                a[0] += 2
                b[0] += 2
            order = _compare(a, a_end, b, b_end)
            if order != 0:
                return order
            if a_count > 1:
                a[0] += 2
                b[0] += 2
            a_count -= 1
        a[0] += 1
        b[0] += 1
        return 0
    a_stop = _after(a[0], a_end)
    b_stop = _after(b[0], b_end)
    if a_kind == NODE_NUMBER:
        order = _compare_numbers(a[0], a_stop - a[0], b[0], b_stop - b[0])
    elif a_kind == NODE_BOOL:
        order = (a[0][0] == c't') - (b[0][0] == c't')
    a[0] = a_stop
    b[0] = b_stop
    return order


cdef int jsonb_compare(const Var* a, const Var* b) noexcept nogil:
    # At the top a scalar counts as an array of one that sorts before real arrays, except that sizes decide first.
    cdef const uint8_t* x = a.data
    cdef const uint8_t* y = b.data
    cdef const uint8_t* x_end = x + a.size
    cdef const uint8_t* y_end = y + b.size
    cdef int x_kind
    cdef int y_kind
    cdef uint32_t count
    if a.size == b.size and memcmp(x, y, a.size) == 0:
        return 0
    x_kind = _kind_at(x)
    y_kind = _kind_at(y)
    if x_kind < NODE_ARRAY and y_kind == NODE_ARRAY:
        count = _count(y, y_end)
        return 1 if count < 1 else -1
    if y_kind < NODE_ARRAY and x_kind == NODE_ARRAY:
        count = _count(x, x_end)
        return -1 if count < 1 else 1
    return _compare(&x, x_end, &y, y_end)


cdef uint64_t jsonb_hash(const Var* a) noexcept nogil:
    # Over the text, leaving out trailing zeros of fractions.
    cdef uint64_t h = 0x9E3779B97F4A7C15ULL
    cdef const uint8_t* at = a.data
    cdef const uint8_t* end = at + a.size
    cdef const uint8_t* stop
    cdef const uint8_t* point
    cdef const uint8_t* next
    while at < end:
        if at[0] == c'"':
            next = _after_string(at)
            stop = next
        elif at[0] == c'-' or is_digit(at[0]):
            next = at
            point = NULL
            while next < end and (is_digit(next[0]) or next[0] == c'.' or next[0] == c'-'):
                if next[0] == c'.':
                    point = next
                next += 1
            stop = next
            if point != NULL:
                while stop > point and ((stop - 1)[0] == c'0' or stop - 1 == point):
                    stop -= 1
        else:
            next = at + 1
            stop = next
        while at < stop:
            h = (h ^ at[0]) * 0x100000001B3ULL
            at += 1
        at = next
    h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93ULL
    return h ^ (h >> 32)
