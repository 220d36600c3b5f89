/*
 * store_pack.c - see store_pack.h. The writing end is one file descriptor
 * with a buffer in front; the reading end another one that moves to the pack
 * asked for last. After the first pack_sync() that had much to wait for, the
 * kernel is told now and then to begin writing back, so that the next ones
 * find little left; what ends before is left to the kernel.
 */
#include "store_pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <libdeflate.h>

#include "alloc.h"
#include "err.h"

#define PACK_BYTES   (UINT64_C(1) << 30) /* a pack this long is followed */
#define BUFFER_BYTES (UINT64_C(256) << 10)
#define KICK_BYTES   (UINT64_C(64) << 20)

struct pack {
	char *directory;
	enum pack_access access;
	int fd; /* of pack NUMBER, or -1 */
	unsigned number;
	uint64_t written; /* in the file */
	uint64_t kicked;  /* write-back was asked for up to here */
	bool hurries;	  /* so much comes that it has to be asked for */
	uint64_t others;  /* bytes in the other packs */
	uint8_t *buffer;
	size_t buffered;
	struct blob blob; /* the one being appended */
	bool open;
	int read_fd;
	unsigned read_number;
};

static char *pack_name(const struct pack *pack, unsigned number)
{
	return xasprintf("%s/%06u.pack", pack->directory, number);
}

struct pack *pack_open(
	const char *directory, enum pack_access access, struct err *err)
{
	struct pack *pack;

	if (access == PACK_WRITE && mkdir(directory, 0700) < 0 &&
		errno != EEXIST) {
		err_set_errno(err, "%s", directory);
		return NULL;
	}
	pack = xcalloc(1, sizeof(*pack));
	pack->directory = xstrdup(directory);
	pack->access = access;
	pack->fd = -1;
	pack->read_fd = -1;
	if (access == PACK_WRITE)
		pack->buffer = xcalloc(1, BUFFER_BYTES);
	return pack;
}

void pack_close(struct pack *pack)
{
	if (!pack)
		return;
	if (pack->fd >= 0)
		close(pack->fd);
	if (pack->read_fd >= 0)
		close(pack->read_fd);
	free(pack->buffer);
	free(pack->directory);
	free(pack);
}

/* A new file's name has to reach the disk as well as its bytes. */
static int sync_directory(const struct pack *pack)
{
	int fd = open(pack->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return status;
}

/* What lies in the directory. */
static uint64_t all_bytes(const struct pack *pack)
{
	DIR *dir = opendir(pack->directory);
	struct dirent *entry;
	uint64_t total = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
	}
	closedir(dir);
	return total;
}

/* Only where there is something to cut: of a file that was ever cut to nothing,
 * be it empty before, ext4 has the first close write back all there is by then
 * (auto_da_alloc), and a commit of its journal wait for it. */
static int cut(int fd, uint64_t offset)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	return (uint64_t)st.st_size == offset ? 0
					      : ftruncate(fd, (off_t)offset);
}

/* Opens pack NUMBER for appending at OFFSET and cuts it there. */
static int open_end(
	struct pack *pack, unsigned number, uint64_t offset, struct err *err)
{
	char *name;
	int fd = -1;

	if (pack->access == PACK_DROP)
		goto opened;
	name = pack_name(pack, number);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || cut(fd, offset) < 0 ||
		(!offset && sync_directory(pack) < 0)) {
		err_set_errno(err, "%s", name);
		if (fd >= 0)
			close(fd);
		free(name);
		return -1;
	}
	free(name);
	if (pack->fd >= 0)
		close(pack->fd);
opened:
	pack->fd = fd;
	pack->number = number;
	pack->written = offset;
	pack->kicked = offset;
	pack->buffered = 0;
	pack->open = false;
	if (pack->access == PACK_WRITE)
		pack->others = all_bytes(pack) - offset;
	return 0;
}

/* Packs after NUMBER hold nothing that was committed. */
static void remove_after(const struct pack *pack, unsigned number)
{
	for (unsigned next = number + 1;; next++) {
		char *name = pack_name(pack, next);
		int gone = unlink(name);

		free(name);
		if (gone < 0)
			return;
	}
}

int pack_seek_end(struct pack *pack, uint64_t end, struct err *err)
{
	unsigned number = PACK_OF(end);
	uint64_t offset = PACK_OFFSET(end);
	char *name;
	struct stat st;
	int found;

	if (pack->access == PACK_DROP)
		return open_end(pack, number ? number : 1, offset, err);
	if (!number)
		return open_end(pack, 1, 0, err);
	name = pack_name(pack, number);
	found = stat(name, &st);
	free(name);
	remove_after(pack, number);
	if (pack->read_fd >= 0)
		close(pack->read_fd);
	pack->read_fd = -1;
	if (offset && (found < 0 || (uint64_t)st.st_size < offset))
		return open_end(pack, number + 1, 0, err);
	return open_end(pack, number, offset, err);
}

uint64_t pack_end(const struct pack *pack)
{
	return PACK_AT(pack->number, pack->written + pack->buffered);
}

/* Writes the buffer and then DATA; what was buffered counts as written as
 * far as it got there. */
static int write_out(
	struct pack *pack, const void *data, size_t length, struct err *err)
{
	const uint8_t *tail = data;
	size_t sent = 0; /* of buffer and tail */
	size_t total = pack->buffered + length;

	while (sent < total) {
		struct iovec part[2];
		int parts = 0;
		ssize_t n;

		if (sent < pack->buffered)
			part[parts++] = (struct iovec){
				pack->buffer + sent, pack->buffered - sent};
		if (length) {
			size_t from = sent > pack->buffered
				? sent - pack->buffered
				: 0;
			part[parts++] = (struct iovec){
				(void *)(tail + from), length - from};
		}
		n = pwritev(
			pack->fd, part, parts, (off_t)(pack->written + sent));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			bool full = errno == EFBIG;

			err_set_errno(err, "%s/%06u.pack", pack->directory,
				pack->number);
			if (full && err)
				err->kind = ERR_DISK_FULL;
			return err_hint(err, "what is stored is kept");
		}
		sent += (size_t)n;
	}
	pack->written += total;
	pack->buffered = 0;
	if (pack->hurries && pack->written - pack->kicked >= KICK_BYTES) {
		sync_file_range(pack->fd, (off_t)pack->kicked,
			(off_t)(pack->written - pack->kicked),
			SYNC_FILE_RANGE_WRITE);
		pack->kicked = pack->written;
	}
	return 0;
}

int pack_flush(struct pack *pack, struct err *err)
{
	return pack->buffered ? write_out(pack, NULL, 0, err) : 0;
}

int pack_sync(struct pack *pack, struct err *err)
{
	if (pack_flush(pack, err) < 0)
		return -1;
	if (pack->access != PACK_DROP && fdatasync(pack->fd) < 0)
		return err_set_errno(
			err, "%s/%06u.pack", pack->directory, pack->number);
	pack->hurries |= pack->written - pack->kicked >= KICK_BYTES;
	pack->kicked = pack->written;
	return 0;
}

int pack_roll(struct pack *pack, struct err *err)
{
	if (pack_sync(pack, err) < 0)
		return -1;
	return open_end(pack, pack->number + 1, 0, err);
}

uint64_t pack_bytes(const struct pack *pack, unsigned number)
{
	char *name = pack_name(pack, number);
	struct stat st;
	uint64_t bytes = stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;

	free(name);
	return bytes;
}

int pack_remove(struct pack *pack, unsigned number, struct err *err)
{
	uint64_t bytes = pack_bytes(pack, number);
	char *name = pack_name(pack, number);
	int status = unlink(name);

	if (status < 0)
		err_set_errno(err, "%s", name);
	else
		pack->others -= bytes;
	free(name);
	if (pack->read_fd >= 0 && pack->read_number == number) {
		close(pack->read_fd);
		pack->read_fd = -1;
	}
	return status;
}

int pack_begin(struct pack *pack, struct err *err)
{
	if (pack->open)
		return err_set(err, ERR_IO,
			"%s: a message is begun before the last one ended",
			pack->directory);
	if (pack->written + pack->buffered >= PACK_BYTES &&
		pack_roll(pack, err) < 0)
		return -1;
	pack->open = true;
	pack->blob.at = pack_end(pack);
	pack->blob.length = 0;
	pack->blob.crc = libdeflate_crc32(0, NULL, 0);
	return 0;
}

int pack_append(
	struct pack *pack, const void *data, size_t length, struct err *err)
{
	if (!length)
		return 0;
	if (pack->access == PACK_DROP) {
		pack->written += length;
	} else if (pack->buffered + length > BUFFER_BYTES) {
		if (write_out(pack, data, length, err) < 0)
			return -1;
	} else {
		memcpy(pack->buffer + pack->buffered, data, length);
		pack->buffered += length;
	}
	pack->blob.length += length;
	pack->blob.crc = libdeflate_crc32(pack->blob.crc, data, length);
	return 0;
}

void pack_finish(struct pack *pack, struct blob *blob)
{
	pack->open = false;
	*blob = pack->blob;
}

void pack_abort(struct pack *pack)
{
	uint64_t start = PACK_OFFSET(pack->blob.at);

	if (!pack->open)
		return;
	pack->open = false;
	if (start >= pack->written) {
		pack->buffered = (size_t)(start - pack->written);
		return;
	}
	pack->buffered = 0;
	pack->written = start;
	if (pack->kicked > start)
		pack->kicked = start;
}

static int open_read(struct pack *pack, unsigned number, struct err *err)
{
	char *name;

	if (pack->read_fd >= 0 && pack->read_number == number)
		return 0;
	if (pack->read_fd >= 0)
		close(pack->read_fd);
	name = pack_name(pack, number);
	pack->read_fd = open(name, O_RDONLY | O_CLOEXEC);
	pack->read_number = number;
	if (pack->read_fd < 0)
		err_set_errno(err, "%s", name);
	free(name);
	return pack->read_fd < 0 ? -1 : 0;
}

ssize_t pack_read(struct pack *pack, const struct blob *blob, uint64_t offset,
	void *data, size_t size, struct err *err)
{
	unsigned number = PACK_OF(blob->at);
	ssize_t n;

	if (offset >= blob->length || pack->access == PACK_DROP)
		return 0;
	if (size > blob->length - offset)
		size = (size_t)(blob->length - offset);
	if (pack->access == PACK_WRITE && number == pack->number &&
		pack_flush(pack, err) < 0)
		return -1;
	if (open_read(pack, number, err) < 0)
		return -1;
	do
		n = pread(pack->read_fd, data, size,
			(off_t)(PACK_OFFSET(blob->at) + offset));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(
			err, "%s/%06u.pack", pack->directory, number);
	return n;
}

int pack_verify(struct pack *pack, const struct blob *blob, struct err *err)
{
	uint8_t data[16384];
	uint32_t crc = libdeflate_crc32(0, NULL, 0);
	uint64_t offset = 0;

	while (offset < blob->length) {
		ssize_t n = pack_read(
			pack, blob, offset, data, sizeof(data), err);

		if (n < 0 && errno != ENOENT && errno != EIO)
			return -1;
		if (n <= 0)
			return 0;
		crc = libdeflate_crc32(crc, data, (size_t)n);
		offset += (uint64_t)n;
	}
	return crc == blob->crc;
}

uint64_t pack_total_bytes(const struct pack *pack)
{
	return pack->access == PACK_WRITE
		? pack->others + pack->written + pack->buffered
		: all_bytes(pack);
}
