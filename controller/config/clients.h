/*
 * clients.h - the clients of a scenario: from range, list or inventory to
 * one list.
 *
 * Between the parts of config; others read scenario.client.
 */
#ifndef SLUICE_CLIENTS_H
#define SLUICE_CLIENTS_H

struct err;
struct scenario;

/* What is written under `clients` and `mailboxes`, before expansion. */
int clients_check(const struct scenario *scenario, struct err *err);

/* Fill scenario.client. The mailbox shares are spread by largest remainder:
 * after any number of clients each profile has its share to within one, and
 * the same file gives the same assignment. */
int clients_expand(struct scenario *scenario, struct err *err);
void clients_free(struct scenario *scenario);

#endif
