/*
 * fake_imap.h - an IMAP server on loopback that misbehaves on demand.
 *
 * One mailbox tree, any number of connections one after the other, commands
 * answered in order and pipelined ones too. A test fills in the struct,
 * starts it, and reads afterwards what was asked. Its thread ends with
 * fake_imap_stop().
 */
#ifndef FAKE_IMAP_H
#define FAKE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_fault {
	FAKE_GOOD,
	FAKE_GARBLED,	    /* an answer that is no IMAP, UID first */
	FAKE_GARBLED_NAME,  /* the same, and nobody knows which UID */
	FAKE_BAD_STRUCTURE, /* BODYSTRUCTURE with a bare quote */
	FAKE_CLOSES,	    /* asking for a part of it ends the connection */
	FAKE_REFUSED,	    /* NO for every command that names it */
	FAKE_HUGE,	    /* announced with 5 GB, or its bytes; then closed */
	FAKE_TWICE,	    /* sent two times */
	FAKE_BODY_FIRST,    /* attributes in the other order */
	FAKE_LITERAL8,
	FAKE_QUOTED, /* the body is a quoted string */
	FAKE_NIL,    /* the body is NIL */
	FAKE_EXPUNGED,
};

struct fake_message {
	uint32_t uid;
	const char *text; /* header, empty line, body; may hold NULs */
	size_t bytes;	  /* 0: strlen(text); FAKE_HUGE: what is announced */
	enum fake_fault fault;
};

struct fake_folder {
	const char *list; /* "(\\Noselect) \"/\" \"Name\"" as after LIST */
	const char *name; /* as EXAMINE will name it */
	uint32_t uid_validity;
	const struct fake_message *messages; /* ended by uid 0; or NULL */
};

struct fake_imap {
	/* Before the start. */
	const char *greeting;	  /* NULL: a friendly one */
	const char *capabilities; /* NULL: IMAP4rev1 LITERAL+ LIST-STATUS */
	const struct fake_folder *folders; /* ended by list NULL */
	const char *login_answer;	   /* NULL: "OK hello" */
	const char *examine_answer;	   /* NULL: OK; else instead of it */
	const char *fetch_answer; /* tagged, after the items; NULL: OK */
	const char *vanished;	  /* told when changes are asked for */
	const char *id;		  /* "(\"name\" \"x\")"; NULL: says nothing */
	const char *namespaces;	  /* as after NAMESPACE; NULL: the same */
	const char *bye;	  /* instead of an answer to UID FETCH … */
	unsigned bye_at;    /* … number so many, then closed; 0: to none */
	size_t cut_after;   /* bytes sent on a connection, then closed */
	size_t stall_after; /* the same, then silence */
	unsigned cut_connections; /* how many of them; 0: all */
	int64_t drip_us;	  /* between bytes, from stall_after on */
	/* Its thread, before each command; may change folders. */
	void (*before)(struct fake_imap *fake, const char *command);
	/* The same; what to say to a command, or to a line without a tag, in
	 * place of the usual: "@" stands for the tag, "" and BYE hang up;
	 * NULL: the usual. */
	const char *(*instead)(struct fake_imap *fake, const char *command);
	void *context;			  /* of both */
	bool inject;			  /* sends a line behind STARTTLS' OK */
	const char *cert_file, *key_file; /* for TLS; with inject unused */
	bool tls;			  /* from the first byte */
	bool ticket; /* one session ticket, after the handshake */
	/* Afterwards. */
	uint16_t port;
	unsigned connections;
	unsigned commands;
	unsigned fetches; /* UID FETCH commands */
	char log[65536];  /* the commands, a line each */
	/* Its own. */
	void *private;
};

/* Listens on a free port of loopback. */
void fake_imap_start(struct fake_imap *fake);
void fake_imap_stop(struct fake_imap *fake);

/* Until every connection that was made is served to its end, the last words
 * read: what was counted may be looked at and does not change. */
void fake_imap_settle(struct fake_imap *fake);

/* A self-signed certificate for NAME (and 127.0.0.1 with ADDRESS), valid
 * from now+FROM_S to now+TO_S; paths of two PEM files in DIR for free(). */
void fake_certificate(const char *dir, const char *name, bool address,
	int64_t from_s, int64_t to_s, char **cert_file, char **key_file);

#endif
