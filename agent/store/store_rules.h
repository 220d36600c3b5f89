/*
 * store_rules.h - the rules of `policy set`, in a file of their own beside
 * the database, so that they can be changed while a synchronisation holds
 * the store for hours. Errors name the file. Any thread.
 */
#ifndef SLUICE_STORE_RULES_H
#define SLUICE_STORE_RULES_H

struct err;

/* Nobody else changes them until close() of the descriptor; makes DIRECTORY
 * when there is none. -1 with ERR. */
int store_rules_lock(const char *directory, struct err *err);

/* The text for free(), "" when there are none; NULL with ERR. */
char *store_rules_read(const char *directory, struct err *err);

/* All of TEXT or, after a crash, what was there before. Under the lock. */
int store_rules_write(const char *directory, const char *text, struct err *err);

#endif
