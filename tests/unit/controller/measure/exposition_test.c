/* exposition_test.c - exporters, honest and damaged, and the load in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "exporter.h"
#include "exposition.h"

static char seen[4096];

static void note(void *context, const struct exposition_sample *sample)
{
	size_t used = strlen(seen);

	(void)context;
	snprintf(seen + used, sizeof(seen) - used, "%s", sample->name);
	for (size_t i = 0; i < sample->labels; i++) {
		used = strlen(seen);
		snprintf(seen + used, sizeof(seen) - used, "[%s=%s]",
			sample->label[i].name, sample->label[i].value);
	}
	used = strlen(seen);
	snprintf(seen + used, sizeof(seen) - used, " %g;", sample->value);
}

/* In pieces of STEP bytes. */
static struct exposition parse(const char *text, size_t step)
{
	struct exposition parser;
	size_t length = strlen(text);

	seen[0] = '\0';
	exposition_init(&parser, note, NULL);
	for (size_t at = 0; at < length; at += step)
		exposition_feed(&parser, text + at,
			length - at < step ? length - at : step);
	exposition_end(&parser);
	return parser;
}

static void reads_the_format(void **state)
{
	static const char text[] =
		"# HELP a Text.\n# TYPE a counter\n"
		"a 1\n"
		"b{x=\"1\", y = \"q\\\"u\\\\o\\nte\" ,} 2.5e3 1700000000000\n"
		"c{} NaN\r\n"
		"  d +Inf\n"
		"\n"
		"e:f_9{le=\"+Inf\"} 7";

	(void)state;
	for (size_t step = 1; step < 20; step++) {
		struct exposition parser = parse(text, step);
		assert_int_equal(parser.damaged, 0);
		assert_int_equal(parser.samples, 5);
		assert_string_equal(seen,
			"a 1;b[x=1][y=q\"u\\o\nte] 2500;"
			"c nan;d inf;e:f_9[le=+Inf] 7;");
	}
}

static void damaged_lines_hide_nothing(void **state)
{
	static const char text[] = "a 1\n9b 2\nc{x=1} 3\nd{x=\"1} 4\ne\n"
				   "f 5 6 7\ng{x=\"1\"}\nh x\ni 8\n";
	static char lines[EXPOSITION_LINE * 3];

	(void)state;
	struct exposition parser = parse(text, 3);
	assert_string_equal(seen, "a 1;i 8;");
	assert_int_equal(parser.damaged, 7);
	memset(lines, 'x', EXPOSITION_LINE * 2);
	memcpy(lines + EXPOSITION_LINE * 2, " 1\nafter 2\n", 12);
	parser = parse(lines, 1000);
	assert_string_equal(seen, "after 2;");
	assert_int_equal(parser.damaged, 1);
}

static void fill(struct exporter_snapshot *s, int64_t at_us, const char *text)
{
	struct exposition parser;

	exporter_clear(s);
	exposition_init(&parser, exporter_sample, s);
	exposition_feed(&parser, text, strlen(text));
	exposition_end(&parser);
	s->at_us = at_us;
}

#define MACHINE(idle, busy, reads, read_s, disk_s, tx, avail)                  \
	"node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} " idle "\n"           \
	"node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} " busy "\n"           \
	"node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 5\n"                \
	"node_disk_reads_completed_total{device=\"sda\"} " reads "\n"          \
	"node_disk_read_time_seconds_total{device=\"sda\"} " read_s "\n"       \
	"node_disk_writes_completed_total{device=\"sda\"} 7\n"                 \
	"node_disk_write_time_seconds_total{device=\"sda\"} 1\n"               \
	"node_disk_io_time_seconds_total{device=\"sda\"} " disk_s "\n"         \
	"node_disk_io_time_seconds_total{device=\"loop0\"} 99999\n"            \
	"node_network_transmit_bytes_total{device=\"eth0\"} " tx "\n"          \
	"node_network_receive_bytes_total{device=\"eth0\"} 0\n"                \
	"node_network_speed_bytes{device=\"eth0\"} 125000000\n"                \
	"node_memory_MemTotal_bytes 1000\n"                                    \
	"node_memory_MemAvailable_bytes " avail "\n"                           \
	"node_filesystem_avail_bytes{fstype=\"ext4\",mountpoint=\"/\"} 3e9\n"  \
	"node_filesystem_size_bytes{fstype=\"ext4\",mountpoint=\"/\"} 1e10\n"  \
	"node_filesystem_avail_bytes{fstype=\"tmpfs\",mountpoint=\"/t\"} 0\n"  \
	"node_filesystem_size_bytes{fstype=\"tmpfs\",mountpoint=\"/t\"} 1e9\n"

static void rates_come_from_differences(void **state)
{
	struct exporter_snapshot a;
	struct exporter_snapshot b;
	struct exporter_choice choice = {NULL, NULL, 0};
	float load[LOAD_COUNT];

	(void)state;
	fill(&a, 10 * US_PER_S,
		MACHINE("100", "50", "1000", "10", "40", "0", "400"));
	fill(&b, 12 * US_PER_S,
		MACHINE("100.5", "51.5", "1200", "11", "41", "25e7", "250"));
	assert_int_equal(exporter_device(&a, &b, &choice), 0);
	assert_true(exporter_load(&a, &b, "sda", &choice, load));
	assert_true(fabsf(load[LOAD_CPU] - 0.75F) < 1e-6F);
	assert_true(fabsf(load[LOAD_DISK_READ_AWAIT] - 5) < 1e-4F);
	assert_true(isnan(load[LOAD_DISK_WRITE_AWAIT])); /* no writes */
	assert_true(fabsf(load[LOAD_DISK_UTIL] - 0.5F) < 1e-6F);
	assert_true(fabsf(load[LOAD_DISK_READ_IOPS] - 100) < 1e-4F);
	assert_true(fabsf(load[LOAD_NIC] - 1) < 1e-6F);
	assert_true(fabsf(load[LOAD_NET_TX_MB_S] - 125) < 1e-4F);
	assert_true(fabsf(load[LOAD_MEM_AVAILABLE] - 0.25F) < 1e-6F);
	assert_true(fabsf(load[LOAD_DISK_FREE] - 0.3F) < 1e-6F);
	assert_true(isnan(load[LOAD_PSI_IO]));
	choice.device = "sdb";
	assert_int_equal(exporter_device(&a, &b, &choice), -1);
	choice.link_mb_s = 250;
	exporter_load(&a, &b, "sda", &choice, load);
	assert_true(fabsf(load[LOAD_NIC] - 0.5F) < 1e-6F);
}

static void a_fallen_counter_is_a_restart(void **state)
{
	struct exporter_snapshot a;
	struct exporter_snapshot b;
	struct exporter_choice choice = {NULL, NULL, 0};
	float load[LOAD_COUNT];

	(void)state;
	fill(&a, 10 * US_PER_S,
		MACHINE("100", "50", "1000", "10", "40", "0", "400"));
	fill(&b, 11 * US_PER_S, MACHINE("1", "1", "10", "1", "1", "0", "400"));
	assert_false(exporter_load(&a, &b, "sda", &choice, load));
	assert_false(exporter_load(&a, &a, "sda", &choice, load));
}

static void other_names_are_not_recognised(void **state)
{
	struct exporter_snapshot s;

	(void)state;
	fill(&s, 0, "windows_cpu_time_total{mode=\"idle\"} 5\nup 1\n");
	assert_int_equal(s.recognised, 0);
}

/* A machine with more devices than fit: the first are kept. */
static void tables_are_bounded(void **state)
{
	struct exporter_snapshot s;
	struct exposition parser;
	char line[256];

	(void)state;
	exporter_clear(&s);
	exposition_init(&parser, exporter_sample, &s);
	for (int i = 0; i < 500; i++) {
		int length = snprintf(line, sizeof(line),
			"node_disk_io_time_seconds_total{device=\"d%d\"} 1\n",
			i);
		exposition_feed(&parser, line, (size_t)length);
	}
	memset(line, 'n', 200);
	memcpy(line + 200, "\n", 2);
	exposition_feed(&parser, line, strlen(line));
	exposition_end(&parser);
	assert_int_equal(s.disks, EXPORTER_DEVICES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_format),
		cmocka_unit_test(damaged_lines_hide_nothing),
		cmocka_unit_test(rates_come_from_differences),
		cmocka_unit_test(a_fallen_counter_is_a_restart),
		cmocka_unit_test(other_names_are_not_recognised),
		cmocka_unit_test(tables_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
