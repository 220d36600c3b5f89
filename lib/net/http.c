/*
 * http.c - requests over libcurl, see http.h.
 *
 * One easy handle in a multi handle of its own: the multi handle waits with
 * the client's cancel descriptor beside the socket. Bytes are counted from
 * the kernel's TCP_INFO, so that TLS is included. Runs on its owner's thread.
 */
#include "http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "wire.h"

#define HEADERS_MAX   (256u * 1024)
#define BODY_MAX      (16u * 1024 * 1024)
#define WORDS_MAX     (64u * 1024)
#define FOLLOW_MAX    5
#define CONNECT_US    (20 * US_PER_S)
#define STALL_US      (60 * US_PER_S)
#define POLL_MS	      1000
#define BUFFER_BYTES  ((size_t)256 * 1024)
#define DRIP_BYTES_S  16L   /* slower than any line */
#define RETRY_AFTER_S 86400 /* nobody means a longer Retry-After */

struct http {
	CURL *easy;
	CURLM *multi;
	struct wire *wire; /* or NULL */
	char *ca_file;
	char *unix_socket;
	int64_t connect_us, stall_us;
	size_t buffer_bytes;
	curl_socket_t fd; /* the connection in use, -1 */
	uint64_t counted_in, counted_out;
	/* of the request that runs */
	const struct http_request *request;
	struct http_response *response;
	uint64_t received;
	struct err stop; /* why a callback stopped the transfer */
	char words[CURL_ERROR_SIZE];
};

/* What the kernel has counted on the connection and we have not yet. */
static void count_wire(struct http *http)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);
	uint64_t in;
	uint64_t out;

	memset(&info, 0, sizeof(info));
	if (!http->wire || http->fd < 0 ||
		getsockopt(http->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return;
	in = info.tcpi_bytes_received;
	out = info.tcpi_bytes_acked;
	wire_count_socket(http->wire,
		in > http->counted_in ? in - http->counted_in : 0,
		out > http->counted_out ? out - http->counted_out : 0);
	http->counted_in = in;
	http->counted_out = out;
}

static curl_socket_t open_socket(
	void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = context;

	(void)purpose;
	count_wire(http);
	http->counted_in = http->counted_out = 0;
	http->fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
		address->protocol);
	return http->fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
	struct http *http = context;

	if (fd == http->fd) {
		count_wire(http);
		http->fd = -1;
	}
	return close(fd);
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	struct buf *headers = &http->response->headers;
	size_t bytes = size * count;

	/* A new status line: what came before was an interim answer. */
	if (bytes > 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_clear(headers);
	if (buf_append(headers, data, bytes) == 0)
		return bytes;
	err_set(&http->stop, ERR_LIMIT, "more than %u bytes of headers",
		HEADERS_MAX);
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	const struct http_request *request = http->request;
	uint64_t limit = request->max_bytes ? request->max_bytes : BODY_MAX;
	size_t bytes = size * count;
	long status = 0;

	http->received += bytes;
	if (http->wire) {
		wire_count_plain(http->wire, bytes, 0);
		if (wire_pay(http->wire, bytes, &http->stop) < 0)
			return 0;
	}
	if (http->received > limit) {
		err_set(&http->stop, ERR_LIMIT,
			"an answer of more than %llu bytes",
			(unsigned long long)limit);
		return 0;
	}
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (request->sink && status >= 200 && status < 300)
		return request->sink(
			       request->context, data, bytes, &http->stop) < 0
			? 0
			: bytes;
	/* Of an error not all words are needed. */
	if (buf_append(&http->response->body, data, bytes) == 0 ||
		request->sink)
		return bytes;
	err_set(&http->stop, ERR_LIMIT, "an answer of more than %zu bytes",
		http->response->body.limit);
	return 0;
}

struct http *http_new(const struct http_options *options, struct wire *wire)
{
	static const struct http_options none;
	struct http *http = xcalloc(1, sizeof(*http));

	if (!options)
		options = &none;
	http->easy = curl_easy_init();
	http->multi = curl_multi_init();
	if (!http->easy || !http->multi)
		abort(); /* libcurl fails here only without memory */
	http->wire = wire;
	http->fd = -1;
	http->ca_file = xstrdup(options->ca_file);
	http->unix_socket = xstrdup(options->unix_socket);
	http->connect_us = options->connect_us ? options->connect_us
					       : CONNECT_US;
	http->stall_us = options->stall_us ? options->stall_us : STALL_US;
	http->buffer_bytes = options->buffer_bytes ? options->buffer_bytes
						   : BUFFER_BYTES;
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L);
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http->ca_file);
	free(http->unix_socket);
	free(http);
}

void http_response_free(struct http_response *response)
{
	buf_free(&response->body);
	buf_free(&response->headers);
	free(response->redirect_url);
	free(response->final_url);
	response->redirect_url = response->final_url = NULL;
}

/* Brackets of an IPv6 address included, as libcurl hands it out. */
static bool is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 &&
		ntohl(address.s_addr) >> 24 == 127;
}

/* The scheme and authority of URL, for comparing: "https://host:443". */
static char *origin(const char *url, bool *loopback)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	char *port = NULL;
	char *text = NULL;

	if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ==
			CURLUE_OK &&
		curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_PORT, &port,
			CURLU_DEFAULT_PORT) == CURLUE_OK) {
		text = xasprintf("%s://%s:%s", scheme, host, port);
		*loopback = is_loopback(host);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return text;
}

static int check_url(const struct http *http,
	const struct http_request *request, struct err *err)
{
	bool secret = request->user || request->bearer;
	bool loopback = false;
	char *text = origin(request->url, &loopback);
	bool plain;

	if (!text)
		return err_set(
			err, ERR_CONFIG, "%s: not an HTTP URL", request->url);
	plain = strncasecmp(text, "https:", 6) != 0;
	free(text);
	if (plain && secret && !loopback && !http->unix_socket)
		return err_set(err, ERR_CONFIG,
			"%s: no password goes over plain text to another "
			"machine; use https",
			request->url);
	return 0;
}

static struct curl_slist *set_headers(
	CURL *easy, const struct http_request *request)
{
	struct curl_slist *list = NULL;
	const char *const *header;
	char *bearer;

	for (header = request->headers; header && *header; header++)
		list = curl_slist_append(list, *header);
	if (request->bearer) {
		bearer = xasprintf("Authorization: Bearer %s", request->bearer);
		list = curl_slist_append(list, bearer);
		explicit_bzero(bearer, strlen(bearer));
		free(bearer);
	}
	list = curl_slist_append(list, "Expect:");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	return list;
}

static void set_body(CURL *easy, const struct http_request *request)
{
	const char *method = request->method ? request->method : "GET";

	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (request->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)request->body_bytes);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_transport(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A resolver that does not come back is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->words);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(http->connect_us / US_PER_MS));
	/* Not by the last byte: a server that drips would hold us for ever. */
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, DRIP_BYTES_S);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
		(long)(http->stall_us / US_PER_S) + 1);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
		(long)(request->total_us / US_PER_MS));
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)http->buffer_bytes);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	/* One request at a time gains nothing by HTTP/2, and some DAV
	 * servers do it badly. */
	curl_easy_setopt(
		easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
	if (http->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (http->unix_socket)
		curl_easy_setopt(
			easy, CURLOPT_UNIX_SOCKET_PATH, http->unix_socket);
}

static struct curl_slist *prepare(
	struct http *http, const struct http_request *request, const char *url)
{
	CURL *easy = http->easy;

	curl_easy_reset(easy);
	set_transport(http, request);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	if (request->user) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
			(long)(request->digest ? CURLAUTH_DIGEST
					       : CURLAUTH_BASIC));
		curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
			request->password ? request->password : "");
	}
	set_body(easy, request);
	http->received = 0;
	http->stop = ERR_INIT;
	http->words[0] = '\0';
	return set_headers(easy, request);
}

static const struct {
	CURLcode code;
	enum err_kind kind;
	const char *hint;
} failures[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK,
		"check the name and the resolver"},
	{CURLE_COULDNT_CONNECT, ERR_NETWORK,
		"is the server running, and the port right?"},
	{CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT,
		"the server or the network hangs"},
	{CURLE_PEER_FAILED_VERIFICATION, ERR_TLS,
		"set ca_file, or use the name the certificate is for"},
	/* A server that ends in mid-handshake looks like a port without TLS;
	 * only the former gets better by waiting, so that is what we do. */
	{CURLE_SSL_CONNECT_ERROR, ERR_NETWORK,
		"is the server restarting, or does the port not speak TLS?"},
	{CURLE_SSL_CACERT_BADFILE, ERR_TLS,
		"ca_file must be a readable PEM file"},
	{CURLE_URL_MALFORMAT, ERR_CONFIG, "write it as https://host/path"},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_CONFIG, "use http or https"},
	{CURLE_WEIRD_SERVER_REPLY, ERR_PROTOCOL, "is this an HTTP port?"},
	{CURLE_BAD_CONTENT_ENCODING, ERR_PROTOCOL, NULL},
};

static int explain(const struct http *http, CURLcode code, struct err *err)
{
	const char *words = http->words[0] ? http->words
					   : curl_easy_strerror(code);
	enum err_kind kind = ERR_NETWORK;
	const char *hint = NULL;
	size_t i;

	if (http->stop.kind) {
		if (err)
			*err = http->stop;
		return -1;
	}
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == code) {
			kind = failures[i].kind;
			hint = failures[i].hint;
			break;
		}
	err_set(err, kind, "%s", words);
	return hint ? err_hint(err, "%s", hint) : -1;
}

/* Run the prepared transfer to its end. */
static int transfer(struct http *http, struct err *err)
{
	struct curl_waitfd cancel = {.fd = -1, .events = CURL_WAIT_POLLIN};
	const struct CURLMsg *message;
	CURLcode code = CURLE_OK;
	int running = 1;
	int left;

	if (http->wire)
		cancel.fd = wire_cancel_fd(http->wire);
	curl_multi_add_handle(http->multi, http->easy);
	while (curl_multi_perform(http->multi, &running) == CURLM_OK &&
		running) {
		count_wire(http);
		if (http->wire && wire_cancelled(http->wire)) {
			err_set(&http->stop, ERR_CANCELLED, "cancelled");
			code = CURLE_ABORTED_BY_CALLBACK;
			break;
		}
		curl_multi_poll(http->multi, &cancel, http->wire ? 1 : 0,
			POLL_MS, NULL);
	}
	while ((message = curl_multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	count_wire(http);
	curl_multi_remove_handle(http->multi, http->easy);
	return code == CURLE_OK ? 0 : explain(http, code, err);
}

/* In seconds, or as a date: by the server's own clock, as ours may be
 * wrong. */
static unsigned retry_after(const struct http_response *response)
{
	char *named = http_header(response, "Retry-After");
	char *date = http_header(response, "Date");
	long long seconds = 0;

	if (named && !named[strspn(named, "0123456789")])
		seconds = strtoll(named, NULL, 10);
	else if (named && date)
		seconds = curl_getdate(named, NULL) - curl_getdate(date, NULL);
	free(named);
	free(date);
	if (seconds < 0)
		return 0;
	return (unsigned)(seconds < RETRY_AFTER_S ? seconds : RETRY_AFTER_S);
}

/* Connecting and TLS not included. */
static int64_t waited_us(CURL *easy)
{
	curl_off_t asked = 0;
	curl_off_t answered = 0;

	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
	curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &answered);
	return answered > asked ? answered - asked : 0;
}

/* One request without following. */
static int perform_once(struct http *http, const struct http_request *request,
	const char *url, struct http_response *response, struct err *err)
{
	struct curl_slist *headers;
	const char *redirect = NULL;
	long status = 0;
	int result;

	http->request = request;
	http->response = response;
	buf_clear(&response->body);
	buf_clear(&response->headers);
	headers = prepare(http, request, url);
	result = transfer(http, err);
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &redirect);
	response->status = (int)status;
	response->waited_us = waited_us(http->easy);
	response->retry_after_s = retry_after(response);
	free(response->redirect_url);
	response->redirect_url = xstrdup(redirect);
	if (http->wire)
		wire_count_plain(http->wire, 0, request->body_bytes);
	/* The list and the secrets are ours again. */
	curl_easy_reset(http->easy);
	curl_slist_free_all(headers);
	return result;
}

static bool same_origin(const char *a, const char *b)
{
	bool loopback;
	char *first = origin(a, &loopback);
	char *second = origin(b, &loopback);
	bool same = first && second && strcasecmp(first, second) == 0;

	free(first);
	free(second);
	return same;
}

int http_perform(struct http *http, const struct http_request *request,
	struct http_response *response, struct err *err)
{
	const char *method = request->method ? request->method : "GET";
	unsigned hops = 0;
	char *url;

	memset(response, 0, sizeof(*response));
	response->headers = BUF_INIT(HEADERS_MAX);
	response->body = BUF_INIT(request->sink ? WORDS_MAX
			: request->max_bytes	? request->max_bytes
						: BODY_MAX);
	if (check_url(http, request, err) < 0)
		return -1;
	url = xstrdup(request->url);
	for (;;) {
		if (perform_once(http, request, url, response, err) < 0) {
			free(url);
			return err_context(err, "%s %s", method, request->url);
		}
		if (!request->follow || !response->redirect_url ||
			hops++ >= FOLLOW_MAX ||
			!same_origin(url, response->redirect_url))
			break;
		free(url);
		url = xstrdup(response->redirect_url);
	}
	response->final_url = url;
	return 0;
}

static const struct {
	int first, last;
	enum err_kind kind;
	const char *hint;
} judgements[] = {
	{401, 401, ERR_AUTH, "check user and password"},
	{403, 403, ERR_AUTH, "the account may not do this"},
	{408, 408, ERR_TIMEOUT, NULL},
	{429, 429, ERR_THROTTLED, NULL},
	{503, 503, ERR_THROTTLED, NULL},
	{507, 507, ERR_LIMIT, NULL},
	{500, 599, ERR_NETWORK, "see the server's log"},
};

int http_check(const struct http_request *request,
	const struct http_response *response, struct err *err)
{
	enum err_kind kind = ERR_REFUSED;
	const char *hint = NULL;
	int status = response->status;
	size_t i;

	if (status >= 200 && status < 300)
		return 0;
	for (i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++)
		if (status >= judgements[i].first &&
			status <= judgements[i].last) {
			kind = judgements[i].kind;
			hint = judgements[i].hint;
			break;
		}
	err_set(err, kind, "%s %s: HTTP status %d",
		request->method ? request->method : "GET", request->url,
		status);
	if (err)
		err->retry_after_s = response->retry_after_s;
	return hint ? err_hint(err, "%s", hint) : -1;
}

char *http_header(const struct http_response *response, const char *name)
{
	const char *line = buf_text(&response->headers);
	size_t name_length = strlen(name);
	const char *value;
	size_t length;

	for (; *line; line += length + strspn(line + length, "\r\n")) {
		length = strcspn(line, "\r\n");
		if (length <= name_length || line[name_length] != ':' ||
			strncasecmp(line, name, name_length) != 0)
			continue;
		value = line + name_length + 1;
		value += strspn(value, " \t");
		length -= (size_t)(value - line);
		while (length &&
			(value[length - 1] == ' ' || value[length - 1] == '\t'))
			length--;
		return xstrndup(value, length);
	}
	return NULL;
}
