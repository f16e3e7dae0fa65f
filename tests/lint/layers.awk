# Run over all .c and .h files of service/, api/ and sandbox/: who may include whom. This table is the architecture.
# `ours` lists the folders a folder may include, `theirs` the external libraries visible in it.
BEGIN {
	ours["base"] = "base"
	ours["config"] = "base config core"
	ours["core"] = "base core"
	ours["remote"] = "base core remote"
	ours["store"] = "base core store"
	ours["sync"] = "base core remote store sync"
	ours["api"] = "api base core sync"
	ours["app"] = "api app base config core remote store sync"
	ours["sandbox/base"] = "sandbox/base"
	ours["sandbox/control"] = "sandbox/base sandbox/control"
	ours["sandbox/marketo"] = "sandbox/base sandbox/marketo"
	ours["sandbox/dataverse"] = "sandbox/base sandbox/dataverse"
	ours["sandbox"] = "sandbox/base sandbox/control"

	theirs["config"] = "yaml json-c"
	theirs["core"] = "sodium utf8proc"
	theirs["remote"] = "curl json-c openssl"
	theirs["store"] = "libpq"
	theirs["api"] = "microhttpd json-c"
	theirs["sandbox/base"] = "microhttpd json-c"
	theirs["sandbox/control"] = "json-c"
	theirs["sandbox/marketo"] = "json-c"
	theirs["sandbox/dataverse"] = "json-c openssl"

	library["curl/"] = "curl"
	library["json-c/"] = "json-c"
	library["json.h"] = "json-c"
	library["libpq-fe.h"] = "libpq"
	library["libpq/"] = "libpq"
	library["postgres_ext.h"] = "libpq"
	library["microhttpd.h"] = "microhttpd"
	library["sodium.h"] = "sodium"
	library["sodium/"] = "sodium"
	library["utf8proc.h"] = "utf8proc"
	library["openssl/"] = "openssl"
	library["yaml.h"] = "yaml"

	# Seen by one file of a folder only.
	alone["remote openssl"] = "service/remote/dynamics_assertion.c"

	# Headers that would let a pure folder learn what it must not know.
	impure = "pthread.h sys/socket.h netdb.h unistd.h signal.h"
}

function complain(text) {
	print FILENAME ":" FNR ": " text
	bad = 1
}

function has(list, word) {
	return index(" " list " ", " " word " ") > 0
}

FNR == 1 {
	n = split(FILENAME, part, "/")
	from = part[n - 1] == "service" ? "app" : part[n - 1]
	inside = part[1] == "sandbox" ? "sandbox/" : ""
	if (inside && n > 2)
		from = inside from
	if (!(from in ours))
		complain("folder " from " has no place in the layers")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, piece, "\"")
	# without a folder: a file of the same folder, except that service/ is on the include path
	to = index(piece[2], "/") ? inside substr(piece[2], 1, index(piece[2], "/") - 1) : from
	if (piece[2] ~ /\.\./)
		complain("no .. in includes")
	else if (from in ours && !has(ours[from], to))
		complain(from " must not include " to " (" piece[2] ")")
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	for (key in library) {
		if (index(header, key) != 1)
			continue
		place = from " " library[key]
		if (!has(theirs[from], library[key]))
			complain(from " must not include " library[key] " (" header ")")
		else if (place in alone && FILENAME != alone[place])
			complain("only " alone[place] " may include " library[key])
	}
	if (from == "core" && has(impure, header))
		complain("core is pure: no " header)
}

END {
	exit bad
}
