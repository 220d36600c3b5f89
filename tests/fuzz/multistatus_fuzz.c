/* multistatus_fuzz.c - any bytes as a DAV answer, in pieces of any size. */
#include <stdint.h>
#include <stdlib.h>

#include "dav_href.h"
#include "dav_xml.h"
#include "err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_response(
	void *context, const struct dav_response *response, struct err *err)
{
	(void)context;
	free(dav_href_normal(response->href));
	free(dav_href_name(response->href));
	free(dav_href_resolve("https://h.example/a/", response->href, err));
	return 0;
}

static int on_data(void *context, const struct dav_response *response,
	const char *text, size_t length, struct err *err)
{
	size_t *total = context;

	(void)response;
	(void)text;
	(void)err;
	*total += length;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t total = 0;
	struct dav_xml_handler handler = {on_response, on_data, &total};
	struct err err = ERR_INIT;
	struct dav_xml *xml;
	size_t piece;

	if (size == 0)
		return 0;
	xml = dav_xml_new(&handler);
	piece = data[0] ? data[0] : 4096;
	data++;
	size--;
	while (size > 0) {
		size_t now = piece < size ? piece : size;

		if (dav_xml_feed(xml, (const char *)data, now, &err) < 0)
			break;
		data += now;
		size -= now;
	}
	dav_xml_finish(xml, &err);
	dav_xml_free(xml);
	return 0;
}
