# SPDX-License-Identifier: Apache-2.0
# What the scripts beside this file share. Each starts a real server in a directory of the caller's, as an operator
# would, prints what a client needs once it answers, and goes away with everything on TERM.
set -euo pipefail
PGBIN=${PGBIN:-/usr/lib/postgresql/15/bin}

say() { echo "${0##*/}: $1" >&2; }
die() { say "$1"; [[ -z ${D-} ]] || tail -n 20 "$D"/*.out >&2 2>/dev/null || true; exit 1; }
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

# For a script that starts several programs in one directory, $D: `launch` them, print a line of JSON, then
# `wait_for_end yes`. All of them end with the script, the last one first.
serve_in() {	# serve_in DIR
	[[ $# -eq 1 ]] || { echo "usage: ${0##*/} DIR" >&2; exit 2; }
	D=$(mkdir -p "$1" && cd "$1" && pwd)
	pids=()
	trap end_all EXIT
	trap 'exit 0' TERM INT
}
end_all() {
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do end 10 "${pids[i]}"; done
	pids=()
}
# launch NAME PROGRAM...: its output is in $D/NAME.out; it dies with this script, however that ends.
launch() { local name=$1; shift; setpriv --pdeathsig KILL "$@" >"$D/$name.out" 2>&1 </dev/null & pids+=($!); }

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
