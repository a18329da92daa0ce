"""Checkpoint: the pages of one root in a file, beside the running writer.

The process that runs it needs the arena read-only and the control area. The file's page n is the arena's page n; the
first two pages are metas, written in turn:

   offset size
   0      8    magic "ODSQLCKP"
   8      4    format (1)                     12  4  crc: CRC32C of the meta page with this field 0
   16     4    page size                      20  4  0
   24     8*6  epoch, visible_ts, catalog_version, journal_seq, directory_root, pages
   72     8    meta_no (its own place)        80..8191  0

K1  Only pages born after the last durable checkpoint are written. The durable root is pinned, so none of its pages is
    reused, so none is overwritten: until the new meta is on disk the old checkpoint is whole.
K2  Order: pages, flush, meta, flush, then the durable pin moves. The journal may be cut only after that.
K3  The two checkpoint pins alternate between slots 0 and 1 and belong to nobody. A checkpointer that dies between the
    meta and the move is finished by the next one, which finds the meta in the file; one that dies earlier is
    repeated, and what it wrote lies in pages the durable root does not use.
K4  A file whose newest meta is neither pin's epoch belongs to another arena: it is not touched.
"""
import os

cimport cython
from libc.errno cimport EINVAL
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcpy, memset

from dsql_core.base.atomic cimport dsql_load_acquire, dsql_store_release
from dsql_core.base.crc32c cimport dsql_crc32c, dsql_crc32c_portable
from dsql_core.base.sync cimport dsql_file_size, dsql_read_at, dsql_set_direct, dsql_sync_data, dsql_write_at
from dsql_core.storage.arena import StorageError
from dsql_core.storage.inspect cimport Inspection, inspect_root, page_checksum
from dsql_core.storage.layout cimport (
    KEY_SIZE_MASK, PAGE_HEADER_SIZE, PAGE_OVERFLOW, PAGE_ROOM, PAGE_SIZE, VALUE_OVERFLOW, Control,
    PageHeader, PageList, PageSlot, RootRecord, Store, page_at,
)
from dsql_core.storage.page cimport load_u32, page_child, page_slots
from dsql_core.storage.pins cimport pin_in_slot, ring_publish, unpin_slot
from dsql_core.storage.recover cimport writer_recover
from dsql_core.storage.reclaim cimport list_push

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void** p, size_t alignment, size_t size) noexcept

cdef enum:
    FORMAT = 1
    RUN_SIZE = 131072             # 128 KiB: long enough for the disk, short enough for the journal's next flush
    FILL_STEP = 8388608           # the file grows by 8 MiB

FORMAT_VERSION = FORMAT
META_NAMES = {META_EMPTY: "empty", META_VALID: "valid", META_DAMAGED: "damaged", META_FOREIGN: "not a checkpoint",
              META_VERSION: "other format version", META_PAGE_SIZE: "other page size"}


# -- metas -------------------------------------------------------------------------------------------------------------

cdef int _meta_judge(uint8_t* block, int64_t size, uint64_t meta_no, Meta* meta) noexcept nogil:
    cdef int64_t i
    memset(meta, 0, sizeof(meta[0]))
    if size < PAGE_SIZE:
        memset(block + size, 0, PAGE_SIZE - size)
    for i in range(PAGE_SIZE):
        if block[i] != 0:
            break
    else:
        return META_EMPTY
    memcpy(meta, block, sizeof(meta[0]))
    if meta.crc == page_checksum(block) and size == PAGE_SIZE:
        for i in range(8):
            if meta.magic[i] != (<const uint8_t*>b"ODSQLCKP")[i]:
                return META_FOREIGN
        if meta.format != FORMAT:
            return META_VERSION
        if meta.page_size != PAGE_SIZE:
            return META_PAGE_SIZE
        return META_VALID if meta.meta_no == meta_no else META_DAMAGED
    return META_DAMAGED


cdef int _meta_read(int fd, uint8_t* buffer, uint64_t meta_no, Meta* meta) except -1:
    cdef int64_t n = dsql_read_at(fd, buffer, PAGE_SIZE, meta_no * PAGE_SIZE)
    if n < 0:
        raise OSError(-n, os.strerror(-n))
    return _meta_judge(buffer, n, meta_no, meta)


cdef dict _meta_dict(const Meta* meta, int status):
    return {"status": META_NAMES[status], "format": meta.format, "page_size": meta.page_size, "epoch": meta.epoch,
            "visible_ts": meta.visible_ts, "catalog_version": meta.catalog_version, "journal_seq": meta.journal_seq,
            "directory_root": meta.directory_root, "pages": meta.pages}


def read_metas(int fd):
    """Both metas of a checkpoint file as dictionaries; "status" says what each is."""
    cdef uint8_t* buffer = NULL
    cdef Meta meta
    cdef int status
    found = []
    if posix_memalign(<void**>&buffer, 4096, PAGE_SIZE) != 0:
        raise MemoryError()
    try:
        for meta_no in range(2):
            status = _meta_read(fd, buffer, meta_no, &meta)
            found.append(_meta_dict(&meta, status))
    finally:
        free(buffer)
    return found


def checksum(bytes data not None, uint32_t start=0, bint portable=False):
    """CRC32C of bytes, continuing `start`; portable=True is the form without the instruction."""
    cdef const char* p = data
    if portable:
        return dsql_crc32c_portable(start, p, len(data))
    return dsql_crc32c(start, p, len(data))


# -- finding what is new -----------------------------------------------------------------------------------------------

cdef int _collect(Store* store, PageList* dirty, uint32_t page_no, uint64_t since, int directory) noexcept nogil:
    # Pages below page_no born after `since`. A page that is not new has nothing new below it.
    cdef const uint8_t* page = page_at(store, page_no)
    cdef const PageHeader* header = <const PageHeader*>page
    cdef const PageSlot* slot
    cdef const uint8_t* value
    cdef int i, status
    if page == NULL:
        return -2
    if header.born <= since:
        return 0
    if list_push(dirty, page_no) < 0:
        return -1
    for i in range(header.count):
        slot = &page_slots(page)[i]
        status = 0
        if header.level > 0:
            status = _collect(store, dirty, page_child(page, i), since, directory)
        elif directory:
            status = _collect(store, dirty, load_u32(page + slot.offset + 10), since, 0)
        elif slot.key_size & VALUE_OVERFLOW:
            value = page + slot.offset + 2 + (slot.key_size & KEY_SIZE_MASK)
            status = _collect_chain(store, dirty, load_u32(value + 4), load_u32(value), since)
        if status < 0:
            return status
    return 0


cdef int _collect_chain(Store* store, PageList* dirty, uint32_t page_no, uint64_t left,
                        uint64_t since) noexcept nogil:
    cdef const uint8_t* page
    while left > 0:
        page = page_at(store, page_no)
        if page == NULL or (<const PageHeader*>page).kind != PAGE_OVERFLOW:
            return -2
        if (<const PageHeader*>page).born <= since:
            return 0                                      # a chain is written in one batch
        if list_push(dirty, page_no) < 0:
            return -1
        page_no = (<const PageHeader*>page).next
        left = left - PAGE_ROOM if left > PAGE_ROOM else 0
    return 0


cdef int _by_value(const void* a, const void* b) noexcept nogil:
    cdef uint32_t x = (<const uint32_t*>a)[0]
    cdef uint32_t y = (<const uint32_t*>b)[0]
    return (x > y) - (x < y)


cdef void _page_out(uint8_t* to, const uint8_t* page) noexcept nogil:
    # The copy that goes to the file: checksum filled in, the unused middle zero.
    cdef PageHeader* header = <PageHeader*>to
    memcpy(to, page, PAGE_SIZE)
    if header.kind != PAGE_OVERFLOW:
        memset(to + PAGE_HEADER_SIZE + 8 * <size_t>header.count, 0,
               header.heap_low - PAGE_HEADER_SIZE - 8 * <size_t>header.count)
    header.crc = page_checksum(to)


@cython.final
cdef class Checkpoint:
    """Writes checkpoints of one arena into one open file; begin(), write() until it returns 0, finish().

    Args:
        arena: attached, reading is enough.
        fd: the file, open for reading and writing; borrowed.
        direct: whether the descriptor has O_DIRECT (dropped by itself when the file system refuses a write).
    """

    def __cinit__(self, Arena arena not None, int fd, direct=False):
        self.arena = arena
        self.fd = fd
        self.direct = direct
        self.snapshot.pin_slot = -1
        memset(&self.durable, 0, sizeof(self.durable))
        memset(&self.dirty, 0, sizeof(self.dirty))
        self.buffer = NULL
        if posix_memalign(<void**>&self.buffer, 4096, RUN_SIZE) != 0:
            raise MemoryError()

    def __dealloc__(self):
        free(self.buffer)
        free(self.dirty.items)

    cdef int _put(self, size_t size, uint64_t offset) except -1:
        cdef int status
        with nogil:
            status = dsql_write_at(self.fd, self.buffer, size, offset)
            if status == -EINVAL and self.direct:
                self.direct = False
                dsql_set_direct(self.fd, 0)
                status = dsql_write_at(self.fd, self.buffer, size, offset)
        if status < 0:
            raise OSError(-status, f"{os.strerror(-status)} at offset {offset}")
        return 0

    cdef int _flush(self) except -1:
        cdef int status
        with nogil:
            status = dsql_sync_data(self.fd)
        if status < 0:
            raise OSError(-status, f"flush failed: {os.strerror(-status)}")
        return 0

    def _settle(self):
        # K3, K4: bring the durable pin in line with the file.
        cdef Control* control = self.arena.store.control
        cdef Meta meta
        cdef int meta_no, status
        cdef uint64_t slot_no
        memset(&self.durable, 0, sizeof(self.durable))
        for meta_no in range(2):
            status = _meta_read(self.fd, self.buffer, meta_no, &meta)
            if status == META_VALID and meta.epoch > self.durable.epoch:
                self.durable = meta
            elif status in (META_FOREIGN, META_VERSION, META_PAGE_SIZE):
                raise StorageError(f"meta {meta_no} at offset {meta_no * PAGE_SIZE}: {META_NAMES[status]}")
        slot_no = dsql_load_acquire(&control.durable_slot)
        if self.durable.epoch == 0:
            # Nothing in the file counts: whatever the pins say, everything is written.
            dsql_store_release(&control.slots[slot_no].pin, 0)
        elif control.slots[slot_no].pin != self.durable.epoch:
            if control.slots[1 - slot_no].pin != self.durable.epoch:
                raise StorageError(f"the file's checkpoint has epoch {self.durable.epoch}, which is not this arena's")
            # Written again, not only flushed: a flush that failed before may have left it clean in the page cache only.
            _meta_read(self.fd, self.buffer, self.durable.meta_no, &meta)
            self._put(PAGE_SIZE, self.durable.meta_no * PAGE_SIZE)
            self._flush()
            dsql_store_release(&control.durable_slot, 1 - slot_no)
            dsql_store_release(&control.slots[slot_no].pin, 0)

    def begin(self):
        """Pins the newest root and finds what is new; the number of bytes to write, or None when nothing is."""
        cdef Store* store
        cdef uint64_t since
        cdef int status = 0
        self.arena._check_open()
        if self.running:
            raise StorageError("a checkpoint is under way")
        self._settle()
        store = self.arena.store
        self.target = 1 - <int>dsql_load_acquire(&store.control.durable_slot)
        pin_in_slot(store, self.target, &self.snapshot)
        since = self.durable.epoch
        if since != 0 and (self.snapshot.directory_root == self.durable.directory_root
                           and self.snapshot.journal_seq == self.durable.journal_seq
                           and self.snapshot.visible_ts == self.durable.visible_ts
                           and self.snapshot.catalog_version == self.durable.catalog_version):
            unpin_slot(store, self.target)
            return None
        self.dirty.count = 0
        self.at = 0
        with nogil:
            if self.snapshot.directory_root != 0:
                status = _collect(store, &self.dirty, self.snapshot.directory_root, since, 1)
            if status == 0 and self.dirty.count > 1:
                qsort(self.dirty.items, self.dirty.count, sizeof(uint32_t), _by_value)
        if status < 0:
            unpin_slot(store, self.target)
            if status == -1:
                raise MemoryError("no memory for the list of pages")
            raise StorageError("the tree is damaged")
        self.file_size = dsql_file_size(self.fd)
        self.zero_to = self._pages() * PAGE_SIZE
        self.zero_to = (self.zero_to + FILL_STEP - 1) // FILL_STEP * FILL_STEP
        self.file_size = self.file_size // PAGE_SIZE * PAGE_SIZE
        self.running = 1
        return self.dirty.count * PAGE_SIZE + (self.zero_to - self.file_size if self.zero_to > self.file_size else 0)

    cdef uint64_t _pages(self) noexcept:
        # The ring entry may be gone by now; the highest page of this root is what counts, or what was there before.
        cdef uint64_t pages = self.durable.pages if self.durable.pages > 2 else 2
        if self.dirty.count > 0 and self.dirty.items[self.dirty.count - 1] + 1 > pages:
            pages = self.dirty.items[self.dirty.count - 1] + <uint64_t>1
        return pages

    def write(self):
        """Writes one run of at most 128 KiB and returns its size; 0 when every page is written."""
        cdef uint64_t run = 0
        cdef uint64_t size, first
        cdef Store* store = self.arena.store
        self.arena._check_open()
        if not self.running:
            raise StorageError("no checkpoint is under way")
        if self.file_size < self.zero_to:
            # Zeroes first: later checkpoints then overwrite allocated blocks, and their flush moves no metadata.
            size = self.zero_to - self.file_size if self.zero_to - self.file_size < RUN_SIZE else RUN_SIZE
            memset(self.buffer, 0, size)
            self._put(size, self.file_size)
            self.file_size += size
            return size
        if self.at == self.dirty.count:
            return 0
        first = self.dirty.items[self.at]
        with nogil:
            while self.at + run < self.dirty.count and run < RUN_SIZE // PAGE_SIZE and (
                    self.dirty.items[self.at + run] == first + run):
                _page_out(self.buffer + run * PAGE_SIZE, store.arena + (first + run) * PAGE_SIZE)
                run += 1
        self._put(run * PAGE_SIZE, first * PAGE_SIZE)
        self.at += run
        return run * PAGE_SIZE

    def finish(self):
        """Makes the checkpoint durable and moves the durable pin; the new meta as a dictionary."""
        cdef Control* control
        cdef Meta meta
        self.arena._check_open()
        control = self.arena.store.control
        if not self.running or self.at < self.dirty.count or self.file_size < self.zero_to:
            raise StorageError("the checkpoint is not complete")
        self._flush()
        memset(&meta, 0, sizeof(meta))
        memcpy(meta.magic, <const char*>b"ODSQLCKP", 8)
        meta.format = FORMAT
        meta.page_size = PAGE_SIZE
        meta.epoch = self.snapshot.epoch
        meta.visible_ts = self.snapshot.visible_ts
        meta.catalog_version = self.snapshot.catalog_version
        meta.journal_seq = self.snapshot.journal_seq
        meta.directory_root = self.snapshot.directory_root
        meta.pages = self._pages()
        meta.meta_no = 1 - self.durable.meta_no if self.durable.epoch != 0 else 0
        memset(self.buffer, 0, PAGE_SIZE)
        memcpy(self.buffer, &meta, sizeof(meta))
        meta.crc = page_checksum(self.buffer)
        memcpy(self.buffer, &meta, sizeof(meta))
        self._put(PAGE_SIZE, meta.meta_no * PAGE_SIZE)
        self._flush()
        dsql_store_release(&control.durable_slot, self.target)
        dsql_store_release(&control.slots[1 - self.target].pin, 0)
        dsql_store_release(&control.checkpoint_count, control.checkpoint_count + 1)
        self.durable = meta
        self.running = 0
        return _meta_dict(&meta, META_VALID)

    def abandon(self):
        """Gives up a checkpoint under way; the file keeps its last durable one."""
        if self.running and self.arena.store != NULL:
            unpin_slot(self.arena.store, self.target)
        self.running = 0


# -- loading and verifying ---------------------------------------------------------------------------------------------

cdef dict _inspection_dict(const Inspection* found):
    return {"pages": found.page_count, "overflow_pages": found.overflow_count, "trees": found.tree_count,
            "entries": found.entry_count}


cdef _raise_inspection(int status, const Inspection* found):
    if status == -1:
        raise MemoryError("no memory to walk the pages")
    if status == -3:
        raise OSError(found.io_error, f"{os.strerror(found.io_error)} at offset {found.bad_page * PAGE_SIZE}")
    raise StorageError(f"page {found.bad_page} at offset {found.bad_page * PAGE_SIZE}: {found.what.decode()}")


def load(Arena arena not None, int fd, dict meta not None):
    """Fills a fresh arena (as create() left it) with the checkpoint `meta` of a file and makes its root the newest.

    Every page is verified on the way; StorageError names the first bad one.
    """
    cdef Inspection found
    cdef RootRecord record
    cdef Store* store
    cdef Control* control
    cdef int status
    cdef uint64_t bad_page
    arena._check_writer()
    store = arena.store
    control = store.control
    if control.pages_high > 2 or control.ring[control.cur & 7].directory_root != 0:
        raise StorageError("only an empty arena can be loaded")
    memset(&record, 0, sizeof(record))
    record.epoch = meta["epoch"]
    record.visible_ts = meta["visible_ts"]
    record.catalog_version = meta["catalog_version"]
    record.journal_seq = meta["journal_seq"]
    record.directory_root = meta["directory_root"]
    record.pages = meta["pages"]
    if record.pages > store.pages_max:
        raise StorageError(f"the checkpoint has {record.pages} pages, the arena room for {store.pages_max}")
    with nogil:
        status = inspect_root(store, fd, <uint32_t>record.directory_root, record.pages, record.epoch, &found)
    if status < 0:
        _raise_inspection(status, &found)
    # The durable root is pinned before anything can be built on top of it; then the writer takes over.
    dsql_store_release(&control.durable_slot, 0)
    dsql_store_release(&control.slots[0].root, record.directory_root)
    dsql_store_release(&control.slots[0].pin, record.epoch)
    ring_publish(control, &record)
    with nogil:
        status = writer_recover(store, &bad_page)
    if status < 0:
        raise StorageError("the loaded tree could not be taken over")
    return _inspection_dict(&found)


def inspect(Arena arena not None):
    """Checks every page of the newest root in memory; what was found, or StorageError for the first bad page."""
    cdef Inspection found
    cdef int status = 0
    arena._check_open()
    with arena.snapshot() as view:
        root = view.directory_root
        epoch = view.epoch
        status = _inspect_memory(arena.store, root, epoch, &found)
    if status < 0:
        _raise_inspection(status, &found)
    return _inspection_dict(&found)


cdef int _inspect_memory(Store* store, uint32_t root, uint64_t epoch, Inspection* found) noexcept:
    cdef int status
    with nogil:
        status = inspect_root(store, -1, root, store.pages_max, epoch, found)
    return status
