# Tells which files and functions ask for a split. Tables of data (no function in the file) may be longer.
BEGIN {
	file_max = 600
	function_max = 70
}

function close_file() {
	if (lines > file_max && functions)
		print name ": " lines " lines, more than " file_max
}

FNR == 1 {
	if (name)
		close_file()
	name = FILENAME
	functions = 0
	start = 0
}

{ lines = FNR }

# Kernel-like layout: the body of a function is between two braces in the first column.
/^\{/ && before !~ /[=]$/ { start = FNR; functions++ }

/^\}/ && start {
	if (FNR - start - 1 > function_max)
		print FILENAME ":" start ": a function of " FNR - start - 1 " lines, more than " function_max
	start = 0
}

{ before = $0 }

END { close_file() }
