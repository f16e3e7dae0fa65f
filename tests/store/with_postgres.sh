#!/bin/sh
# with_postgres.sh COMMAND [ARGUMENT…]: runs COMMAND with DATABASE_URL naming a PostgreSQL cluster of its own, made in a
# temporary folder (under TMPDIR where the server can live there), reached by a unix socket only, and removed afterwards.
# POSTGRES_RESTART names a program that restarts the server, for tests of exactly that.
set -eu

[ $# -gt 0 ] || { echo "usage: with_postgres.sh COMMAND [ARGUMENT...]" >&2; exit 2; }

# The newest server installed.
bin=
for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5n); do
	[ -x "$folder/initdb" ] && bin=$folder
done
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /nowhere/initdb)")
[ -x "$bin/initdb" ] || { echo "with_postgres.sh: no PostgreSQL server found" >&2; exit 4; }

# PostgreSQL refuses to run as root.
owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
	owner=nobody
	id postgres >/dev/null 2>&1 && owner=postgres
fi
as_owner() {
	if [ "$(id -u)" = 0 ]; then runuser -u "$owner" -- "$@"; else "$@"; fi
}

child= folder=
clean_up() {
	trap '' INT TERM HUP
	if [ -n "$child" ] && kill -0 "$child" 2>/dev/null; then
		kill -TERM "$child" 2>/dev/null || :
		wait "$child" || :
	fi
	[ -n "$folder" ] || return 0
	if [ -e "$folder/data/postmaster.pid" ]; then
		(cd / && as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1) || :
	fi
	rm -rf "$folder"
}
trap 'status=$?; clean_up; exit $status' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The owner must reach the folder, and a socket's path is short ("unix(7)": 108 bytes).
make_folder() {
	folder=$(mktemp -d "$1/postgres.XXXXXX") || return 1
	[ "$(id -u)" != 0 ] || chown "$owner" "$folder"
	chmod 755 "$folder"
	[ ${#folder} -le 80 ] && (cd / && as_owner test -w "$folder" -a -x "$folder") && return 0
	rm -rf "$folder"
	folder=
	return 1
}
make_folder "${TMPDIR:-/tmp}" || make_folder /tmp || {
	echo "with_postgres.sh: no folder for the server" >&2
	exit 4
}

quietly() {
	(cd / && as_owner "$@") >>"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 4; }
}
: >"$folder/log"
[ "$(id -u)" != 0 ] || chown "$owner" "$folder/log"
quietly "$bin/initdb" -D "$folder/data" -U tandem -A trust -E UTF8 --locale=C.UTF-8 --no-sync
cat >>"$folder/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$folder'
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 100
END
quietly "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 start
quietly "$bin/createdb" -h "$folder" -U tandem tandem

cat >"$folder/restart" <<END
#!/bin/sh
cd /
set -- "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -m fast -w restart
[ "\$(id -u)" != 0 ] || set -- runuser -u "$owner" -- "\$@"
exec "\$@" >/dev/null
END
chmod 755 "$folder/restart"
DATABASE_URL="postgres://tandem@/tandem?host=$(printf %s "$folder" | sed 's,/,%2F,g')"
POSTGRES_RESTART=$folder/restart
export DATABASE_URL POSTGRES_RESTART

# In the background, so that a signal is acted upon at once; with the terminal's input and its own INT all the same.
exec 3<&0
env --default-signal=INT,QUIT -- "$@" <&3 3<&- &
child=$!
exec 3<&-
forward() {
	kill "-$1" "$child" 2>/dev/null || :
}
# Ctrl-C reaches the command by itself; a second one would be taken for impatience.
trap '[ -t 0 ] || [ -t 2 ] || forward INT' INT
trap 'forward TERM' TERM
trap 'forward HUP' HUP
status=0
while :; do
	status=0
	wait "$child" || status=$?
	kill -0 "$child" 2>/dev/null || break
done
child=
exit "$status"
