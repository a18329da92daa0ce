# Fingerprints of statements: the shape of a text (case folded, comments gone, literals lifted) and the lifted values.
#
# Key bytes of a shape: the folded text in which a lifted literal is one byte, its LITERAL_* kind, and a control
# character outside quotes is escaped by KEY_ESCAPE, so that no text can forge a literal.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dsql_core.base.memory cimport Buffer

cdef enum:
    LITERAL_I4 = 1          # integer that fits int4
    LITERAL_I8 = 2          # integer that fits int8 only
    LITERAL_NUMERIC = 3     # decimal, exponent or larger integer
    LITERAL_STRING = 4      # plain '...'
    KEY_ESCAPE = 5

    STATEMENT_EMPTY = 0
    STATEMENT_QUERY = 1     # SELECT INSERT UPDATE DELETE WITH VALUES ( : literals are lifted
    STATEMENT_BEGIN = 2     # BEGIN, START
    STATEMENT_COMMIT = 3    # COMMIT, END
    STATEMENT_ROLLBACK = 4  # ROLLBACK, ABORT
    STATEMENT_OTHER = 5     # utility: kept as written

    PARAMS_MAX = 65535

cdef struct Literal:
    uint32_t at             # where its token starts in the source
    uint32_t size           # bytes of the token, quotes included
    uint8_t kind
    uint8_t doubled         # a string that contains '' pairs
    int64_t value           # of LITERAL_I4 and LITERAL_I8

cdef struct Shape:          # result of one call and scratch memory of the next; owned by the caller
    Buffer key
    uint64_t hash           # of key; never 0
    Literal* literals
    uint32_t literal_count
    uint32_t literal_capacity
    uint32_t start          # statement in the source: [start, end), without surrounding trivia and semicolon
    uint32_t end
    uint32_t next           # where the next statement begins; == size of the source when none follows
    uint32_t param_max      # highest $n written
    uint8_t kind            # STATEMENT_*
    uint8_t failed          # out of memory

cdef void shape_init(Shape* shape) noexcept nogil
cdef void shape_free(Shape* shape) noexcept nogil
# The statement that starts at or after `offset`. lift = 0 keeps every literal in the key. 0, -1 out of memory.
cdef int normalise(const uint8_t* text, size_t size, size_t offset, int lift, Shape* shape) noexcept nogil
# The statement with its lifted literals written as parameters after the explicit ones, as the planner reads it.
cdef void shape_lifted_text(const Shape* shape, const uint8_t* text, Buffer* out) noexcept nogil
# The value text of a lifted literal (quotes removed, '' pairs joined).
cdef void literal_text(const Literal* literal, const uint8_t* text, Buffer* out) noexcept nogil
# Characters (not bytes) of text[0:size): error positions count characters.
cdef size_t character_count(const uint8_t* text, size_t size) noexcept nogil
