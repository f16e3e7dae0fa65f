# Turns migrations/NNNN_name.sql into one C file: awk -f migrations/embed.awk migrations/*.sql > out.c
# Every line becomes a string literal of its own, so no literal grows long. Numbers must count up from 1.

function escaped(text,    out, i, c) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\\" || c == "\"" || c == "?")
			out = out "\\" c
		else if (c == "\t")
			out = out "\\t"
		else if (c == "\r")
			out = out "\\r"
		else
			out = out c
	}
	return out
}

function refuse(text) {
	print "embed.awk: " FILENAME ": " text > "/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	print "/* Made from migrations/ by embed.awk. */"
	print "#include \"store/postgres.h\"\n"
	print "const struct migration migrations[] = {"
}

FNR == 1 {
	name = FILENAME
	sub(/^.*\//, "", name)
	if (name !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+\.sql$/)
		refuse("the name must look like 0001_init.sql")
	if (substr(name, 1, 4) + 0 != count + 1)
		refuse("number " (count + 1) " is expected here")
	if (count++)
		print "\t},"
	label = substr(name, 6, length(name) - 9)
	printf "\t{\n\t\t.number = %d,\n\t\t.name = \"%s\",\n\t\t.sql =\n", count, label
}

{
	print "\t\t\"" escaped($0) "\\n\""
}

END {
	if (failed)
		exit 1
	if (!count) {
		print "embed.awk: no migrations given" > "/dev/stderr"
		exit 1
	}
	print "\t},\n};\n"
	print "const size_t migration_count = sizeof(migrations) / sizeof(migrations[0]);"
}
