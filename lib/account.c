/*
 * account.c - rules for logging in: where plain text is allowed and where a
 * password comes from.
 *
 * Between the readers of profiles and scenarios and the protocol clients.
 * Any thread.
 */
#include "account.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "conf.h"
#include "err.h"

#define PASSWORD_BYTES_MAX 4096

static const char *const securities[] = {"tls", "starttls", "none", NULL};

static const struct conf_field endpoint_fields[] = {
	{CONF_AT(struct endpoint, host), "host", CONF_STRING,
		"name or address of the server", .required = true},
	{CONF_AT(struct endpoint, port), "port", CONF_INT,
		"143 is usual for `starttls`", .fallback = "993", .min = 1,
		.max = 65535},
	{CONF_AT(struct endpoint, security), "security", CONF_ENUM,
		"`none` is for loopback only", .fallback = "tls",
		.words = securities},
	CONF_END,
};

const struct conf_table endpoint_table = {
	.name = "imap",
	.text = "Where the IMAP server listens and how the connection is "
		"protected.",
	.size = sizeof(struct endpoint),
	.fields = endpoint_fields,
};

/* Its one field is the account's own; the size belongs to the account. */
static const struct conf_field dav_fields[] = {
	{CONF_AT(struct account, dav_url), "url", CONF_STRING,
		"where CalDAV and CardDAV discovery starts", .required = true},
	CONF_END,
};

static const struct conf_table dav_table = {
	.name = "dav",
	.text = "CalDAV and CardDAV. Without this table the server is "
		"discovered from the user's domain (RFC 6764).",
	.size = 0,
	.fields = dav_fields,
};

static const struct conf_field account_fields[] = {
	{CONF_AT(struct account, user), "user", CONF_STRING,
		"the mailbox user, as in the login", .required = true},
	{CONF_AT(struct account, password_file), "password_file", CONF_PATH,
		"its first line is the password; readable by nobody else"},
	{CONF_AT(struct account, password_command), "password_command",
		CONF_STRING, "its first line of output is the password"},
	{CONF_AT(struct account, imap), "imap", CONF_TABLE,
		"the IMAP server; without it no mail is copied",
		.table = &endpoint_table},
	{.offset = 0,
		.size = sizeof(struct account),
		"dav",
		CONF_TABLE,
		"the CalDAV and CardDAV server",
		.table = &dav_table},
	{CONF_AT(struct account, ca_file), "ca_file", CONF_PATH,
		"PEM file of trusted authorities instead of the system's"},
	CONF_END,
};

static int check_table(void *account, struct err *err)
{
	return account_check(account, err);
}

const struct conf_table account_table = {
	.name = "account",
	.text = "One user's data: who it is and where it lives.",
	.size = sizeof(struct account),
	.fields = account_fields,
	.check = check_table,
};

void account_free(struct account *account)
{
	free(account->user);
	free(account->password_file);
	free(account->password_command);
	free(account->imap.host);
	free(account->dav_url);
	free(account->ca_file);
	*account = (struct account){0};
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return false;
}

/* The host of an http URL, for free(); brackets of IPv6 are taken off. */
static char *url_host(const char *url)
{
	const char *host = strstr(url, "://");
	const char *slash, *at;
	size_t length;

	host = host ? host + 3 : url;
	length = strcspn(host, "/?#");
	slash = host + length;
	for (at = host; at < slash; at++)
		if (*at == '@')
			host = at + 1;
	if (*host == '[') {
		host++;
		length = strcspn(host, "]");
	} else {
		length = strcspn(host, ":/?#");
	}
	return xstrndup(host, length);
}

static int check_dav_url(const char *url, struct err *err)
{
	char *host;
	bool local;

	if (strncasecmp(url, "https://", 8) == 0)
		return 0;
	if (strncasecmp(url, "http://", 7) != 0)
		return err_set(err, ERR_CONFIG,
			"dav: url: expected https://HOST/, found '%.80s'", url);
	host = url_host(url);
	local = is_loopback(host);
	free(host);
	return local ? 0
		     : err_set(err, ERR_CONFIG,
			       "dav: url: %.80s would send the password in "
			       "plain text; use https",
			       url);
}

int account_check(const struct account *account, struct err *err)
{
	if (!account->user || !account->user[0])
		return err_set(err, ERR_CONFIG,
			"user: missing; name the mailbox user");
	if (!account->password_file == !account->password_command)
		return err_set(err, ERR_CONFIG,
			"%s: name exactly one of password_file and "
			"password_command",
			account->user);
	if (!account->imap.host && !account->dav_url)
		return err_set(err, ERR_CONFIG,
			"%s: neither imap nor dav is given; name a server",
			account->user);
	if (account->imap.host && account->imap.security == SECURITY_NONE &&
		!is_loopback(account->imap.host))
		return err_set(err, ERR_CONFIG,
			"imap: security: none would send the password to %s in "
			"plain text; use tls or starttls",
			account->imap.host);
	return account->dav_url ? check_dav_url(account->dav_url, err) : 0;
}

/* Cut at the end of the first line; refuses an empty one. */
static char *first_line(char *text, const char *from, struct err *err)
{
	size_t length = strcspn(text, "\r\n");
	char *password = NULL;

	if (length == 0)
		err_set(err, ERR_CONFIG,
			"%s: its first line is empty; it must be the password",
			from);
	else
		password = xstrndup(text, length);
	explicit_bzero(text, PASSWORD_BYTES_MAX);
	return password;
}

/* Read to the end or to the cap; the rest of a longer text is left. */
static int read_text(int fd, char *text)
{
	size_t length = 0;

	while (length < PASSWORD_BYTES_MAX - 1) {
		ssize_t n = read(
			fd, text + length, PASSWORD_BYTES_MAX - 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	text[length] = '\0';
	return 0;
}

static char *password_from_file(const char *path, struct err *err)
{
	char text[PASSWORD_BYTES_MAX];
	char *password = NULL;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		err_set_errno(err, "password_file %s", path);
		err_hint(err,
			"expected a file whose first line is the "
			"password; make it, or correct password_file");
		if (err && (errno == ENOENT || errno == EACCES))
			err->kind = ERR_CONFIG;
		return NULL;
	}
	if (fstat(fd, &status) < 0)
		err_set_errno(err, "password_file %s", path);
	else if (!S_ISREG(status.st_mode))
		err_set(err, ERR_CONFIG,
			"password_file %s: not a regular file; name one", path);
	else if (status.st_mode & (S_IRWXG | S_IRWXO))
		err_set(err, ERR_CONFIG,
			"password_file %s: others may read it; run: chmod 600 "
			"%s",
			path, path);
	else if (read_text(fd, text) < 0)
		err_set_errno(err, "password_file %s", path);
	else
		password = first_line(text, path, err);
	close(fd);
	return password;
}

static char *password_from_command(const char *command, struct err *err)
{
	char text[PASSWORD_BYTES_MAX];
	FILE *pipe = popen(command, "re");
	int status, result;

	if (!pipe) {
		err_set_errno(err, "password_command %s", command);
		return NULL;
	}
	result = read_text(fileno(pipe), text);
	status = pclose(pipe);
	if (result < 0 || status != 0) {
		explicit_bzero(text, sizeof(text));
		err_set(err, ERR_CONFIG,
			"password_command %s: failed with status %d; run it by "
			"hand",
			command, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
		return NULL;
	}
	return first_line(text, command, err);
}

char *account_password(const struct account *account, struct err *err)
{
	if (account->password_file)
		return password_from_file(account->password_file, err);
	if (account->password_command)
		return password_from_command(account->password_command, err);
	err_set(err, ERR_CONFIG, "%s: no password_file and no password_command",
		account->user ? account->user : "account");
	return NULL;
}
