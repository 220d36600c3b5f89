/*
 * link_controller.h - a controller for one agent, as its link sees one.
 * Each test includes it once.
 */
#ifndef SLUICE_LINK_CONTROLLER_H
#define SLUICE_LINK_CONTROLLER_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fake_http.h"
#include "message.h"

#define REPORTS_MAX 4096

/* Everything under the mutex: the server's thread asks and writes. */
struct controller {
	struct fake_http *http;
	pthread_mutex_t mutex;
	struct answer answer; /* to every report; ack comes by itself */
	int enrol_status;     /* 0: 200 */
	int report_status;    /* the same */
	unsigned fail_next;   /* so many reports are taken and answered 500 */
	int64_t ack_off;      /* what is acknowledged is off by so much */
	unsigned enrolled;
	unsigned refused; /* reports not taken */
	uint64_t seqs[REPORTS_MAX];
	uint64_t last_command;
	struct progress progress;
	size_t count;
	unsigned phases[PHASE_COUNT]; /* how often each was reported */
};

static inline int take_enrolment(
	void *context, const struct fake_request *request, struct buf *body)
{
	struct controller *controller = context;
	char agent[16], secret[16];
	struct enrolled enrolled = {PROTOCOL_VERSION, agent, secret};
	struct enroll enroll;
	char *text;
	int status;

	pthread_mutex_lock(&controller->mutex);
	status = controller->enrol_status;
	if (!status &&
		enroll_decode(&enroll, buf_text(&request->body), NULL) == 0) {
		if (strcmp(enroll.token, "sesame") != 0)
			status = 401;
		enroll_free(&enroll);
	}
	if (!status) {
		controller->enrolled++;
		snprintf(agent, sizeof agent, "a%u", controller->enrolled);
		snprintf(secret, sizeof secret, "s%u", controller->enrolled);
		text = enrolled_encode(&enrolled);
		buf_append_text(body, text);
		free(text);
	}
	pthread_mutex_unlock(&controller->mutex);
	return status ? status : 200;
}

static inline void count_report(
	struct controller *controller, const struct report *report)
{
	if (controller->count < REPORTS_MAX)
		controller->seqs[controller->count++] = report->seq;
	controller->phases[report->phase]++;
	controller->last_command = report->command;
	controller->progress = report->progress;
}

static inline int take_report(
	void *context, const struct fake_request *request, struct buf *body)
{
	struct controller *controller = context;
	struct report report = {0};
	char *text, *bearer;
	int status;

	if (report_decode(&report, buf_text(&request->body), NULL))
		return 400;
	pthread_mutex_lock(&controller->mutex);
	bearer = xasprintf("Bearer a%u.s%u\r\n", controller->enrolled,
		controller->enrolled);
	status = controller->report_status;
	if (!strstr(buf_text(&request->headers), bearer))
		status = 401;
	if (status)
		controller->refused++;
	else
		count_report(controller, &report);
	if (!status && controller->fail_next) {
		controller->fail_next--;
		status = 500;
	}
	if (!status) {
		controller->answer.ack = (uint64_t)((int64_t)report.seq +
			controller->ack_off);
		text = answer_encode(&controller->answer);
		buf_append_text(body, text);
		free(text);
	}
	pthread_mutex_unlock(&controller->mutex);
	free(bearer);
	report_free(&report);
	return status ? status : 200;
}

#endif
