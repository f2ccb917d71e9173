/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the key ring is kept: a file of mode 0600, or a command that prints it.
 *
 * A ring that somebody else can read protects nothing, and a ring that is lost takes all
 * data with it: so a file is refused unless it is ours alone, made only where none is,
 * and replaced whole. The command's standard error is ours (its words reach the
 * operator); what it prints is never repeated.
 */
#include "vault/ring.h"

#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/* "PLACE: what; fix": a long path is shown by its end. */
static enum souk_err
source_fail(struct fail *f, enum souk_err err, const char *code, const char *place,
    const char *what, const char *fix)
{
	size_t n = strlen(place);
	size_t cut = n > 100 ? n - 100 : 0;

	return fail_set(f, err, code, "%s%s: %s; %s", cut ? "..." : "", place + cut, what, fix);
}

/* Parses what was read into `room`; a full room was too small for it. */
static enum souk_err
parse_or_fail(struct secret room, size_t n, const char *place, const char *fix,
    struct ring_keys *ret, struct fail *f)
{
	char what[100];
	const char *wrong = n == room.n ? "it is too large"
					: ring_parse((struct str){ (const char *)room.p, n }, ret);

	if (!wrong)
		return SOUK_OK;
	(void)snprintf(what, sizeof(what), "is no key ring: %s", wrong);
	return source_fail(f, SOUK_E_INVALID, "key_ring_malformed", place, what, fix);
}

/* ---- file ---- */

void
ring_stamp(const char *path, struct ring_stamp *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (stat(path, &st) != 0)
		return;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	ret->size = st.st_size;
	ret->mtime = st.st_mtim;
	ret->ctime = st.st_ctim;
}

static bool
time_eq(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
ring_stamp_eq(const struct ring_stamp *a, const struct ring_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       time_eq(a->mtime, b->mtime) && time_eq(a->ctime, b->ctime);
}

static enum souk_err
open_fail(const char *path, struct fail *f)
{
	int e = errno;

	if (e == ENOENT || e == ENOTDIR)
		return source_fail(f, SOUK_E_NOT_FOUND, "key_ring_missing", path,
		    "there is no key ring",
		    "restore it from its backup: without it no sealed record opens");
	if (e == EACCES || e == EPERM)
		return source_fail(f, SOUK_E_DENIED, "key_ring_owner", path,
		    "this user may not read the key ring", "run souk as the file's owner");
	return source_fail(f, SOUK_E_STORAGE, "key_ring_unreadable", path,
	    strerrordesc_np(e) ? strerrordesc_np(e) : "cannot be opened",
	    "look at the file and its disk");
}

/* Only a file of ours that nobody else may read. */
static enum souk_err
check_private(int fd, const char *path, struct fail *f)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return open_fail(path, f);
	if (!S_ISREG(st.st_mode))
		return source_fail(f, SOUK_E_INVALID, "key_ring_malformed", path,
		    "is not a regular file", "name the key ring's file in key-ring-file");
	if (st.st_uid != geteuid())
		return source_fail(f, SOUK_E_DENIED, "key_ring_owner", path,
		    "the key ring belongs to another user",
		    "run souk as its owner, or give it to this user with chown");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return source_fail(f, SOUK_E_DENIED, "key_ring_mode", path,
		    "others than its owner may use the key ring",
		    "take that away with chmod 600, and rotate the keys if somebody did");
	return SOUK_OK;
}

/* Reads until the end into `room`; the text is longer when room is full. False: errno. */
static bool
read_to_end(int fd, struct secret room, size_t *n)
{
	ssize_t got;

	while (*n < room.n) {
		got = read(fd, room.p + *n, room.n - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			return true;
		*n += (size_t)got;
	}
	return true;
}

enum souk_err
ring_read_file(const char *path, struct ring_keys *ret, struct fail *f)
{
	struct secret text = { 0 };
	size_t n = 0;
	enum souk_err r;
	/* Not blocking: a named pipe in its place must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return open_fail(path, f);
	if ((r = check_private(fd, path, f)) != SOUK_OK)
		goto out;
	if ((r = secret_init(&text, RING_TEXT_MAX)) != SOUK_OK) {
		r = fail_set(f, r, "out_of_memory", "no locked memory for the key ring");
		goto out;
	}
	if (!read_to_end(fd, text, &n))
		r = open_fail(path, f);
	else
		r = parse_or_fail(text, n, path, "restore it from its backup", ret, f);
out:
	secret_done(&text);
	(void)close(fd);
	return r;
}

/* Fills a file just made. */
static bool
fill(int fd, struct str text)
{
	return io_write_all(fd, text.p, text.n) == SOUK_OK && fsync(fd) == 0;
}

static enum souk_err
sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	(void)snprintf(
	    dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return io_sync_dir(dir);
}

static enum souk_err
create_fail(const char *path, struct fail *f)
{
	int e = errno;

	if (e == EEXIST)
		return source_fail(f, SOUK_E_CONFLICT, "key_ring_exists", path,
		    "there is a key ring already",
		    "keep it: what it sealed opens with nothing else");
	return source_fail(f, SOUK_E_STORAGE, "key_ring_unwritable", path,
	    strerrordesc_np(e) ? strerrordesc_np(e) : "cannot be written",
	    "look at the directory and its disk");
}

enum souk_err
ring_create_file(const char *path, const struct ring_keys *k, struct fail *f)
{
	struct secret text = { 0 };
	size_t n = 0;
	enum souk_err r;
	int fd = -1;

	if ((r = ring_format(k, &text, &n)) != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no locked memory for the key ring");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		r = create_fail(path, f);
		goto out;
	}
	if (!fill(fd, (struct str){ (const char *)text.p, n }) || sync_dir_of(path) != SOUK_OK) {
		r = create_fail(path, f);
		(void)unlink(path);
	}
	(void)close(fd);
out:
	secret_done(&text);
	return r;
}

/* Puts `text` in place of `path` by way of `part`. False: errno, and `path` is as it was. */
static bool
swap_in(const char *path, const char *part, struct str text)
{
	int fd, e;
	bool ok;

	/* Left by who was killed here: it holds keys, and must not outlive the next change. */
	if (unlink(part) != 0 && errno != ENOENT)
		return false;
	if ((fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return false;
	ok = fill(fd, text);
	e = errno;
	(void)close(fd);
	if (ok && rename(part, path) == 0)
		return true;
	e = ok ? errno : e;
	(void)unlink(part);
	errno = e;
	return false;
}

enum souk_err
ring_replace_file(const char *path, const struct ring_keys *k, struct fail *f)
{
	struct secret text = { 0 };
	char part[PATH_MAX];
	size_t n = 0;
	enum souk_err r;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return create_fail(path, f);
	}
	if ((r = ring_format(k, &text, &n)) != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no locked memory for the key ring");
	if (!swap_in(path, part, (struct str){ (const char *)text.p, n }))
		r = create_fail(path, f);
	else if (sync_dir_of(path) != SOUK_OK)
		/* It is there now; whether it survives a power cut is not known. */
		r = source_fail(f, SOUK_E_UNCERTAIN, "key_ring_unwritable", path,
		    "its directory cannot be synced", "look at the directory and its disk");
	secret_done(&text);
	return r;
}

enum souk_err
ring_lock_file(const char *path, int *ret_fd, struct fail *f)
{
	struct stat ours, there;
	int fd;

	for (;;) {
		if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
			return open_fail(path, f);
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, &ours) != 0 || stat(path, &there) != 0)
			break;
		if (ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) {
			*ret_fd = fd;
			return SOUK_OK;
		}
		/* Replaced while we waited: what we hold is the lock of the old file. */
		(void)close(fd);
	}
	(void)open_fail(path, f);
	(void)close(fd);
	return f ? f->err : SOUK_E_STORAGE;
}

/* ---- command ---- */

#define COMMAND_PLACE "key-ring-command"
#define COMMAND_FIX "run it by hand as the server's user"

static enum souk_err
command_fail(struct fail *f, const char *what)
{
	return source_fail(
	    f, SOUK_E_UNAVAILABLE, "key_ring_command", COMMAND_PLACE, what, COMMAND_FIX);
}

/* A group of its own, so that all it started can be killed; no signal of ours blocked. */
static bool
set_attributes(posix_spawnattr_t *at)
{
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	return posix_spawnattr_setflags(at,
		   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0 &&
	       posix_spawnattr_setpgroup(at, 0) == 0 &&
	       posix_spawnattr_setsigmask(at, &none) == 0 &&
	       posix_spawnattr_setsigdefault(at, &all) == 0;
}

/* Starts `command` with its output in `out`; false when it cannot be started. */
static bool
start(const char *command, int out, pid_t *ret)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(command), NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	bool ok = false;

	if (!argv[2] || posix_spawn_file_actions_init(&fa) != 0)
		goto out;
	if (posix_spawnattr_init(&at) != 0)
		goto out_actions;
	ok = set_attributes(&at) &&
	     posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
	     posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO) == 0 &&
	     posix_spawn_file_actions_addclosefrom_np(&fa, STDERR_FILENO + 1) == 0 &&
	     posix_spawn(ret, "/bin/sh", &fa, &at, argv, environ) == 0;
	(void)posix_spawnattr_destroy(&at);
out_actions:
	(void)posix_spawn_file_actions_destroy(&fa);
out:
	free(argv[2]);
	return ok;
}

static int64_t
left_ms(uint64_t deadline_ns)
{
	uint64_t now = clock_mono_ns();

	return now >= deadline_ns ? 0 : (int64_t)((deadline_ns - now) / 1000000 + 1);
}

/* Reads what the command prints until it closes its output; false when time ran out. */
static bool
collect(int fd, uint64_t deadline_ns, struct secret room, size_t *n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t got;
	int64_t ms;

	while (*n < room.n && (ms = left_ms(deadline_ns)) > 0) {
		if (poll(&p, 1, (int)ms) <= 0)
			continue;
		got = read(fd, room.p + *n, room.n - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		*n += (size_t)got;
	}
	return *n == room.n;
}

/* The command's end; false when time ran out. */
static bool
await(pid_t pid, uint64_t deadline_ns, int *ret_status)
{
	pid_t done;

	while ((done = waitpid(pid, ret_status, WNOHANG)) == 0 && left_ms(deadline_ns) > 0)
		clock_sleep_ms(5);
	return done == pid;
}

/* Runs the command and leaves what it printed in `room`. */
static enum souk_err
run(const char *command, int64_t limit_ms, struct secret room, size_t *ret_n, struct fail *f)
{
	uint64_t deadline = clock_mono_ns() + (uint64_t)limit_ms * 1000000;
	char what[80];
	int fd[2], status = 0;
	pid_t pid;
	bool ended;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return command_fail(f, "no pipe for its output");
	if (!start(command, fd[1], &pid)) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return command_fail(f, "cannot be started");
	}
	(void)close(fd[1]);
	ended = collect(fd[0], deadline, room, ret_n);
	/* Closed before the wait: a command that prints on and on ends by it. */
	(void)close(fd[0]);
	if (!ended || !await(pid, deadline, &status)) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		return command_fail(f, "did not end within its time limit");
	}
	/* Who printed too much was killed by the closed pipe: parsing says so. */
	if (*ret_n == room.n || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return SOUK_OK;
	if (WIFSIGNALED(status))
		(void)snprintf(what, sizeof(what), "was killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(what, sizeof(what), "ended with status %d", WEXITSTATUS(status));
	return command_fail(f, what);
}

enum souk_err
ring_read_command(const char *command, int64_t limit_ms, struct ring_keys *ret, struct fail *f)
{
	struct secret text;
	size_t n = 0;
	enum souk_err r;

	if ((r = secret_init(&text, RING_TEXT_MAX)) != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no locked memory for the key ring");
	if ((r = run(command, limit_ms, text, &n, f)) == SOUK_OK)
		r = parse_or_fail(text, n, COMMAND_PLACE, COMMAND_FIX, ret, f);
	secret_done(&text);
	return r;
}
