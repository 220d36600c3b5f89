/*
 * imap_session.c - the session's beginning, by libetpan, see the header. Runs
 * on the thread of the source.
 */
#include "imap_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "imap_pipe.h"
#include "imap_text.h"
#include "quirks.h"
#include "stream.h"

#define COMMAND_US	(60 * US_PER_S)
#define SIMPLE_LINE_MAX 8192
#define LOGIN_MAX	1024 /* longer does not go out in one piece */
#define ID_WORD_BYTES	256
#define GREETING_US	(20 * US_PER_S)
#define ABOUT_MAX	8192 /* what a server says of itself */

struct talk {
	mailimap *imap;
	mailstream *etpan; /* libetpan's buffers over our stream */
	struct imap_pipe pipe;
	struct imap_session *session;
	int64_t command_us;
	bool known;	  /* PREAUTH: no login is needed */
	int64_t begun_us; /* the command that is being answered */
	struct extra {
		bool asked, awaited, granted;
	} id, enable;
};

/* Turn libetpan's code for the command WHAT into an error. */
static int explain(struct talk *talk, int code, const char *what,
	enum err_kind refused, struct err *err)
{
	const char *name = stream_name(talk->pipe.stream);
	enum err_kind kind;
	char words[512];
	const char *text;

	imap_pipe_last_words(&talk->pipe, words, sizeof(words));
	text = words + strcspn(words, " ");
	text += *text == ' ';
	kind = imap_error_kind(text, refused);
	if (strncasecmp(words, "BYE", 3) == 0)
		return err_set(err, imap_error_kind(text, ERR_NETWORK),
			"%s: %s: the server ends the session: %s", name, what,
			text);
	if (talk->pipe.err.kind) {
		if (err)
			*err = talk->pipe.err;
		return -1;
	}
	if (code == MAILIMAP_ERROR_PARSE || code == MAILIMAP_ERROR_PROTOCOL)
		return err_set(err, ERR_PROTOCOL,
			"%s: the answer to %s is no IMAP: \"%.100s\"; is this "
			"an IMAP port?",
			name, what, words);
	return err_set(err, kind, "%s: %s: %s", name, what, words);
}

static bool failed(int code)
{
	return code != MAILIMAP_NO_ERROR &&
		code != MAILIMAP_NO_ERROR_AUTHENTICATED &&
		code != MAILIMAP_NO_ERROR_NON_AUTHENTICATED;
}

static void begin(struct talk *talk)
{
	talk->session->round_trips++;
	imap_pipe_forget(&talk->pipe);
	talk->begun_us = clock_monotonic_us();
	stream_set_deadline(
		talk->pipe.stream, talk->begun_us + talk->command_us);
}

static void ended(struct talk *talk)
{
	struct imap_session *session = talk->session;
	int64_t us = clock_monotonic_us() - talk->begun_us;

	if (!session->round_trip_us || us < session->round_trip_us)
		session->round_trip_us = us;
	stream_set_deadline(talk->pipe.stream, 0);
}

/* Give back what libetpan has read ahead. */
static int give_back(struct talk *talk, struct err *err)
{
	mailstream *etpan = talk->etpan;
	size_t bytes = etpan->read_buffer_len;

	etpan->read_buffer_len = 0;
	return bytes ? stream_unread(talk->pipe.stream, etpan->read_buffer,
			       bytes, err)
		     : 0;
}

static bool offers(const struct talk *talk, const char *name)
{
	return mailimap_has_extension(talk->imap, (char *)(uintptr_t)name);
}

static int capability(struct talk *talk, struct err *err)
{
	struct mailimap_capability_data *data = NULL;
	int code;

	begin(talk);
	code = mailimap_capability(talk->imap, &data);
	ended(talk);
	if (failed(code))
		return explain(talk, code, "CAPABILITY", ERR_REFUSED, err);
	mailimap_capability_data_free(data);
	return 0;
}

/* The greeting or the login brought the capabilities along. */
static bool told_capabilities(const struct talk *talk)
{
	return strstr(talk->pipe.tail, "[CAPABILITY ") &&
		(offers(talk, "IMAP4rev1") || offers(talk, "IMAP4rev2"));
}

static int starttls(struct talk *talk, struct err *err)
{
	int code;

	begin(talk);
	code = mailimap_starttls(talk->imap);
	ended(talk);
	if (failed(code))
		return explain(talk, code, "STARTTLS", ERR_TLS, err);
	if (give_back(talk, err) < 0 ||
		stream_starttls(talk->pipe.stream, err) < 0)
		return -1;
	return capability(talk, err);
}

/* Look at the greeting before libetpan does: it leaks what it refuses. */
static int check_greeting(struct talk *talk, struct buf *about, struct err *err)
{
	const char *name = stream_name(talk->pipe.stream);
	const char *line;
	size_t length;

	if (stream_line(talk->pipe.stream, &line, &length, SIMPLE_LINE_MAX,
		    err) < 0)
		return err && err->kind == ERR_TIMEOUT
			? err_hint(err, "is this a port for TLS?")
			: -1;
	(void)buf_append(about, line, length);
	if (strncasecmp(line, "* BYE", 5) == 0)
		return err_set(err,
			imap_error_kind(buf_text(about) + 5 + (line[5] == ' '),
				ERR_THROTTLED),
			"%s: turns us away: %.*s", name,
			(int)strcspn(buf_text(about), "\r\n"), buf_text(about));
	if (strncasecmp(line, "* OK", 4) == 0 ||
		strncasecmp(line, "* PREAUTH", 9) == 0)
		return 0;
	return err_set(err, ERR_PROTOCOL,
		"%s: no IMAP greeting but \"%.*s\"; check host and port", name,
		(int)strcspn(buf_text(about), "\r\n"), buf_text(about));
}

static int greeting(struct talk *talk, struct buf *about, struct err *err)
{
	int code;

	imap_pipe_forget(&talk->pipe);
	stream_set_deadline(talk->pipe.stream,
		clock_monotonic_us() +
			(talk->command_us < GREETING_US ? talk->command_us
							: GREETING_US));
	if (check_greeting(talk, about, err) < 0)
		return -1;
	code = mailimap_connect(talk->imap, talk->etpan);
	stream_set_deadline(talk->pipe.stream, 0);
	talk->known = code == MAILIMAP_NO_ERROR_AUTHENTICATED;
	return failed(code) ? explain(talk, code, "greeting", ERR_PROTOCOL, err)
			    : 0;
}

/* The next quoted string or NIL at *AT goes to WORD, cut to its size. */
static bool next_word(const char **at, const char *end, char *word, size_t size)
{
	size_t length = 0;

	while (*at < end && **at == ' ')
		++*at;
	if (end - *at >= 3 && strncasecmp(*at, "NIL", 3) == 0) {
		*at += 3;
		word[0] = '\0';
		return true;
	}
	if (*at == end || *(*at)++ != '"')
		return false;
	for (; *at < end && **at != '"'; ++*at) {
		if (**at == '\\' && *at + 1 < end)
			++*at;
		if (length + 1 < size)
			word[length++] = **at;
	}
	word[length] = '\0';
	return *at < end && *(*at)++ == '"';
}

/* "name version" out of ("name" "x" "version" "1" ...) to session->server. */
static void take_id(struct imap_session *session, const char *at, size_t length)
{
	const char *end = at + length;
	char name[ID_WORD_BYTES] = "";
	char version[ID_WORD_BYTES] = "";
	char key[ID_WORD_BYTES];
	char value[ID_WORD_BYTES];

	while (next_word(&at, end, key, sizeof(key)) &&
		next_word(&at, end, value, sizeof(value))) {
		if (strcasecmp(key, "name") == 0)
			memcpy(name, value, sizeof(name));
		if (strcasecmp(key, "version") == 0)
			memcpy(version, value, sizeof(version));
	}
	if (!name[0])
		return;
	free(session->server);
	session->server = xasprintf(
		"%s%s%s", name, version[0] ? " " : "", version);
}

/* Send TEXT, and a line end. */
static int write_line(struct talk *talk, const char *text)
{
	struct imap_pipe *pipe = &talk->pipe;

	return stream_write(pipe->stream, text, strlen(text), &pipe->err) < 0 ||
			stream_write(pipe->stream, "\r\n", 2, &pipe->err) < 0
		? -1
		: 0;
}

/* The answer to one of our own commands: 1 for OK, 0, or -1 as explain() says.
 * REPLY is sent when the server asks to go on. */
static int tagged(struct talk *talk, const char *reply)
{
	struct stream *stream = talk->pipe.stream;
	struct err *err = &talk->pipe.err;
	const char *line;
	size_t length;
	bool go_on;
	int result = -1;

	if (give_back(talk, err) < 0)
		return -1;
	stream_set_deadline(stream, clock_monotonic_us() + talk->command_us);
	while (result < 0) {
		if (stream_line(stream, &line, &length, SIMPLE_LINE_MAX, err) <
			0)
			return -1;
		imap_pipe_remember(&talk->pipe, line, length);
		if (length > 4 && strncasecmp(line, "S OK", 4) == 0)
			result = 1;
		else if (strncmp(line, "S ", 2) == 0)
			result = 0;
		else if (length > 6 && strncasecmp(line, "* ID (", 6) == 0)
			take_id(talk->session, line + 6, length - 6);
		go_on = line[0] == '+' && reply;
		stream_consume(stream, length);
		if (go_on && write_line(talk, reply) < 0)
			return -1;
		reply = go_on ? NULL : reply;
	}
	ended(talk);
	return result;
}

/*
 * ID, and ENABLE where it makes sense: commands of our own, without libetpan,
 * whose free-form command ends in a blank that some servers refuse. What has
 * not been asked yet is made the rider of the next command.
 */
static void ask_extras(struct talk *talk, bool enable)
{
	bool id = offers(talk, "ID") && !talk->id.asked;

	enable = enable && !talk->enable.asked &&
		!talk->session->quirks->no_qresync;
	snprintf(talk->pipe.rider, IMAP_RIDER_BYTES, "%s%s",
		id ? "S ID (\"name\" \"sluice-agent\" \"version\" "
		     "\"" SLUICE_VERSION "\")\r\n"
		   : "",
		enable ? "S ENABLE QRESYNC\r\n" : "");
	talk->id.asked |= id;
	talk->id.awaited = id;
	talk->enable.asked |= enable;
	talk->enable.awaited = enable;
}

static int take_extra(struct talk *talk, struct extra *extra)
{
	int result;

	if (!extra->awaited)
		return 0;
	extra->awaited = false;
	result = tagged(talk, NULL);
	extra->granted = result > 0;
	return result < 0 ? -1 : 0;
}

static int take_extras(struct talk *talk, struct err *err)
{
	return take_extra(talk, &talk->id) < 0 ||
			take_extra(talk, &talk->enable) < 0
		? explain(talk, MAILIMAP_ERROR_STREAM, "ID, ENABLE",
			  ERR_REFUSED, err)
		: 0;
}

/* The extras that could not go along with the login. */
static int extras(struct talk *talk, struct err *err)
{
	char *rider = talk->pipe.rider;

	ask_extras(talk, offers(talk, "QRESYNC"));
	if (rider[0]) {
		begin(talk);
		if (give_back(talk, err) < 0 ||
			stream_write(talk->pipe.stream, rider, strlen(rider),
				err) < 0)
			return -1;
		rider[0] = '\0';
	}
	if (take_extras(talk, err) < 0)
		return -1;
	if (talk->enable.granted && offers(talk, "QRESYNC"))
		talk->session->caps |= CAP_QRESYNC;
	return 0;
}

/*
 * AUTHENTICATE PLAIN, without libetpan, which leaves it to SASL's plugins:
 * they may not be installed. Returns a code like libetpan's calls.
 */
static int authenticate(struct talk *talk, const struct imap_login *login)
{
	char *secret = imap_plain(login->user, login->password);
	bool at_once = offers(talk, "SASL-IR");
	char *command = xasprintf("S AUTHENTICATE PLAIN%s%s",
		at_once ? " " : "", at_once ? secret : "");
	int result = write_line(talk, command);

	if (result == 0)
		result = tagged(talk, at_once ? NULL : secret);
	explicit_bzero(command, strlen(command));
	explicit_bzero(secret, strlen(secret));
	free(command);
	free(secret);
	if (result < 0)
		return MAILIMAP_ERROR_STREAM;
	return result ? MAILIMAP_NO_ERROR : MAILIMAP_ERROR_LOGIN;
}

static int login(
	struct talk *talk, const struct imap_login *login, struct err *err)
{
	bool disabled = offers(talk, "LOGINDISABLED");
	bool plain = mailimap_has_authentication(talk->imap, "PLAIN");
	bool quotable = imap_quotable(login->user) &&
		imap_quotable(login->password);
	bool by_plain = plain && (disabled || !quotable);
	bool rides = quotable && !login->bare &&
		strlen(login->user) + strlen(login->password) < LOGIN_MAX;
	int code;

	if (disabled && !plain)
		return err_set(err, ERR_AUTH, "%s: takes no password%s",
			stream_name(talk->pipe.stream),
			login->security == SECURITY_NONE
				? " without TLS; set security to starttls or tls"
				: ", neither by LOGIN nor by AUTHENTICATE PLAIN");
	begin(talk);
	if (rides && !by_plain)
		ask_extras(talk, offers(talk, "ENABLE"));
	code = by_plain
		? authenticate(talk, login)
		: mailimap_login(talk->imap, login->user, login->password);
	ended(talk);
	if (failed(code)) {
		explain(talk, code, "login", ERR_AUTH, err);
		if (err && err->kind == ERR_AUTH)
			err_hint(err, "check user and password of %s",
				login->user);
		return -1;
	}
	if (!by_plain && told_capabilities(talk))
		return take_extras(talk, err);
	return take_extras(talk, err) < 0 ? -1 : capability(talk, err);
}

static void note_caps(struct talk *talk)
{
	static const struct {
		const char *name;
		unsigned cap;
	} wanted[] = {
		{"LIST-STATUS", CAP_LIST_STATUS},
		{"LIST-EXTENDED", CAP_LIST_EXTENDED},
		{"SPECIAL-USE", CAP_SPECIAL_USE},
		{"STATUS=SIZE", CAP_STATUS_SIZE},
		{"CONDSTORE", CAP_CONDSTORE},
		{"QRESYNC", CAP_CONDSTORE},
		{"NAMESPACE", CAP_NAMESPACE},
		{"COMPRESS=DEFLATE", CAP_COMPRESS},
	};
	struct imap_session *session = talk->session;
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (offers(talk, wanted[i].name))
			session->caps |= wanted[i].cap;
	if (session->quirks->no_compress)
		session->caps &= ~(unsigned)CAP_COMPRESS;
}

static bool offered(const char *name, const void *context)
{
	return offers(context, name);
}

static const struct quirks *find_quirks(
	const struct talk *talk, struct buf *about)
{
	return quirks_find(buf_text(about), offered, talk);
}

static int converse(struct talk *talk, const struct imap_login *credentials,
	struct err *err)
{
	struct imap_session *session = talk->session;
	struct buf about = BUF_INIT(ABOUT_MAX);
	int status = -1;

	if (greeting(talk, &about, err) < 0)
		goto done;
	session->server = xstrndup(
		buf_text(&about), strcspn(buf_text(&about), "\r\n"));
	session->quirks = find_quirks(talk, &about);
	if ((!told_capabilities(talk) && capability(talk, err) < 0) ||
		(credentials->security == SECURITY_STARTTLS &&
			starttls(talk, err) < 0) ||
		(!talk->known && login(talk, credentials, err) < 0))
		goto done;
	if (!credentials->bare && extras(talk, err) < 0)
		goto done;
	if (talk->id.granted)
		(void)buf_append_text(&about, session->server);
	session->quirks = find_quirks(talk, &about);
	if (session->quirks->no_qresync)
		session->caps &= ~(unsigned)CAP_QRESYNC;
	note_caps(talk);
	status = 0;
done:
	buf_free(&about);
	return status;
}

int imap_session_start(struct imap_session *session, struct stream *stream,
	const struct imap_login *credentials, struct err *err)
{
	struct talk talk = {
		.session = session,
		.command_us = credentials->command_us ? credentials->command_us
						      : COMMAND_US,
	};
	int status;

	*session = (struct imap_session){.quirks = quirks_find("", NULL, NULL)};
	talk.imap = mailimap_new(0, NULL);
	if (!talk.imap)
		abort(); /* libetpan fails here only without memory */
	talk.etpan = imap_pipe_open(&talk.pipe, stream);
	status = converse(&talk, credentials, err);
	if (status == 0)
		status = give_back(&talk, err);
	/* Without its stream libetpan has nobody to say LOGOUT to. */
	talk.imap->imap_stream = NULL;
	mailimap_free(talk.imap);
	mailstream_close(talk.etpan);
	return status;
}

void imap_session_free(struct imap_session *session)
{
	free(session->server);
	*session = (struct imap_session){0};
}
