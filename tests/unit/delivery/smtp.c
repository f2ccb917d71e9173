/* SPDX-License-Identifier: Apache-2.0 */
/* The SMTP server of tests/services, started for a test; see smtp.h. */
#include "smtp.h"

#include "base/str.h"

#include <sys/wait.h>
#include <unistd.h>

void
server_start(struct server *s, const char *scheme, const char *option)
{
	char template[] = "/tmp/souk-smtp-XXXXXX", port[16] = "";
	uint64_t number;
	int in[2], out[2];

	(void)snprintf(s->dir, sizeof(s->dir), "%s", mkdtemp(template));
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	if ((s->pid = fork()) == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)close(in[1]);
		(void)execl(SOUK_SMTP_SERVICE, "smtp", s->dir, option, (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	s->in = in[1];
	assert_true(read(out[0], port, sizeof(port) - 1) > 0);
	(void)close(out[0]);
	assert_true(str_to_u64(str_trim(str_c(port)), 65535, &number));
	(void)snprintf(
	    s->url, sizeof(s->url), "%s://localhost:%llu", scheme, (unsigned long long)number);
	(void)snprintf(s->cert, sizeof(s->cert), "%s/cert.pem", s->dir);
}

size_t
server_mails(const struct server *s)
{
	char path[128], line[65536];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/messages", s->dir);
	if ((f = fopen(path, "r"))) {
		while (fgets(line, sizeof(line), f))
			n += strchr(line, '\n') != NULL;
		(void)fclose(f);
	}
	return n;
}

size_t
server_stop(struct server *s)
{
	char path[128];
	size_t n;

	(void)close(s->in);
	(void)waitpid(s->pid, NULL, 0);
	n = server_mails(s);
	for (const char *const *name =
		 (const char *const[]){ "messages", "cert.pem", "key.pem", "twice", NULL };
	     *name; name++) {
		(void)snprintf(path, sizeof(path), "%s/%s", s->dir, *name);
		(void)unlink(path);
	}
	(void)rmdir(s->dir);
	return n;
}
