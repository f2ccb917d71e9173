# SPDX-License-Identifier: Apache-2.0
# What the scripts here share. Each is called with a directory of its own, starts a real server in it on free ports,
# prints one line of JSON when it answers, and stops everything on TERM, INT or when its standard input ends.
set -euo pipefail
[[ $# -ge 1 ]] || { echo "usage: ${0##*/} DIRECTORY" >&2; exit 2; }
D=$(mkdir -p "$1" && cd "$1" && pwd)
pids=()

free_port() { /usr/bin/python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])'; }
until_ok() { local n=$1; shift; for ((; n > 0; n--)); do "$@" >/dev/null 2>&1 && return; sleep .1; done; return 1; }
# start NAME PROGRAM...: in the background, its output in NAME.out; dies with this script, however that ends.
start() { local name=$1; shift; setpriv --pdeathsig KILL "$@" >"$D/$name.out" 2>&1 </dev/null & pids+=($!); }
# The last started first; whoever does not go in 10 s is killed.
stop_all() {
	local i n
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null || continue
		for ((n = 0; n < 100; n++)); do kill -0 "${pids[i]}" 2>/dev/null || break; sleep .1; done
		kill -9 "${pids[i]}" 2>/dev/null || true
	done
	pids=()
}
die() { echo "${0##*/}: $1" >&2; tail -n 20 "$D"/*.out >&2 2>/dev/null || true; exit 1; }
# `read` rather than `wait`: it ends with standard input, and a trap runs at once.
serve_until_told() { while read -r _; do :; done; }
trap stop_all EXIT
trap 'exit 0' TERM INT
