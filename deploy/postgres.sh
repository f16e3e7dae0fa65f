# A private PostgreSQL cluster: no TCP port, an ordinary user even when called by root. Sourced by deploy/run.
# postgres_start STATE_DIR LOG sets DATABASE_URL and postgres_pid; postgres_stop takes everything down again.
# shellcheck shell=bash

postgres_pid='' postgres_elsewhere=''

postgres_programs() {
	local found
	found=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1) || true
	if [[ -z $found ]]; then
		echo 'run: no PostgreSQL server found in /usr/lib/postgresql' >&2
		return 1
	fi
	dirname "$found"
}

# The server refuses to be root. Debian's package brings a user of its own.
postgres_user() {
	((EUID == 0)) && echo "setpriv --reuid=postgres --regid=postgres --init-groups --"
	return 0
}

# Where data and socket go: the folder asked for, unless that user cannot get there (a checkout below /root) or the
# name of the socket would be longer than the 107 bytes a Unix socket may have.
postgres_place() {
	local dir=$1
	shift
	mkdir -p "$dir"
	((EUID == 0)) && chown postgres: "$dir"
	chmod 700 "$dir"
	if "$@" test -w "$dir" 2>/dev/null && ((${#dir} + 15 < 107)); then
		echo "$dir"
		return
	fi
	dir=$(mktemp -d "${TMPDIR:-/tmp}/tandem.XXXXXX")
	((EUID == 0)) && chown postgres: "$dir"
	echo "$dir"
}

postgres_start() {
	local log=$2 bin place as
	bin=$(postgres_programs) || return 1
	read -ra as <<<"$(postgres_user)"
	place=$(postgres_place "$1" "${as[@]}") || return 1
	[[ $place == "$1" ]] || postgres_elsewhere=$place
	if ! (cd / && "${as[@]}" "$bin/initdb" -D "$place/data" -U tandem -A trust -E UTF8 --locale=C.UTF-8 \
		--no-sync) >"$log" 2>&1; then
		tail -n 5 "$log" >&2
		return 1
	fi
	# A cluster for an afternoon need not survive a power cut.
	(cd / && exec setsid "${as[@]}" setpriv --pdeathsig INT -- "$bin/postgres" -D "$place/data" -k "$place" \
		-c listen_addresses= -c unix_socket_permissions=0700 -c fsync=off -c full_page_writes=off \
		-c synchronous_commit=off) >>"$log" 2>&1 9>&- &
	postgres_pid=$!
	until "$bin/pg_isready" -q -h "$place" -U tandem -d postgres; do
		if ! kill -0 "$postgres_pid" 2>/dev/null; then
			tail -n 5 "$log" >&2
			return 1
		fi
		sleep 0.1
	done
	"$bin/createdb" -h "$place" -U tandem tandem || return 1
	DATABASE_URL="postgresql:///tandem?user=tandem&host=$(jq -rn --arg dir "$place" '$dir | @uri')"
	export DATABASE_URL
}

postgres_stop() {
	if [[ -n $postgres_pid ]]; then
		kill -INT "$postgres_pid" 2>/dev/null || true
		wait "$postgres_pid" 2>/dev/null || true
	fi
	[[ -z $postgres_elsewhere ]] || rm -rf "$postgres_elsewhere"
}
