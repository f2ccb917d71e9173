/* SPDX-License-Identifier: Apache-2.0 */
/* The mail about a data set that could not be delivered; see request_mail.h. */
#include "delivery/request_mail.h"

#include <stdio.h>

static const struct mail_place places[] = {
	{ .name = "dataSet",
	    .about = "type of the data set, as it was asked for",
	    .sample = "test_customer_support_contacts_data" },
	{ .name = "requestId",
	    .about = "id of the request, as the API has it",
	    .sample = "3f2b8c1e-6a55-4f0d-9d3a-0c6b1f7e2a90",
	    .required = true },
	{ .name = "receivedAt",
	    .about = "when it was asked for, UTC",
	    .sample = "2026-03-02T08:15:00.000Z" },
	{ .name = "reason",
	    .about = "why it failed and what to do",
	    .sample = "The bucket of the delivery role is not there.",
	    .required = true },
};

const struct mail_kind request_failed_mail = {
	.name = "delivery.failed",
	.about =
	    "To the seller's addresses for notices, when a data set that it asked for, or that is "
	    "published to it, could not be delivered.",
	.operators = true,
	.places = places,
	.n_places = sizeof(places) / sizeof(places[0]),
	.deflt = { .subject = STR("Data set not delivered: {{dataSet}}"),
	    .text = STR(
		"The data set {{dataSet}}, asked for at {{receivedAt}}, could not be delivered.\n"
		"\n"
		"{{reason}}\n"
		"\n"
		"Request: {{requestId}}\n"
		"Once it is mended, the request can be tried again within a day; later, ask "
		"anew.\n"),
	    .html = STR("") },
};

enum souk_err
request_mail_failed(struct db_tx *tx, struct vault *v, const struct data_set_request *r,
    struct str reason, struct fail *f)
{
	char id[GUID_TEXT_LEN + 1], at[INSTANT_TEXT_LEN + 1], event[80];
	const struct mail_value values[] = { { "dataSet", r->data_set_type },
		{ "requestId", { id, GUID_TEXT_LEN } }, { "receivedAt", { at, INSTANT_TEXT_LEN } },
		{ "reason", reason } };

	guid_format(&r->id, id);
	instant_format(r->received_at, at);
	(void)snprintf(event, sizeof(event), "request/%s/failed/%lld", id, (long long)db_now(tx));
	return mail_post_notice(tx, v,
	    &(struct mail_new){ .seller_id = str_c(r->seller_id),
		.event = str_c(event),
		.kind = &request_failed_mail,
		.values = values,
		.n_values = sizeof(values) / sizeof(values[0]) },
	    NULL, f);
}
