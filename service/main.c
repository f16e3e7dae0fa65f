/* Arguments and exit code; nothing else. */
#include <stdio.h>

#include "app/app.h"

static const char main_help[] =
	"tandem keeps people in Marketo Engage and Microsoft Dynamics 365 the same on both sides.\n"
	"\n"
	"  tandem serve [--cycles N] [--progress]   run the sync and its HTTP interface\n"
	"  tandem setup                             create Tandem's fields and activity type in Marketo\n"
	"  tandem check [--json]                    check settings, database and both sides\n"
	"  tandem check --ready                     ask the running service whether it is ready\n"
	"  tandem migrate                           bring the database up to this version\n"
	"  tandem compare                           read both sides and report differences; writes nothing\n"
	"  tandem version\n"
	"  tandem help [settings|settings.md|fields]\n"
	"\n"
	"Settings come from the environment; `tandem help settings` lists them. `tandem help fields`\n"
	"prints the built-in fields as a field file, to begin one's own with.\n"
	"Exit codes: 0 ok, 1 failed, 2 usage, 3 settings, 4 a remote or the database cannot be reached.\n";

static enum exit_code main_usage(const char *why, const char *what)
{
	fprintf(stderr, "tandem: %s%s%s; see `tandem help`\n", why, what ? " " : "",
		what ? what : "");
	return EXIT_USAGE;
}

static enum exit_code main_help_command(int argc, char **argv)
{
	struct buf text = { .data = NULL };

	if (argc < 2) {
		fputs(main_help, stdout);
		return EXIT_OK;
	}
	if (str_equal(str_of(argv[1]), STR("settings")))
		config_help(&text);
	else if (str_equal(str_of(argv[1]), STR("settings.md")))
		config_help_markdown(&text);
	else if (str_equal(str_of(argv[1]), STR("fields")))
		field_file_print(&field_set_default, &text);
	else
		return main_usage("no help on", argv[1]);
	fputs(buf_cstr(&text), stdout);
	buf_release(&text);
	return EXIT_OK;
}

static enum exit_code main_serve(int argc, char **argv)
{
	struct serve_options serve = { .cycles = 0 };

	for (int i = 1; i < argc; i++) {
		if (str_equal(str_of(argv[i]), STR("--progress"))) {
			serve.has_progress = true;
		} else if (str_equal(str_of(argv[i]), STR("--cycles")) && i + 1 < argc) {
			if (!str_int64(str_of(argv[++i]), 1, 1000000, &serve.cycles))
				return main_usage("--cycles takes a number from 1 to 1000000, not",
						  argv[i]);
		} else {
			return main_usage("serve takes --cycles N and --progress, not", argv[i]);
		}
	}
	return app_serve(&serve);
}

static enum exit_code main_check(int argc, char **argv)
{
	if (argc == 1)
		return app_check(false);
	if (argc == 2 && str_equal(str_of(argv[1]), STR("--json")))
		return app_check(true);
	if (argc == 2 && str_equal(str_of(argv[1]), STR("--ready")))
		return app_check_ready();
	return main_usage("check takes --json or --ready", NULL);
}

static enum exit_code main_plain(enum exit_code (*command)(void), int argc, char **argv)
{
	return argc == 1 ? command() : main_usage("unexpected argument", argv[1]);
}

static enum exit_code main_setup(int argc, char **argv)
{
	return main_plain(app_setup, argc, argv);
}

static enum exit_code main_migrate(int argc, char **argv)
{
	return main_plain(app_migrate, argc, argv);
}

static enum exit_code main_compare(int argc, char **argv)
{
	return main_plain(app_compare, argc, argv);
}

static enum exit_code main_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("tandem " TANDEM_VERSION);
	return EXIT_OK;
}

static const struct command {
	const char *name;
	enum exit_code (*run)(int argc, char **argv);
} main_commands[] = {
	{ "serve", main_serve },       { "setup", main_setup },     { "check", main_check },
	{ "migrate", main_migrate },   { "compare", main_compare }, { "version", main_version },
	{ "help", main_help_command },
};

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs(main_help, stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(main_commands); i++) {
		if (str_equal(str_of(argv[1]), str_of(main_commands[i].name)))
			return main_commands[i].run(argc - 1, argv + 1);
	}
	return main_usage("unknown command", argv[1]);
}
