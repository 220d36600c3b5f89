/* imap_pipe.c - see imap_pipe.h. */
#include "imap_pipe.h"

#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define ETPAN_BUFFER 8192

void imap_pipe_remember(struct imap_pipe *pipe, const char *data, size_t bytes)
{
	if (bytes > IMAP_TAIL_BYTES) {
		data += bytes - IMAP_TAIL_BYTES;
		bytes = IMAP_TAIL_BYTES;
	}
	if (pipe->tail_length + bytes > IMAP_TAIL_BYTES) {
		size_t keep = IMAP_TAIL_BYTES - bytes;

		memmove(pipe->tail, pipe->tail + pipe->tail_length - keep,
			keep);
		pipe->tail_length = keep;
	}
	memcpy(pipe->tail + pipe->tail_length, data, bytes);
	pipe->tail_length += bytes;
	pipe->tail[pipe->tail_length] = '\0';
}

/* No more than a line, so that the answers to a rider stay ours. */
static ssize_t pipe_read(mailstream_low *low, void *data, size_t bytes)
{
	struct imap_pipe *pipe = low->data;
	const char *held;
	const char *end;
	size_t have = stream_peek(pipe->stream, &held);

	if (!have) {
		if (stream_fill(pipe->stream, 0, &pipe->err) < 0)
			return -1;
		have = stream_peek(pipe->stream, &held);
	}
	end = memchr(held, '\n', have);
	if (end)
		have = (size_t)(end - held) + 1;
	if (bytes > have)
		bytes = have;
	memcpy(data, held, bytes);
	stream_consume(pipe->stream, bytes);
	imap_pipe_remember(pipe, data, bytes);
	return (ssize_t)bytes;
}

static ssize_t pipe_write(mailstream_low *low, const void *data, size_t bytes)
{
	struct imap_pipe *pipe = low->data;
	size_t rider = strlen(pipe->rider);
	int status = stream_write(pipe->stream, data, bytes, &pipe->err);

	if (status == 0 && rider)
		status = stream_write(
			pipe->stream, pipe->rider, rider, &pipe->err);
	pipe->rider[0] = '\0';
	if (status < 0 || stream_flush(pipe->stream, &pipe->err) < 0)
		return -1;
	return (ssize_t)bytes;
}

/* The stream is not libetpan's to close. */
static int pipe_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int pipe_fd(mailstream_low *low)
{
	(void)low;
	return -1;
}

static void pipe_free(mailstream_low *low)
{
	free(low->identifier);
	free(low);
}

static void pipe_cancel(mailstream_low *low)
{
	(void)low;
}

static mailstream_low_driver pipe_driver = {
	.mailstream_read = pipe_read,
	.mailstream_write = pipe_write,
	.mailstream_close = pipe_close,
	.mailstream_get_fd = pipe_fd,
	.mailstream_free = pipe_free,
	.mailstream_cancel = pipe_cancel,
};

mailstream *imap_pipe_open(struct imap_pipe *pipe, struct stream *stream)
{
	mailstream_low *low;
	mailstream *etpan;

	*pipe = (struct imap_pipe){.stream = stream};
	low = mailstream_low_new(pipe, &pipe_driver);
	etpan = low ? mailstream_new(low, ETPAN_BUFFER) : NULL;
	if (!etpan)
		abort(); /* libetpan fails here only without memory */
	return etpan;
}

void imap_pipe_forget(struct imap_pipe *pipe)
{
	pipe->tail_length = 0;
	pipe->tail[0] = '\0';
}

void imap_pipe_last_words(
	const struct imap_pipe *pipe, char *text, size_t bytes)
{
	const char *end = pipe->tail + pipe->tail_length;
	const char *bye = strstr(pipe->tail, "* BYE");
	const char *start;

	while (end > pipe->tail && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	start = end;
	while (start > pipe->tail && start[-1] != '\n')
		start--;
	if (bye) {
		start = bye;
		end = bye + strcspn(bye, "\r\n");
	}
	while (start < end && *start != ' ')
		start++;
	start += start < end;
	if ((size_t)(end - start) >= bytes)
		end = start + bytes - 1;
	memcpy(text, start, (size_t)(end - start));
	text[end - start] = '\0';
}
