/* The loopback server of a scene; see server.h. One thread, one connection at a time. */
#include "server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

enum { SERVED_MAX = 64, REQUEST_MAX = 4 * 1024 * 1024 };

struct server {
	const struct scene *scene; /* foreign */
	int listener;
	char url[64];
	pthread_t thread;
	atomic_int connection; /* being served; -1 none */
	unsigned own;          /* requests the scene's own answers served */
};

/* ---- what is asked ---- */

static bool header_is(struct str line, struct str name)
{
	return str_equal_fold(str_trim(str_cut(&line, ':')), name);
}

static struct str next_line(struct str *rest)
{
	return str_trim(str_cut(rest, '\n'));
}

/* Bytes up to the body: 0 while they are not all there. */
static size_t head_size(struct str text)
{
	const char *end = text.n ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - text.p) + 4 : 0;
}

static size_t body_size(struct str head)
{
	int64_t size = 0;

	while (head.n) {
		struct str line = next_line(&head);

		if (!header_is(line, STR("content-length")))
			continue;
		(void)str_cut(&line, ':');
		if (!str_int64(str_trim(line), 0, REQUEST_MAX, &size))
			size = 0;
	}
	return (size_t)size;
}

/* Reads one whole request; the first line of it is left in text. */
static bool read_request(int fd, struct buf *text)
{
	size_t head = 0, wanted = 0;
	char some[8192];

	while (!head || text->len < wanted) {
		ssize_t n = recv(fd, some, sizeof(some), 0);

		if (n <= 0)
			return false;
		buf_add(text, (struct str){ some, (size_t)n });
		if (!head)
			head = head_size(buf_str(text));
		if (head && !wanted)
			wanted = head + body_size((struct str){ text->data, head });
	}
	return true;
}

/* ---- what is answered ---- */

static bool is_part(struct str text, struct str part)
{
	return part.n && memmem(text.p, text.n, part.p, part.n);
}

static const char *own_answer(struct server *v)
{
	const struct scene *s = v->scene;
	size_t at = v->own < s->answer_count ? v->own : s->answer_count - 1;

	v->own++;
	return v->own > SERVED_MAX ? NULL : s->answers[at];
}

static const char *other_answer(const struct scene *s, struct str line, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (is_part(line, s->others[i].text))
			return s->others[i].file;
	return NULL;
}

static const char *choose(struct server *v, struct str line)
{
	const struct scene *s = v->scene;
	const char *file = other_answer(s, line, 0, s->first_usual);

	if (file || is_part(line, s->own))
		return file ? file : own_answer(v);
	file = other_answer(s, line, s->first_usual, s->other_count);
	return file || s->own.n ? file : own_answer(v);
}

/* The address of the answers becomes ours, wherever it stands. */
static void add_ours(const struct server *v, struct str text, struct buf *out)
{
	struct str origin = v->scene->origin;

	while (text.n) {
		const char *at = memmem(text.p, text.n, origin.p, origin.n);
		size_t n = at ? (size_t)(at - text.p) : text.n;

		buf_add(out, (struct str){ text.p, n });
		text = (struct str){ text.p + n, text.n - n };
		if (!at)
			continue;
		buf_text(out, v->url);
		text = (struct str){ text.p + origin.n, text.n - origin.n };
	}
}

/* The body is stored decoded, and goes out over a connection of our own. */
static bool is_of_transport(struct str line)
{
	static const char *const names[] = { "content-length", "transfer-encoding",
					     "content-encoding", "connection", "keep-alive" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (header_is(line, str_of(names[i])))
			return true;
	return false;
}

static void add_answer(const struct server *v, struct str file, int64_t length, struct buf *out)
{
	CLEANUP(buf_release) struct buf body = { 0 };
	struct str line = next_line(&file);

	(void)str_cut(&line, ' ');
	buf_fmt(out, "HTTP/1.1 " STR_FMT "\r\n", STR_ARG(line));
	for (line = next_line(&file); line.n; line = next_line(&file)) {
		if (is_of_transport(line))
			continue;
		add_ours(v, line, out);
		buf_text(out, "\r\n");
	}
	add_ours(v, file, &body);
	buf_fmt(out, "Content-Length: %lld\r\nConnection: close\r\n\r\n",
		length >= 0 ? (long long)length : (long long)body.len);
	buf_add(out, buf_str(&body));
}

static void answer(struct server *v, int fd)
{
	CLEANUP(arena_release) struct arena memory = { 0 };
	CLEANUP(buf_release) struct buf request = { 0 }, out = { 0 };
	struct str rest;
	const char *path;
	size_t sent = 0;

	if (!read_request(fd, &request))
		return;
	rest = buf_str(&request);
	path = choose(v, next_line(&rest));
	if (path)
		add_answer(v, scene_file(&memory, path),
			   path == v->scene->answers[0] ? v->scene->length : -1, &out);
	else
		buf_text(&out, "HTTP/1.1 418 Not in the scene\r\nContent-Length: 0\r\n\r\n");
	while (sent < out.len) {
		ssize_t n = send(fd, out.data + sent, out.len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		sent += (size_t)n;
	}
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, (char[512]){ 0 }, 512, 0) > 0)
		; /* until the other end has read everything and closes */
}

static void *serve(void *argument)
{
	struct server *v = argument;

	for (;;) {
		int fd = accept(v->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		atomic_store(&v->connection, fd);
		answer(v, fd);
		atomic_store(&v->connection, -1);
		(void)close(fd);
	}
}

struct server *server_start(const struct scene *s)
{
	struct server *v = mem_alloc(sizeof(*v));
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);

	v->scene = s;
	atomic_init(&v->connection, -1);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(v->listener >= 0);
	assert_int_equal(bind(v->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(v->listener, 16), 0);
	assert_int_equal(getsockname(v->listener, (struct sockaddr *)&at, &size), 0);
	(void)snprintf(v->url, sizeof(v->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
	return v;
}

const char *server_url(const struct server *v)
{
	return v->url;
}

unsigned server_stop(struct server *v)
{
	unsigned own;
	int fd;

	(void)shutdown(v->listener, SHUT_RDWR);
	/* The other end may keep a connection for later: nothing more is said on it. */
	fd = atomic_load(&v->connection);
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
	(void)pthread_join(v->thread, NULL);
	(void)close(v->listener);
	own = v->own;
	free(v);
	return own;
}
