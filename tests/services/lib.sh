# SPDX-License-Identifier: Apache-2.0
# What the scripts beside this file share. Each starts a real server in a directory of the caller's, as an operator
# would, prints what a client needs once it answers, and goes away with everything on TERM.
set -euo pipefail
PGBIN=${PGBIN:-/usr/lib/postgresql/15/bin}

say() { echo "${0##*/}: $1" >&2; }
die() { say "$1"; exit 1; }
need() { for c in "$@"; do command -v "$c" >/dev/null || die "$c is missing: tools/install fleet"; done; }

# Free until somebody takes it: who is told "address in use" asks again.
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# as USER COMMAND: PostgreSQL refuses root. `exec`, so that the pid of `as ... &` is the server's own.
as() {
	local user=$1; shift
	[[ $(id -u) == 0 ]] || exec "$@"
	exec setpriv --reuid="$user" --regid="$user" --init-groups env HOME=/ "$@"
}
own() { [[ $(id -u) != 0 ]] || chown -R "$1:" "${@:2}"; }

until_ok() {	# until_ok SECONDS COMMAND
	local n=$(($1 * 10)); shift
	for ((; n > 0; n--)); do "$@" >/dev/null 2>&1 && return; sleep .1; done
	return 1
}

# end SECONDS PID: TERM, and KILL when it does not go.
end() {
	local n=$(($1 * 10)) pid=$2
	kill "$pid" 2>/dev/null || return 0
	for ((; n > 0; n--)); do kill -0 "$pid" 2>/dev/null || return 0; sleep .1; done
	say "process $pid did not end; killed"
	kill -9 "$pid" 2>/dev/null || true
}

# An authority of our own and certificates under it, good for ten years: tests move their clocks.
make_ca() {	# make_ca DIR: ca.pem, ca.key
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=souk test authority" \
		-keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
}
make_cert() {	# make_cert DIR PREFIX NAMES: PREFIX.crt, PREFIX.key; NAMES as in subjectAltName
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${2##*/}" -keyout "$2.key" -out "$2.csr" 2>/dev/null
	openssl x509 -req -in "$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 3650 \
		-extfile <(echo "subjectAltName=$3") -out "$2.crt" 2>/dev/null
	rm "$2.csr"
	chmod 600 "$2.key"
}
# Until a signal, or the end of the caller's pipe: a caller that is killed leaves no server behind.
wait_for_end() {
	if [[ $1 == yes ]]; then
		while read -r _; do :; done
	else
		while :; do sleep 3600 & wait $! || true; done
	fi
}
