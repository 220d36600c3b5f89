/*
 * verb_model.h - the verbs that need the model but no controller.
 *
 * Each takes its own command line (argv[0] is "sluice VERB") and returns the exit
 * status: 0 done, 1 failed, 2 usage.
 */
#ifndef SLUICE_VERB_MODEL_H
#define SLUICE_VERB_MODEL_H

/* `recommend --from-csv FILE`; true when argv asks for it. */
int recommend_wants_csv(int argc, char **argv);
int recommend_csv_main(int argc, char **argv);

/* `simulate`: what-if tables, and `--study`. */
int simulate_main(int argc, char **argv);

/* `replay DIR`: every stored recommendation computed again. */
int replay_main(int argc, char **argv);

#endif
