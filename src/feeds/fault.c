/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as error texts and as a reject file. */
#include "feeds/fault.h"

#include "base/csv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum souk_err
fault_fail(const struct feed_fault *fault, struct fail *f)
{
	char tail[64], field[sizeof(((struct fail_entry *)NULL)->field)];
	size_t room, n = strlen(fault->file);

	if (fault->line == 0)
		(void)snprintf(
		    tail, sizeof(tail), "%s%s", *fault->column ? ":" : "", fault->column);
	else
		(void)snprintf(tail, sizeof(tail), ":%llu%s%s", (unsigned long long)fault->line,
		    *fault->column ? ":" : "", fault->column);
	room = sizeof(field) - 1 - strlen(tail);
	(void)snprintf(field, sizeof(field), "%s%s", fault->file + (n > room ? n - room : 0), tail);
	return fail_field(f, field, fault->what, fault->fix);
}

enum souk_err
fault_row(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	if (!s)
		return fault_fail(fault, f);
	s->n++;
	if (row.n > FAULT_ROW_MAX)
		row.n = FAULT_ROW_MAX;
	return s->take ? s->take(s, fault, row, f) : SOUK_OK;
}

static enum souk_err
refuse(const struct reject_file *r, struct fail *f)
{
	return fail_set(f, SOUK_E_STORAGE, "write_failed", "%s cannot be written", r->path);
}

static enum souk_err
start(struct reject_file *r, struct fail *f)
{
	int fd;

	if (asprintf(&r->temporary, "%s.XXXXXX", r->path) < 0) {
		r->temporary = NULL;
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the reject file.");
	}
	/* Rows hold what only its owner may read: mkstemp makes it 0600. */
	if ((fd = mkstemp(r->temporary)) < 0)
		return refuse(r, f);
	if (!(r->out = fdopen(fd, "w"))) {
		(void)close(fd);
		return refuse(r, f);
	}
	return fputs("file,line,column,what,fix,row\r\n", r->out) < 0 ? refuse(r, f) : SOUK_OK;
}

static enum souk_err
take(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	struct reject_file *r = (struct reject_file *)s;
	struct buf line = { 0 };
	enum souk_err err = r->out ? SOUK_OK : start(r, f);

	if (err != SOUK_OK)
		return err;
	csv_field(&line, str_c(fault->file));
	buf_add_char(&line, ',');
	buf_add_u64(&line, fault->line);
	buf_add_char(&line, ',');
	csv_field(&line, str_c(fault->column));
	buf_add_char(&line, ',');
	csv_field(&line, str_c(fault->what));
	buf_add_char(&line, ',');
	csv_field(&line, str_c(fault->fix));
	buf_add_char(&line, ',');
	csv_field(&line, row);
	buf_add_c(&line, "\r\n");
	if (!buf_ok(&line) || fwrite(line.p, 1, line.n, r->out) != line.n)
		err = refuse(r, f);
	buf_done(&line);
	return err;
}

void
reject_file_init(struct reject_file *r, const char *path)
{
	*r = (struct reject_file){ .sink.take = take, .path = path };
}

enum souk_err
reject_file_close(struct reject_file *r, bool keep, struct fail *f)
{
	bool ok = true;

	if (r->out) {
		ok = fflush(r->out) == 0 && fsync(fileno(r->out)) == 0;
		ok = fclose(r->out) == 0 && ok;
	}
	if (r->temporary && keep && ok)
		ok = rename(r->temporary, r->path) == 0;
	else if (r->temporary)
		(void)unlink(r->temporary);
	free(r->temporary);
	r->temporary = NULL;
	r->out = NULL;
	return ok ? SOUK_OK : refuse(r, f);
}
