/*
 * brake_rules.h - the figures that brake. Private to brake*.c.
 *
 * One row a rule: what is measured, for how long it must be bad, and for how
 * long well before it is forgiven. Ceilings follow from the policy.
 */
#ifndef SLUICE_BRAKE_RULES_H
#define SLUICE_BRAKE_RULES_H

#include "brake.h"

enum brake_rule {
	RULE_CANARY,
	RULE_CANARY_ERRORS,
	RULE_MEMORY,
	RULE_SWAP,
	RULE_DISK_LATENCY,
	RULE_CPU,
	RULE_NIC,
	RULE_CONNECTIONS,
	RULE_DISK_FULL,
	RULE_EXPORTER_SILENT,
	RULE_CANARY_SILENT,
	RULE_UNREACHABLE,
	RULE_COUNT
};

struct brake_rule_row {
	const char *key, *what, *unit;
	double scale;	/* figure to unit */
	bool below;	/* bad when small */
	bool escalates; /* holding alone may not be enough */
	int hold_s, stop_s, calm_s;
};

extern const struct brake_rule_row brake_rules[RULE_COUNT];

/* One rule against one piece of evidence. */
struct brake_reading {
	double figure; /* NAN: the rule has nothing to say */
	double hold, release, escalate, stop; /* stop NAN: never */
};

/* UNREACHABLE_US: since when no answer came; 0: one came. */
struct brake_reading brake_read(const struct brake_policy *policy,
	const struct brake_evidence *evidence, enum brake_rule rule,
	int64_t unreachable_us);

#endif
