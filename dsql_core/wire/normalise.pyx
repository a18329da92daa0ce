"""Normaliser: splits a query string into statements and reduces each to its shape, in one pass and without the GIL.

A shape is what two statements share when only their literals, letter case, comments and spacing differ; the plan cache
is keyed by it. The pass is a tokenizer with PostgreSQL's lexical rules (standard_conforming_strings on), not a parser:
anything it is unsure of stays in the key as written, which costs a cache entry and never a wrong plan.

Invariants
  N1  Equal keys mean token-identical statements up to the values of lifted literals: a blank is kept wherever joining
      two tokens could make another one, and a newline between two strings (which continues the first) is kept as such.
  N2  A literal is lifted only where an expression may stand: never in type modifiers, typed literals (DATE '...'),
      ORDER BY / GROUP BY items, strings with a prefix (E B X N U&) or a continuation, or outside SELECT and its like.
  N3  Explicit and lifted parameters together stay within PARAMS_MAX; a statement beyond that is not lifted at all.
  N4  Semicolons split only outside quotes, comments, parentheses and BEGIN ATOMIC bodies of CREATE FUNCTION/PROCEDURE.
Memory: a Shape keeps its buffers from call to call; the caller frees it. Nothing points into the source text.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset

from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_free, buffer_init, buffer_reserve
from dsql_core.codec.message cimport fingerprint

cdef enum:                   # character classes
    C_OPERATOR = 0           # + - * / < > = and every other punctuation not listed
    C_SPACE
    C_WORD                   # letters, underscore, bytes >= 0x80
    C_DIGIT
    C_QUOTE
    C_IDENTIFIER             # double quote
    C_DOLLAR
    C_DOT
    C_OPEN
    C_CLOSE
    C_SEMICOLON
    C_COMMA
    C_CONTROL

cdef enum:                   # what the last token was, for spacing and for the literal rules
    T_NONE
    T_PUNCTUATION            # comma, parentheses: never needs a blank
    T_OPERATOR
    T_WORD
    T_QUOTED                 # "identifier"
    T_NUMBER
    T_STRING

cdef uint8_t[256] class_of
cdef uint8_t[256] fold_of


cdef void _tables() noexcept:
    cdef int c
    for c in range(256):
        fold_of[c] = <uint8_t>(c + 32) if 65 <= c <= 90 else <uint8_t>c
        if 65 <= c <= 90 or 97 <= c <= 122 or c == 95 or c >= 128:
            class_of[c] = C_WORD
        elif 48 <= c <= 57:
            class_of[c] = C_DIGIT
        elif c == 32 or 9 <= c <= 13:
            class_of[c] = C_SPACE
        elif c < 32 or c == 127:
            class_of[c] = C_CONTROL
        else:
            class_of[c] = C_OPERATOR
    class_of[c"'"] = C_QUOTE
    class_of[c'"'] = C_IDENTIFIER
    class_of[c'$'] = C_DOLLAR
    class_of[c'.'] = C_DOT
    class_of[c'('] = C_OPEN
    class_of[c')'] = C_CLOSE
    class_of[c';'] = C_SEMICOLON
    class_of[c','] = C_COMMA


_tables()


cdef void shape_init(Shape* shape) noexcept nogil:
    memset(shape, 0, sizeof(Shape))
    buffer_init(&shape.key)


cdef void shape_free(Shape* shape) noexcept nogil:
    buffer_free(&shape.key)
    free(shape.literals)
    memset(shape, 0, sizeof(Shape))


# -- words ------------------------------------------------------------------------------------------------------------

cdef inline bint _is(const uint8_t* word, uint32_t size, const char* name, uint32_t name_size) noexcept nogil:
    return size == name_size and memcmp(word, name, size) == 0


cdef uint8_t _statement_kind(const uint8_t* w, uint32_t n) noexcept nogil:
    # By the first (folded) word.
    if n == 6:
        if memcmp(w, b"select", 6) == 0 or memcmp(w, b"insert", 6) == 0 or memcmp(w, b"update", 6) == 0:
            return STATEMENT_QUERY
        if memcmp(w, b"delete", 6) == 0 or memcmp(w, b"values", 6) == 0:
            return STATEMENT_QUERY
        if memcmp(w, b"commit", 6) == 0:
            return STATEMENT_COMMIT
    elif n == 5:
        if memcmp(w, b"begin", 5) == 0 or memcmp(w, b"start", 5) == 0:
            return STATEMENT_BEGIN
        if memcmp(w, b"abort", 5) == 0:
            return STATEMENT_ROLLBACK
    elif n == 3 and memcmp(w, b"end", 3) == 0:
        return STATEMENT_COMMIT
    elif n == 4 and memcmp(w, b"with", 4) == 0:
        return STATEMENT_QUERY
    elif n == 8 and memcmp(w, b"rollback", 8) == 0:
        return STATEMENT_ROLLBACK
    return STATEMENT_OTHER


cdef bint _string_may_follow(const uint8_t* w, uint32_t n) noexcept nogil:
    # Words after which '...' is an expression; after any other word it may be a typed literal (N2).
    if n == 2:
        return (memcmp(w, b"or", 2) == 0 or memcmp(w, b"by", 2) == 0 or memcmp(w, b"on", 2) == 0
                or memcmp(w, b"to", 2) == 0 or memcmp(w, b"in", 2) == 0)
    if n == 3:
        return (memcmp(w, b"and", 3) == 0 or memcmp(w, b"not", 3) == 0 or memcmp(w, b"for", 3) == 0
                or memcmp(w, b"all", 3) == 0 or memcmp(w, b"any", 3) == 0)
    if n == 4:
        return (memcmp(w, b"like", 4) == 0 or memcmp(w, b"then", 4) == 0 or memcmp(w, b"else", 4) == 0
                or memcmp(w, b"when", 4) == 0 or memcmp(w, b"case", 4) == 0 or memcmp(w, b"from", 4) == 0
                or memcmp(w, b"both", 4) == 0 or memcmp(w, b"some", 4) == 0)
    if n == 5:
        return (memcmp(w, b"where", 5) == 0 or memcmp(w, b"ilike", 5) == 0 or memcmp(w, b"limit", 5) == 0
                or memcmp(w, b"using", 5) == 0)
    if n == 6:
        return (memcmp(w, b"select", 6) == 0 or memcmp(w, b"having", 6) == 0 or memcmp(w, b"offset", 6) == 0
                or memcmp(w, b"escape", 6) == 0)
    if n == 7:
        return (memcmp(w, b"between", 7) == 0 or memcmp(w, b"leading", 7) == 0 or memcmp(w, b"placing", 7) == 0)
    if n == 8:
        return memcmp(w, b"distinct", 8) == 0 or memcmp(w, b"trailing", 8) == 0
    if n == 9:
        return memcmp(w, b"returning", 9) == 0 or memcmp(w, b"symmetric", 9) == 0
    return False


cdef bint _takes_modifiers(const uint8_t* w, uint32_t n) noexcept nogil:
    # Words whose parentheses hold constants of the grammar: type modifiers, precisions, extract's field (N2).
    if n == 3:
        return memcmp(w, b"bit", 3) == 0 or memcmp(w, b"dec", 3) == 0
    if n == 4:
        return memcmp(w, b"char", 4) == 0 or memcmp(w, b"time", 4) == 0
    if n == 5:
        return memcmp(w, b"float", 5) == 0 or memcmp(w, b"nchar", 5) == 0
    if n == 6:
        return memcmp(w, b"bpchar", 6) == 0 or memcmp(w, b"varbit", 6) == 0 or memcmp(w, b"timetz", 6) == 0
    if n == 7:
        return (memcmp(w, b"varchar", 7) == 0 or memcmp(w, b"numeric", 7) == 0 or memcmp(w, b"decimal", 7) == 0
                or memcmp(w, b"varying", 7) == 0 or memcmp(w, b"extract", 7) == 0)
    if n == 8:
        return memcmp(w, b"interval", 8) == 0
    if n == 9:
        return (memcmp(w, b"character", 9) == 0 or memcmp(w, b"timestamp", 9) == 0
                or memcmp(w, b"localtime", 9) == 0)
    if n == 11:
        return memcmp(w, b"timestamptz", 11) == 0
    if n == 12:
        return memcmp(w, b"current_time", 12) == 0
    if n == 14:
        return memcmp(w, b"localtimestamp", 14) == 0
    if n == 17:
        return memcmp(w, b"current_timestamp", 17) == 0
    return n == 6 and memcmp(w, b"second", 6) == 0


cdef bint _ends_by_clause(const uint8_t* w, uint32_t n) noexcept nogil:
    # Words that end an ORDER BY / GROUP BY list at its own depth.
    if n == 3:
        return memcmp(w, b"for", 3) == 0
    if n == 4:
        return memcmp(w, b"rows", 4) == 0
    if n == 5:
        return (memcmp(w, b"limit", 5) == 0 or memcmp(w, b"fetch", 5) == 0 or memcmp(w, b"union", 5) == 0
                or memcmp(w, b"range", 5) == 0)
    if n == 6:
        return (memcmp(w, b"offset", 6) == 0 or memcmp(w, b"having", 6) == 0 or memcmp(w, b"window", 6) == 0
                or memcmp(w, b"except", 6) == 0 or memcmp(w, b"groups", 6) == 0)
    return n == 9 and (memcmp(w, b"intersect", 9) == 0 or memcmp(w, b"returning", 9) == 0)


# -- tokens -----------------------------------------------------------------------------------------------------------

cdef size_t _skip_trivia(const uint8_t* text, size_t at, size_t size, bint* newline) noexcept nogil:
    # Past blanks and comments; *newline is set when a line ended on the way.
    cdef int depth
    while at < size:
        if class_of[text[at]] == C_SPACE:
            if text[at] == 10 or text[at] == 13:
                newline[0] = True
            at += 1
        elif text[at] == c'-' and at + 1 < size and text[at + 1] == c'-':
            while at < size and text[at] != 10 and text[at] != 13:
                at += 1
        elif text[at] == c'/' and at + 1 < size and text[at + 1] == c'*':
            depth = 1
            at += 2
            while at < size and depth > 0:
                if text[at] == c'*' and at + 1 < size and text[at + 1] == c'/':
                    depth -= 1
                    at += 2
                elif text[at] == c'/' and at + 1 < size and text[at + 1] == c'*':
                    depth += 1
                    at += 2
                else:
                    at += 1
        else:
            break
    return at


cdef inline size_t _quoted_end(const uint8_t* text, size_t at, size_t size, uint8_t quote, bint backslash,
                               uint8_t* doubled) noexcept nogil:
    # `at` is on the opening quote; the result is past the closing one (size when there is none).
    at += 1
    while at < size:
        if text[at] == quote:
            if at + 1 < size and text[at + 1] == quote:
                doubled[0] = 1
                at += 2
                continue
            return at + 1
        if backslash and text[at] == c'\\':
            at += 1
        at += 1
    return size


cdef size_t _dollar_end(const uint8_t* text, size_t at, size_t size) noexcept nogil:
    # `at` is on '$'. Past the closing tag of a dollar-quoted string, or 0 when this is none.
    cdef size_t tag_end = at + 1
    cdef size_t tag_size
    cdef size_t i
    if tag_end < size and class_of[text[tag_end]] == C_WORD:
        while tag_end < size and (class_of[text[tag_end]] == C_WORD or class_of[text[tag_end]] == C_DIGIT):
            tag_end += 1
    if tag_end >= size or text[tag_end] != c'$':
        return 0
    tag_end += 1
    tag_size = tag_end - at
    i = tag_end
    while i + tag_size <= size:
        if text[i] == c'$' and memcmp(text + i, text + at, tag_size) == 0:
            return i + tag_size
        i += 1
    return size


cdef Literal* _literal(Shape* shape) noexcept nogil:
    cdef uint32_t capacity
    cdef Literal* grown
    if shape.literal_count == shape.literal_capacity:
        capacity = shape.literal_capacity * 2 if shape.literal_capacity else 16
        grown = <Literal*>realloc(shape.literals, capacity * sizeof(Literal))
        if grown == NULL:
            shape.failed = 1
            return NULL
        shape.literals = grown
        shape.literal_capacity = capacity
    shape.literal_count += 1
    return &shape.literals[shape.literal_count - 1]


cdef size_t _number_end(const uint8_t* text, size_t at, size_t size, bint* decimal, bint* junk) noexcept nogil:
    # Past a numeric token; junk: something the parser must judge (0x1F, 1_000, 12ab).
    cdef size_t exponent
    while at < size and class_of[text[at]] == C_DIGIT:
        at += 1
    if at < size and text[at] == c'.' and not (at + 1 < size and text[at + 1] == c'.'):
        decimal[0] = True
        at += 1
        while at < size and class_of[text[at]] == C_DIGIT:
            at += 1
    if at < size and (text[at] | 32) == c'e':
        exponent = at + 1
        if exponent < size and (text[exponent] == c'+' or text[exponent] == c'-'):
            exponent += 1
        if exponent < size and class_of[text[exponent]] == C_DIGIT:
            decimal[0] = True
            at = exponent
            while at < size and class_of[text[at]] == C_DIGIT:
                at += 1
    if at < size and (class_of[text[at]] == C_WORD or text[at] == c'$'):
        junk[0] = True
        while at < size and (class_of[text[at]] == C_WORD or class_of[text[at]] == C_DIGIT or text[at] == c'$'):
            at += 1
    return at


cdef int normalise(const uint8_t* text, size_t size, size_t offset, int lift, Shape* shape) noexcept nogil:
    cdef size_t at
    cdef size_t token
    cdef size_t i
    cdef size_t last_end
    cdef uint8_t* base
    cdef uint8_t* w
    cdef uint8_t* word = NULL             # last word, folded, in the key
    cdef uint32_t word_size = 0
    cdef uint8_t* previous_word = NULL    # the word directly before it, NULL when another token came between
    cdef uint32_t previous_size = 0
    cdef uint8_t last = T_NONE
    cdef uint8_t kind
    cdef uint8_t c
    cdef uint8_t doubled
    cdef bint separated = False
    cdef bint newline = False
    cdef bint decimal
    cdef bint junk
    cdef bint lifting = False
    cdef int depth = 0
    cdef int by_depth = -1                # depth of the ORDER BY / GROUP BY list we are in
    cdef int raw_depth = -1               # inside parentheses of constants that opened at this depth
    cdef int atomic_depth = 0             # BEGIN ... END nesting inside CREATE FUNCTION / PROCEDURE
    cdef uint32_t word_count = 0
    cdef bint is_routine = False          # CREATE [OR REPLACE] FUNCTION | PROCEDURE so far
    cdef uint64_t value
    cdef uint64_t n
    cdef Literal* literal

    shape.literal_count = 0
    shape.param_max = 0
    shape.kind = STATEMENT_EMPTY
    shape.failed = 0
    shape.hash = 0
    shape.key.size = 0
    shape.key.failed = 0
    # Leading trivia and empty statements.
    at = offset
    while True:
        at = _skip_trivia(text, at, size, &newline)
        if at < size and text[at] == c';':
            at += 1
            continue
        break
    shape.start = <uint32_t>at
    shape.end = <uint32_t>at
    if at >= size:
        shape.next = <uint32_t>size
        return 0
    # Control characters double, everything else stays or shrinks: room for the worst case once, no checks in the loop.
    base = buffer_reserve(&shape.key, 2 * (size - at) + 16)
    if base == NULL:
        shape.failed = 1
        return -1
    w = base
    last_end = at
    newline = False
    while at < size:
        c = text[at]
        kind = class_of[c]
        if kind == C_SPACE:
            separated = True
            if c == 10 or c == 13:
                newline = True
            at += 1
            continue
        if kind == C_WORD:
            # A string prefix is part of the string.
            if at + 1 < size and text[at + 1] == c"'" and (fold_of[c] == c'e' or fold_of[c] == c'b'
                                                           or fold_of[c] == c'x' or fold_of[c] == c'n'):
                token = at
                at = _quoted_end(text, at + 1, size, c"'", fold_of[c] == c'e', &doubled)
            elif (fold_of[c] == c'u' and at + 2 < size and text[at + 1] == c'&'
                  and (text[at + 2] == c"'" or text[at + 2] == c'"')):
                token = at
                at = _quoted_end(text, at + 2, size, text[at + 2], False, &doubled)
            else:
                if separated and last >= T_WORD:
                    w[0] = c' '
                    w += 1
                if last == T_WORD:
                    previous_word = word
                    previous_size = word_size
                else:
                    previous_word = NULL
                word = w
                while True:
                    w[0] = fold_of[c]
                    w += 1
                    at += 1
                    if at >= size:
                        break
                    c = text[at]
                    if class_of[c] != C_WORD and class_of[c] != C_DIGIT and c != c'$':
                        break
                word_size = <uint32_t>(w - word)
                word_count += 1
                if word_count == 1 and last == T_NONE:
                    shape.kind = _statement_kind(word, word_size)
                    lifting = lift != 0 and shape.kind == STATEMENT_QUERY
                elif lifting:
                    if word_size == 2 and word[0] == c'b' and word[1] == c'y':
                        if previous_word != NULL and previous_size == 5 and (
                                memcmp(previous_word, b"order", 5) == 0 or memcmp(previous_word, b"group", 5) == 0):
                            by_depth = depth
                    elif by_depth >= 0 and depth == by_depth and _ends_by_clause(word, word_size):
                        by_depth = -1
                elif shape.kind == STATEMENT_OTHER:
                    if word_count <= 4 and (_is(word, word_size, b"function", 8)
                                            or _is(word, word_size, b"procedure", 9)):
                        is_routine = base[0] == c'c' and memcmp(base, b"create", 6) == 0
                    elif is_routine and depth == 0:
                        if _is(word, word_size, b"begin", 5):
                            atomic_depth += 1
                        elif atomic_depth > 0 and _is(word, word_size, b"case", 4):
                            atomic_depth += 1
                        elif atomic_depth > 0 and _is(word, word_size, b"end", 3):
                            atomic_depth -= 1
                last = T_WORD
                last_end = at
                separated = newline = False
                continue
            # A prefixed string: as written.
            if separated and last >= T_WORD:
                w[0] = c'\n' if newline and last == T_STRING else c' '
                w += 1
            memcpy(w, text + token, at - token)
            w += at - token
            last = T_STRING
        elif kind == C_DIGIT or (kind == C_DOT and at + 1 < size and class_of[text[at + 1]] == C_DIGIT
                                 and (last <= T_OPERATOR or separated)):
            token = at
            decimal = junk = False
            at = _number_end(text, at, size, &decimal, &junk)
            if separated and last >= T_WORD:
                w[0] = c' '
                w += 1
            if lifting and not junk and by_depth < 0 and raw_depth < 0:
                literal = _literal(shape)
                if literal == NULL:
                    return -1
                literal.at = <uint32_t>token
                literal.size = <uint32_t>(at - token)
                literal.doubled = 0
                literal.kind = LITERAL_NUMERIC
                literal.value = 0
                if not decimal and at - token <= 19:
                    value = 0
                    for i in range(token, at):
                        value = value * 10 + (text[i] - 48)
                    if value <= 0x7FFFFFFF:
                        literal.kind = LITERAL_I4
                        literal.value = <int64_t>value
                    elif value <= 0x7FFFFFFFFFFFFFFFULL:
                        literal.kind = LITERAL_I8
                        literal.value = <int64_t>value
                w[0] = literal.kind
                w += 1
            else:
                for i in range(token, at):
                    w[0] = fold_of[text[i]]
                    w += 1
            last = T_NUMBER
        elif kind == C_QUOTE:
            token = at
            doubled = 0
            at = _quoted_end(text, at, size, c"'", False, &doubled)
            if separated and last >= T_WORD:
                w[0] = c'\n' if newline and last == T_STRING else c' '
                w += 1
            junk = not lifting or by_depth >= 0 or raw_depth >= 0 or last == T_STRING or last == T_QUOTED
            if not junk and last == T_WORD:
                junk = not _string_may_follow(word, word_size)
            if not junk:
                # Continued on the next line, unterminated, or followed by a word: the parser's business.
                if at >= size:
                    junk = at - token < 2 or text[at - 1] != c"'"
                elif class_of[text[at]] == C_SPACE or text[at] == c'-' or text[at] == c'/':
                    newline = False
                    i = _skip_trivia(text, at, size, &newline)
                    junk = newline and i < size and text[i] == c"'"
            if not junk:
                literal = _literal(shape)
                if literal == NULL:
                    return -1
                literal.at = <uint32_t>token
                literal.size = <uint32_t>(at - token)
                literal.kind = LITERAL_STRING
                literal.doubled = doubled
                literal.value = 0
                w[0] = LITERAL_STRING
                w += 1
            else:
                memcpy(w, text + token, at - token)
                w += at - token
            last = T_STRING
        elif kind == C_IDENTIFIER:
            token = at
            at = _quoted_end(text, at, size, c'"', False, &doubled)
            if separated and last >= T_WORD:
                w[0] = c' '
                w += 1
            memcpy(w, text + token, at - token)
            w += at - token
            last = T_QUOTED
        elif kind == C_DOLLAR:
            token = at
            if separated and last >= T_WORD:
                w[0] = c' '
                w += 1
            if at + 1 < size and class_of[text[at + 1]] == C_DIGIT:
                at += 1
                n = 0
                while at < size and class_of[text[at]] == C_DIGIT:
                    if n < 1000000:
                        n = n * 10 + (text[at] - 48)
                    at += 1
                if n > shape.param_max:
                    shape.param_max = <uint32_t>n
                last = T_NUMBER
            else:
                i = _dollar_end(text, at, size)
                at = i if i != 0 else at + 1
                last = T_STRING
            memcpy(w, text + token, at - token)
            w += at - token
        elif kind == C_OPEN:
            depth += 1
            if lifting:
                if raw_depth < 0 and last == T_WORD and _takes_modifiers(word, word_size):
                    raw_depth = depth
            elif last == T_NONE:
                # A parenthesised SELECT: look at what it starts with when the word comes.
                shape.kind = STATEMENT_QUERY
                lifting = lift != 0
            w[0] = c
            w += 1
            at += 1
            last = T_PUNCTUATION
        elif kind == C_CLOSE:
            if raw_depth == depth:
                raw_depth = -1
            depth -= 1
            if depth < 0:
                depth = 0
            if by_depth > depth:
                by_depth = -1
            w[0] = c
            w += 1
            at += 1
            last = T_PUNCTUATION
        elif kind == C_COMMA:
            w[0] = c
            w += 1
            at += 1
            last = T_PUNCTUATION
        elif kind == C_SEMICOLON:
            if depth == 0 and atomic_depth == 0:
                break
            w[0] = c
            w += 1
            at += 1
            last = T_PUNCTUATION
        elif kind == C_DOT:
            # Joined to its neighbours; a blank before it matters only next to a number.
            if separated and last == T_NUMBER:
                w[0] = c' '
                w += 1
            w[0] = c
            w += 1
            at += 1
            last = T_WORD if last == T_NUMBER else T_PUNCTUATION
            word_size = 0
        elif kind == C_CONTROL:
            w[0] = KEY_ESCAPE
            w[1] = c
            w += 2
            at += 1
            last = T_PUNCTUATION
        else:
            if (c == c'-' and at + 1 < size and text[at + 1] == c'-') or (
                    c == c'/' and at + 1 < size and text[at + 1] == c'*'):
                at = _skip_trivia(text, at, size, &newline)
                separated = True
                continue
            if separated and last == T_OPERATOR:
                w[0] = c' '
                w += 1
            w[0] = c
            w += 1
            at += 1
            last = T_OPERATOR
        last_end = at
        separated = newline = False
    shape.key.size = w - base
    shape.end = <uint32_t>last_end
    # Past the semicolon and whatever holds no statement.
    while True:
        at = _skip_trivia(text, at, size, &newline)
        if at < size and text[at] == c';':
            at += 1
            continue
        break
    shape.next = <uint32_t>at
    if shape.literal_count + shape.param_max > PARAMS_MAX and shape.literal_count != 0:
        return normalise(text, size, offset, 0, shape)
    shape.hash = fingerprint(shape.kind, shape.key.data, shape.key.size) | 1
    return 0


cdef void literal_text(const Literal* literal, const uint8_t* text, Buffer* out) noexcept nogil:
    cdef size_t i
    cdef size_t end = literal.at + literal.size
    if literal.kind != LITERAL_STRING:
        buffer_append(out, text + literal.at, literal.size)
        return
    if not literal.doubled:
        buffer_append(out, text + literal.at + 1, literal.size - 2)
        return
    i = literal.at + 1
    end -= 1
    while i < end:
        buffer_append_u8(out, text[i])
        i += 2 if text[i] == c"'" else 1


cdef void shape_lifted_text(const Shape* shape, const uint8_t* text, Buffer* out) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t at = shape.start
    cdef uint32_t n
    cdef int digits
    cdef uint8_t[12] number
    cdef const Literal* literal
    for i in range(shape.literal_count):
        literal = &shape.literals[i]
        buffer_append(out, text + at, literal.at - at)
        if literal.at > 0 and class_of[text[literal.at - 1]] in (C_WORD, C_DIGIT, C_DOLLAR):
            buffer_append_u8(out, c' ')      # select'a' must not become the identifier select$1
        n = shape.param_max + i + 1
        digits = 12
        while n != 0:
            digits -= 1
            number[digits] = <uint8_t>(48 + n % 10)
            n = n // 10
        buffer_append_u8(out, c'$')
        buffer_append(out, &number[digits], 12 - digits)
        at = literal.at + literal.size
        if at < shape.end and class_of[text[at]] in (C_WORD, C_DIGIT, C_DOLLAR):
            buffer_append_u8(out, c' ')
    buffer_append(out, text + at, shape.end - at)


cdef size_t character_count(const uint8_t* text, size_t size) noexcept nogil:
    cdef size_t i
    cdef size_t count = 0
    for i in range(size):
        count += (text[i] & 0xC0) != 0x80
    return count


# -- Python face (tests, tools) ---------------------------------------------------------------------------------------

_KIND_NAMES = ("empty", "query", "begin", "commit", "rollback", "other")
LITERAL_NAMES = (None, "i4", "i8", "n", "s")


def statements(text: bytes, lift: bool = True) -> list:
    """Every statement of a query string: dicts with kind, key, hash, text, lifted, literals and param_max."""
    cdef Shape shape
    cdef Buffer out
    cdef const uint8_t* data = text
    cdef size_t size = len(text)
    cdef size_t at = 0
    cdef uint32_t i
    found = []
    shape_init(&shape)
    buffer_init(&out)
    try:
        while at < size:
            if normalise(data, size, at, lift, &shape) < 0:
                raise MemoryError
            at = shape.next
            if shape.kind == STATEMENT_EMPTY:
                continue
            literals = []
            for i in range(shape.literal_count):
                out.size = 0
                literal_text(&shape.literals[i], data, &out)
                literals.append((LITERAL_NAMES[shape.literals[i].kind], out.data[:out.size] if out.size else b""))
            out.size = 0
            shape_lifted_text(&shape, data, &out)
            found.append({
                "kind": _KIND_NAMES[shape.kind],
                "key": shape.key.data[:shape.key.size],
                "hash": shape.hash,
                "text": text[shape.start:shape.end],
                "lifted": out.data[:out.size] if out.size else b"",
                "literals": literals,
                "param_max": shape.param_max,
            })
    finally:
        shape_free(&shape)
        buffer_free(&out)
    return found


def time_ns(text: bytes, rounds: int = 100000) -> float:
    """Nanoseconds one normalise call takes on a text (benchmarks)."""
    import time
    cdef Shape shape
    cdef const uint8_t* data = text
    cdef size_t size = len(text)
    cdef int _i
    cdef int n = rounds
    cdef uint64_t total = 0
    shape_init(&shape)
    begin = time.perf_counter_ns()
    with nogil:
        for _i in range(n):
            normalise(data, size, 0, 1, &shape)
            total += shape.hash
    elapsed = time.perf_counter_ns() - begin
    shape_free(&shape)
    return elapsed / rounds
