/*
 * fill.h - the verb `sluice fill`: make the mailboxes that a scenario
 * describes, on any server that speaks IMAP and DAV.
 */
#ifndef SLUICE_FILL_H
#define SLUICE_FILL_H

/* argv[0] is "sluice fill". Returns the exit status of the program. */
int fill_main(int argc, char **argv);

#endif
