"""LIKE and ILIKE: % any characters, _ one character, backslash takes the next character as it is.

A pattern that is constant for the batch is looked at once: without wildcards it is an equality, and a single run of
text with % before, behind or around it is a suffix, prefix or substring test. Everything else goes through the
matcher, which needs no stack: after a % only the last one can ever be tried again.

ILIKE folds ASCII letters only (C collation). bytea patterns count bytes instead of characters.
"""

from libc.string cimport memcmp

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport Var, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport kernel, no_memory, row_at, set_var, var_at
from dsql_core.types.chars cimport lower_ascii

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <string.h>
    /* string.h may have been included without it before. */
    extern void *memmem(const void *, size_t, const void *, size_t);
    """
    void* memmem(const void* haystack, size_t size, const void* needle, size_t needle_size) noexcept nogil

cdef enum:
    SHAPE_GENERAL = 0
    SHAPE_EQUAL = 1
    SHAPE_PREFIX = 2
    SHAPE_SUFFIX = 3
    SHAPE_INSIDE = 4
    SHAPE_ALL = 5

    MATCH_BAD_ESCAPE = -1


cdef inline uint32_t char_end(const uint8_t* text, uint32_t at, uint32_t size, int bytewise) noexcept nogil:
    # Where the character that starts at `at` ends.
    at += 1
    if not bytewise:
        while at < size and (text[at] & 0xC0) == 0x80:
            at += 1
    return at


cdef int match(const uint8_t* text, uint32_t size, const uint8_t* pattern, uint32_t pattern_size, int fold,
               int bytewise) noexcept nogil:
    """1 matches, 0 does not, MATCH_BAD_ESCAPE when the pattern ends in its escape character."""
    cdef uint32_t t = 0, p = 0, retry_t = 0, retry_p = 0
    cdef int has_retry = 0, same
    cdef uint8_t c
    while True:
        same = 0
        if p < pattern_size:
            c = pattern[p]
            if c == c'%':
                p += 1
                if p == pattern_size:
                    return 1
                has_retry = 1
                retry_p = p
                retry_t = t
                continue
            if t < size:
                if c == c'_':
                    t = char_end(text, t, size, bytewise)
                    p += 1
                    continue
                if c == c'\\':
                    if p + 1 == pattern_size:
                        return MATCH_BAD_ESCAPE
                    c = pattern[p + 1]
                    same = (lower_ascii(c) == lower_ascii(text[t])) if fold else c == text[t]
                    if same:
                        p += 2
                        t += 1
                        continue
                else:
                    same = (lower_ascii(c) == lower_ascii(text[t])) if fold else c == text[t]
                    if same:
                        p += 1
                        t += 1
                        continue
        elif t == size:
            return 1
        if not has_retry or retry_t >= size:
            return 0
        retry_t = char_end(text, retry_t, size, bytewise)
        t = retry_t
        p = retry_p


cdef int shape_of(const Var* pattern, uint32_t* start, uint32_t* size) noexcept nogil:
    # Shape of a constant pattern; the literal run is pattern[start .. start + size).
    cdef uint32_t i, first = 0, last = pattern.size
    cdef int before = 0, behind = 0
    while first < last and pattern.data[first] == c'%':
        before = 1
        first += 1
    while last > first and pattern.data[last - 1] == c'%':
        behind = 1
        last -= 1
    for i in range(first, last):
        if pattern.data[i] == c'%' or pattern.data[i] == c'_' or pattern.data[i] == c'\\':
            return SHAPE_GENERAL
    start[0] = first
    size[0] = last - first
    if first == last and before:
        return SHAPE_ALL
    if before and behind:
        return SHAPE_INSIDE
    if before:
        return SHAPE_SUFFIX
    return SHAPE_PREFIX if behind else SHAPE_EQUAL


cdef inline int literal_match(int shape, const Var* text, const uint8_t* run, uint32_t size) noexcept nogil:
    if shape == SHAPE_ALL:
        return 1
    if text.size < size:
        return 0
    if shape == SHAPE_EQUAL:
        return text.size == size and memcmp(text.data, run, size) == 0
    if shape == SHAPE_PREFIX:
        return memcmp(text.data, run, size) == 0
    if shape == SHAPE_SUFFIX:
        return memcmp(text.data + (text.size - size), run, size) == 0
    return memmem(text.data, text.size, run, size) != NULL


cdef int like(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int wanted,
              int fold, int bytewise) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef uint32_t k, i, start = 0, size = 0
    cdef const Var* pattern
    cdef const Var* text
    cdef const uint8_t* run
    cdef int shape = SHAPE_GENERAL, matched
    if count == 0:
        return 0
    if args[1].stride == 0 and not fold:
        pattern = var_at(args[1], 0)
        shape = shape_of(pattern, &start, &size)
        if shape != SHAPE_GENERAL:
            run = pattern.data + start
            for k in range(count):
                i = row_at(sel, k)
                r[i] = literal_match(shape, var_at(args[0], i), run, size) == wanted
            return 0
    for k in range(count):
        i = row_at(sel, k)
        text = var_at(args[0], i)
        pattern = var_at(args[1], i)
        matched = match(text.data, text.size, pattern.data, pattern.size, fold, bytewise)
        if matched == MATCH_BAD_ESCAPE:
            dsql_error_set(ctx.error, "22025", "LIKE pattern must not end with escape character")
            return -1
        r[i] = matched == wanted
    return 0


cdef int text_like(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 1, 0, 0)


cdef int text_not_like(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 0, 0, 0)


cdef int text_ilike(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 1, 1, 0)


cdef int text_not_ilike(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 0, 1, 0)


cdef int bytea_like(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 1, 0, 1)


cdef int bytea_not_like(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return like(ctx, out, args, sel, count, 0, 0, 1)


# --- LIKE ... ESCAPE: the pattern rewritten for the backslash --------------------------------------------------------

cdef int escape(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                int bytewise) noexcept nogil:
    cdef uint32_t k, i, at, end, size
    cdef const Var* pattern
    cdef const Var* mark
    cdef uint8_t* to
    cdef int after
    for k in range(count):
        i = row_at(sel, k)
        pattern = var_at(args[0], i)
        mark = var_at(args[1], i)
        if mark.size != 0 and char_end(mark.data, 0, mark.size, bytewise) != mark.size:
            dsql_error_set(ctx.error, "22025", "invalid escape string")
            dsql_hint(ctx, "Escape string must be empty or one character.")
            return -1
        if mark.size == 1 and mark.data[0] == c'\\':
            set_var(out, i, pattern.data, pattern.size)
            continue
        to = <uint8_t*>pool_alloc(ctx.pool, 2 * pattern.size + 1)
        if to == NULL:
            return no_memory(ctx)
        at = size = 0
        after = 0
        while at < pattern.size:
            end = char_end(pattern.data, at, pattern.size, bytewise)
            if not after and mark.size != 0 and end - at == mark.size and \
                    memcmp(pattern.data + at, mark.data, mark.size) == 0:
                to[size] = c'\\'
                size += 1
                after = 1
                at = end
                continue
            if not after and pattern.data[at] == c'\\':
                to[size] = c'\\'
                size += 1
            after = 0
            while at < end:
                to[size] = pattern.data[at]
                size += 1
                at += 1
        set_var(out, i, to, size)
    return 0


cdef inline void dsql_hint(EvalContext* ctx, const char* text) noexcept nogil:
    cdef uint32_t i = 0
    while i < sizeof(ctx.error.hint) - 1 and text[i] != 0:
        ctx.error.hint[i] = text[i]
        i += 1
    ctx.error.hint[i] = 0


cdef int like_escape(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return escape(ctx, out, args, sel, count, 0)


cdef int like_escape_bytea(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    return escape(ctx, out, args, sel, count, 1)


cdef int _register() except -1:
    kernel(b"textlike", text_like)
    kernel(b"textnlike", text_not_like)
    kernel(b"texticlike", text_ilike)
    kernel(b"texticnlike", text_not_ilike)
    kernel(b"namelike", text_like)
    kernel(b"namenlike", text_not_like)
    kernel(b"nameiclike", text_ilike)
    kernel(b"nameicnlike", text_not_ilike)
    kernel(b"bytealike", bytea_like)
    kernel(b"byteanlike", bytea_not_like)
    kernel(b"like_escape", like_escape)
    kernel(b"like_escape_bytea", like_escape_bytea)
    return 0


_register()
