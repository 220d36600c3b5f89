/*
 * store_pack.h - the append-only files that hold header blocks and bodies.
 *
 * A blob is contiguous in one pack. Its place is one number: pack and offset
 * together, growing with time, so that "beyond what is on the disk" is a
 * comparison. New bytes wait in a small buffer, pack_flush() hands them to
 * the kernel, pack_sync() to the disk. One thread.
 */
#ifndef SLUICE_STORE_PACK_H
#define SLUICE_STORE_PACK_H

#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct pack;

#define PACK_OFFSET_BITS 40
#define PACK_AT(pack, offset)                                                  \
	((uint64_t)(pack) << PACK_OFFSET_BITS | (uint64_t)(offset))
#define PACK_OF(at)	(unsigned)((at) >> PACK_OFFSET_BITS)
#define PACK_OFFSET(at) ((at) & ((UINT64_C(1) << PACK_OFFSET_BITS) - 1))

/* Where a blob lies and what it must hash to (CRC-32 of zlib.h). */
struct blob {
	uint64_t at;
	uint64_t length;
	uint32_t crc;
};

enum pack_access {
	PACK_READ,
	PACK_WRITE,
	PACK_DROP, /* places, lengths and checksums as ever, but no bytes */
};

/* DIRECTORY is the one with the packs; created for PACK_WRITE. NULL on
 * failure. */
struct pack *pack_open(
	const char *directory, enum pack_access access, struct err *err);
void pack_close(struct pack *pack);

/* The next blob goes to END; whatever lies beyond is cut off. When the
 * file is shorter than END a new pack is begun. */
int pack_seek_end(struct pack *pack, uint64_t end, struct err *err);
uint64_t pack_end(const struct pack *pack);

/* One blob at a time. pack_abort() forgets the one begun. */
int pack_begin(struct pack *pack, struct err *err);
int pack_append(
	struct pack *pack, const void *data, size_t length, struct err *err);
void pack_finish(struct pack *pack, struct blob *blob);
void pack_abort(struct pack *pack);

/* Goes on in a new pack. */
int pack_roll(struct pack *pack, struct err *err);

/* Size of pack NUMBER as far as it is in the file, 0 when there is none. */
uint64_t pack_bytes(const struct pack *pack, unsigned number);

/* Deletes a pack that nothing points into. */
int pack_remove(struct pack *pack, unsigned number, struct err *err);

int pack_flush(struct pack *pack, struct err *err);
int pack_sync(struct pack *pack, struct err *err);

/* Bytes got at OFFSET of the blob, 0 at its end or when the file ends
 * early, -1. */
ssize_t pack_read(struct pack *pack, const struct blob *blob, uint64_t offset,
	void *data, size_t size, struct err *err);

/* 1 good, 0 damaged or cut short, -1. */
int pack_verify(struct pack *pack, const struct blob *blob, struct err *err);

/* Sum of the sizes of all packs; for a reader what their directory says. */
uint64_t pack_total_bytes(const struct pack *pack);

#endif
