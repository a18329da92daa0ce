# The control page: words that roles, loops and the supervisor share. One writer each, 64 bytes apart where they are hot.
#
#   0    u64 clock word          every process that issues timestamps, by CAS
#   64   u64 status              journal, storage: 0 = commits are welcome, else the REPLY_* status they are refused with
#   128  u64 trim_seq            checkpointer: journal frames up to it are in a finished checkpoint
#   192  u64 durable_seq         journal: last flushed frame
#   200  u64 durable_ts          journal: its last timestamp
#   256  u64 boot                commit worker: generation of the journal it opened. A change means that requests sent
#                                before and not answered will never be answered (outcome unknown)
#   320  u64 replayed            storage: 1 + last journal frame recovered; 0 = not recovered yet (cleared by the
#                                supervisor before it starts the roles)
cdef enum:
    CONTROL_PAGE_SIZE = 4096
    CONTROL_CLOCK = 0
    CONTROL_STATUS = 64
    CONTROL_TRIM_SEQ = 128
    CONTROL_DURABLE_SEQ = 192
    CONTROL_DURABLE_TS = 200
    CONTROL_BOOT = 256
    CONTROL_REPLAYED = 320
