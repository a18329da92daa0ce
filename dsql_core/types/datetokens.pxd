# Splitting date, time and interval text into fields, and the words that mean something in dates.
from dsql_core.base.types cimport int32_t, int64_t, uint8_t

cdef enum:
    FIELDS_MAX = 25
    TOKEN_BYTES = 160

    TOKEN_NUMBER = 0       # 12, .5, 12.5
    TOKEN_DATE = 1         # 1999-01-08, 8-jan-99, america/new_york
    TOKEN_TIME = 2         # 04:05:06.7
    TOKEN_ZONE = 3         # +02, -8:30, -5
    TOKEN_WORD = 4         # january
    TOKEN_SIGNED_WORD = 5  # -infinity

    WORD_UNKNOWN = 0
    WORD_IGNORE = 1        # at, on
    WORD_MONTH = 2         # value 1..12
    WORD_DAY_OF_WEEK = 3
    WORD_MERIDIEM = 4      # value 1 am, 2 pm
    WORD_ERA = 5           # value 1 ad, 2 bc
    WORD_NOW = 6
    WORD_DAY = 7           # value -1 yesterday, 0 today, 1 tomorrow
    WORD_EPOCH = 8
    WORD_LATE = 9
    WORD_EARLY = 10
    WORD_ALLBALLS = 11
    WORD_ISO_TIME = 12     # t
    WORD_JULIAN = 13       # j, jd, julian
    WORD_DST = 14          # dst
    WORD_UNIT = 15         # dow, doy, ...: a word that labels the next field, wrongly

cdef struct Token:
    int kind
    int size
    uint8_t* text          # in Tokens.bytes, lower case, ended by NUL

cdef struct Tokens:
    int count
    Token[25] items
    uint8_t[256] bytes

cdef int split_fields(const uint8_t* text, size_t size, Tokens* out) noexcept nogil        # 0, -1 bad format
cdef int word_of(const uint8_t* text, size_t size, int32_t* value) noexcept nogil          # WORD_*
# Decimal integer at *position, sign allowed; advances. Clipped at +-10^17 (out of every range).
cdef int64_t read_integer(const uint8_t** position) noexcept nogil
# Digits after a point (position at the point) as millionths, rounded; 0, -1 = something else follows the digits.
cdef int read_fraction(const uint8_t* at, int64_t* us) noexcept nogil
