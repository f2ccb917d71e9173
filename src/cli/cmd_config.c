/* SPDX-License-Identifier: Apache-2.0 */
/* souk config show: every setting, its value and where it comes from; secrets masked. Text that souk.ini takes. */
#include "cli/cli.h"

#include "base/json.h"

#include <unistd.h>

static const char *
shown(const struct config *c, enum setting_id id)
{
	const char *value = config_text(c, id);

	return setting_rows[id].secret && value[0] != '\0' ? "********" : value;
}

static void
show_json(const struct config *c)
{
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	for (enum setting_id id = 0; id < SET__COUNT; id++) {
		jw_open(&w, setting_rows[id].name, '{');
		jw_c(&w, "value", shown(c, id));
		jw_c(&w, "source", config_source(c, id));
		jw_close(&w, '}');
	}
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

int
cmd_config_show(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, cli_only_common, NULL,
		"Prints every setting, its value and where it comes from. Settings stand in "
		"DATA/souk.ini "
		"(name = value) or in the environment (SOUK_LISTEN for listen).\v"
		"Example: souk config show --data /var/lib/souk",
		NULL, NULL, NULL };
	struct cli_common o = { 0 };
	struct config *c = NULL;
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o, &o);
	if (access(o.data, F_OK) != 0) {
		(void)fprintf(stderr,
		    "souk: --data: %s is not there; correct it, or make one with `souk init`\n",
		    o.data);
		return CLI_REFUSED;
	}
	r = installation_config(o.data, &c, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	if (o.json)
		show_json(c);
	for (enum setting_id id = 0; id < SET__COUNT && !o.json; id++)
		(void)printf("# %s (%s)\n%s%s = %s\n\n", setting_rows[id].help,
		    config_source(c, id), setting_rows[id].secret ? "# " : "",
		    setting_rows[id].name, shown(c, id));
	config_free(c);
	return CLI_DONE;
}
