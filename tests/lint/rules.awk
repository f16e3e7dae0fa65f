# docs/rules.md against the tree: every row of a table that ends in "Shown by" names tests that exist, and every rule of the
# merge has a row. Run from the root: awk -f tests/lint/rules.awk service/core/merge.h docs/rules.md
BEGIN { FS = "|" }

# The names of the rules, from the list in merge.h.
FILENAME ~ /\.h$/ {
	if (match($0, /X\([A-Z_]+, "[a-z_]+"/)) {
		name = substr($0, RSTART, RLENGTH)
		gsub(/^[^"]*"|"$/, "", name)
		unnamed[name] = 1
		rules++
	}
	next
}

# The tests of a file, once read: a function that cmocka runs, or a method of a Python test.
function load(file,    line, name) {
	if (file in loaded)
		return loaded[file]
	loaded[file] = 0
	while ((getline line < ("tests/" file)) > 0) {
		loaded[file] = 1
		name = ""
		if (line ~ /^(static )?void [A-Za-z0-9_]+\(void \*\*state\)/) {
			name = line
			sub(/^(static )?void /, "", name)
		} else if (line ~ /^ +def test_[A-Za-z0-9_]+\(/) {
			name = line
			sub(/^ +def /, "", name)
		}
		sub(/\(.*/, "", name)
		if (name)
			known[file, name] = 1
	}
	close("tests/" file)
	return loaded[file]
}

function complain(text) {
	print FILENAME ":" FNR ": " text
	failed = 1
}

function check_tests(cell,    count, spans, i, parts) {
	count = split(cell, spans, "`")
	if (count < 3)
		complain("a row that names no test")
	for (i = 2; i <= count; i += 2) {
		if (spans[i] !~ /^[a-z]+\/test_[a-z0-9_]+\.(c|py): [A-Za-z0-9_]+$/) {
			complain("`" spans[i] "` is not FILE: TEST")
			continue
		}
		split(spans[i], parts, ": ")
		if (!load(parts[1]))
			complain("there is no tests/" parts[1])
		else if (!((parts[1], parts[2]) in known))
			complain("tests/" parts[1] " has no test " parts[2])
		tests++
	}
}

!/^\|/ { in_table = 0; next }

!in_table {
	in_table = 1
	columns = NF
	shows = $(NF - 1) ~ /^ Shown by $/
	rule_column = 0
	for (i = 2; i < NF; i++)
		if ($i ~ /^ Rule $/)
			rule_column = i
	if (!shows)
		complain("a table whose last column is not \"Shown by\"")
	next
}

/^\|[-|]+$/ { next }

{
	if (NF != columns)
		complain("a row of " NF - 2 " cells in a table of " columns - 2)
	else if (shows)
		check_tests($(NF - 1))
	for (name in unnamed)
		if (index($0, "`" name "`"))
			delete unnamed[name]
	if (rule_column && match($rule_column, /`[a-z_]+`/) && !rules)
		complain("no rules were read from merge.h")
}

END {
	for (name in unnamed) {
		print "docs/rules.md: no row is about the rule " name
		failed = 1
	}
	if (!tests || !rules) {
		print "docs/rules.md: nothing was checked"
		failed = 1
	}
	exit failed
}
