/*
 * link_wire.h - the two requests of the control link over HTTPS.
 *
 * Blocking; one thread, but for link_wire_cancel().
 */
#ifndef SLUICE_LINK_WIRE_H
#define SLUICE_LINK_WIRE_H

struct answer;
struct enrolled;
struct err;
struct link_setup;
struct link_wire;

struct link_wire *link_wire_new(const char *ca_file);
void link_wire_free(struct link_wire *wire);

/* Any thread: ends a request under way and every later one. */
void link_wire_cancel(struct link_wire *wire);

/* ENROLLED is for enrolled_free(). A wrong token is ERR_AUTH. */
int link_enrol(struct link_wire *wire, const struct link_setup *setup,
	struct enrolled *enrolled, struct err *err);

/* Sends one report. ERR_AUTH: the controller does not know us. */
int link_send(struct link_wire *wire, const char *url, const char *bearer,
	const char *report, struct answer *answer, struct err *err);

/* The machine's boot, for free(): a new one means a new monotonic clock. */
char *link_boot_id(void);

#endif
