"""Splitting date, time and interval text into fields.

The text is cut where its kind of character changes, following PostgreSQL's habits: a number followed by ':' starts a
time, one followed by '-', '/' or '.' a date, a sign a zone or signed number, letters a word that may grow into a
date ("jan-08-1999") or a zone name ("america/new_york"). Other punctuation is skipped.

I1  Fields are lower case, ended by NUL, and lie in Tokens.bytes; a text with more than 25 fields or too many bytes is
    malformed.
"""
from libc.math cimport rint
from libc.stdlib cimport strtod

from dsql_core.base.types cimport int32_t, int64_t, uint8_t
from dsql_core.types.chars cimport is_alpha, is_digit, is_punct, is_space, lower_ascii

cdef struct Word:
    char name[11]
    uint8_t kind
    int32_t value

cdef Word[96] words
cdef int word_count = 0

WORDS = {
    WORD_IGNORE: {"at": 0, "on": 0},
    WORD_MONTH: {
        "jan": 1, "january": 1, "feb": 2, "february": 2, "mar": 3, "march": 3, "apr": 4, "april": 4, "may": 5,
        "jun": 6, "june": 6, "jul": 7, "july": 7, "aug": 8, "august": 8, "sep": 9, "sept": 9, "september": 9,
        "oct": 10, "october": 10, "nov": 11, "november": 11, "dec": 12, "december": 12,
    },
    WORD_DAY_OF_WEEK: dict.fromkeys(
        "sun sunday mon monday tue tues tuesday wed weds wednesday thu thur thurs thursday fri friday sat "
        "saturday".split(), 0,
    ),
    WORD_MERIDIEM: {"am": 1, "pm": 2},
    WORD_ERA: {"ad": 1, "bc": 2},
    WORD_NOW: {"now": 0},
    WORD_DAY: {"yesterday": -1, "today": 0, "tomorrow": 1},
    WORD_EPOCH: {"epoch": 0},
    WORD_LATE: {"infinity": 0},
    WORD_EARLY: {"-infinity": 0},
    WORD_ALLBALLS: {"allballs": 0},
    WORD_ISO_TIME: {"t": 0},
    WORD_JULIAN: {"j": 0, "jd": 0, "julian": 0},
    WORD_DST: {"dst": 0},
    WORD_UNIT: dict.fromkeys("d dow doy h isodow isoyear m mm s y".split(), 0),
}


def _fill_words():
    global word_count
    for kind, names in WORDS.items():
        for name, value in names.items():
            for i, byte in enumerate(name.encode()):
                words[word_count].name[i] = byte
            words[word_count].name[len(name)] = 0
            words[word_count].kind = kind
            words[word_count].value = value
            word_count += 1


_fill_words()


cdef int word_of(const uint8_t* text, size_t size, int32_t* value) noexcept nogil:
    # Words are told apart by their first ten characters.
    cdef int i
    cdef size_t j
    if size > 10:
        size = 10
    for i in range(word_count):
        for j in range(size):
            if words[i].name[j] == 0 or <uint8_t>words[i].name[j] != text[j]:
                break
        else:
            if words[i].name[size] == 0:
                value[0] = words[i].value
                return words[i].kind
    return WORD_UNKNOWN


cdef int64_t read_integer(const uint8_t** position) noexcept nogil:
    cdef const uint8_t* at = position[0]
    cdef bint negative = False
    cdef int64_t value = 0
    if at[0] == c'-' or at[0] == c'+':
        negative = at[0] == c'-'
        at += 1
    while is_digit(at[0]):
        if value < 10000000000000000LL:
            value = value * 10 + (at[0] - 48)
        at += 1
    position[0] = at
    return -value if negative else value


cdef int read_fraction(const uint8_t* at, int64_t* us) noexcept nogil:
    cdef const uint8_t* first = at
    at += 1
    while is_digit(at[0]):
        at += 1
    if at[0] != 0:
        return -1
    us[0] = 0 if at == first + 1 else <int64_t>rint(strtod(<const char*>first, NULL) * 1000000)
    return 0


cdef inline bint _continues_zone(uint8_t c) noexcept nogil:
    return c == c'+' or c == c'-' or c == c'/' or c == c'_' or c == c'.' or c == c':' or is_digit(c) or is_alpha(c)


cdef int split_fields(const uint8_t* text, size_t size, Tokens* out) noexcept nogil:
    cdef uint8_t copy[TOKEN_BYTES + 1]
    cdef const uint8_t* at = &copy[0]
    cdef uint8_t* to = &out.bytes[0]
    cdef Token* token
    cdef uint8_t delimiter
    cdef size_t i
    cdef int32_t value
    out.count = 0
    # Blanks at the end would only take room.
    while size > 0 and is_space(text[size - 1]):
        size -= 1
    while size > 0 and is_space(text[0]):
        text += 1
        size -= 1
    if size > TOKEN_BYTES:
        return -1
    for i in range(size):
        if text[i] == 0 or text[i] >= 0x80:
            return -1
        copy[i] = lower_ascii(text[i])
    copy[size] = 0
    while at[0] != 0:
        if is_space(at[0]):
            at += 1
            continue
        if is_punct(at[0]) and at[0] != c'.' and at[0] != c'+' and at[0] != c'-':
            at += 1
            continue
        if out.count == FIELDS_MAX:
            return -1
        # Bytes of fields and their ends fit: at most size + FIELDS_MAX.
        token = &out.items[out.count]
        token.text = to
        if is_digit(at[0]):
            token.kind = TOKEN_NUMBER
            while is_digit(at[0]):
                to[0] = at[0]
                to += 1
                at += 1
            if at[0] == c':':
                token.kind = TOKEN_TIME
                while is_digit(at[0]) or at[0] == c':' or at[0] == c'.':
                    to[0] = at[0]
                    to += 1
                    at += 1
            elif at[0] == c'-' or at[0] == c'/' or at[0] == c'.':
                delimiter = at[0]
                to[0] = delimiter
                to += 1
                at += 1
                if is_digit(at[0]):
                    token.kind = TOKEN_NUMBER if delimiter == c'.' else TOKEN_DATE
                    while is_digit(at[0]):
                        to[0] = at[0]
                        to += 1
                        at += 1
                    if at[0] == delimiter:
                        token.kind = TOKEN_DATE
                        while is_digit(at[0]) or at[0] == delimiter:
                            to[0] = at[0]
                            to += 1
                            at += 1
                else:
                    token.kind = TOKEN_DATE
                    while is_digit(at[0]) or is_alpha(at[0]) or at[0] == delimiter:
                        to[0] = at[0]
                        to += 1
                        at += 1
        elif at[0] == c'.':
            token.kind = TOKEN_NUMBER
            to[0] = at[0]
            to += 1
            at += 1
            while is_digit(at[0]):
                to[0] = at[0]
                to += 1
                at += 1
        elif is_alpha(at[0]):
            token.kind = TOKEN_WORD
            while is_alpha(at[0]):
                to[0] = at[0]
                to += 1
                at += 1
            if at[0] == c'-' or at[0] == c'/' or at[0] == c'.' or \
                    ((at[0] == c'+' or is_digit(at[0])) and
                     word_of(token.text, to - token.text, &value) == WORD_UNKNOWN):
                token.kind = TOKEN_DATE
                while _continues_zone(at[0]):
                    to[0] = at[0]
                    to += 1
                    at += 1
        elif at[0] == c'+' or at[0] == c'-':
            to[0] = at[0]
            to += 1
            at += 1
            while is_space(at[0]):
                at += 1
            if is_digit(at[0]):
                token.kind = TOKEN_ZONE
                while is_digit(at[0]) or at[0] == c':' or at[0] == c'.' or at[0] == c'-':
                    to[0] = at[0]
                    to += 1
                    at += 1
            elif is_alpha(at[0]):
                token.kind = TOKEN_SIGNED_WORD
                while is_alpha(at[0]):
                    to[0] = at[0]
                    to += 1
                    at += 1
            else:
                return -1
        else:
            return -1
        token.size = <int>(to - token.text)
        to[0] = 0
        to += 1
        out.count += 1
    return 0
