/* Liveness, readiness, metrics: for machines, without a key, without a value of anybody. */
#include "api/exchange.h"
#include "api/print.h"
#include "base/metric.h"
#include "sync/operator.h"

void handle_live(struct exchange *x)
{
	struct buf *out = exchange_json(x, 200);

	print_open(out, NULL, '{');
	print_boolean(out, "alive", true);
	print_close(out, '}');
}

void handle_ready(struct exchange *x)
{
	struct operator_ready ready = { 0 };
	struct buf *out;

	operator_ready(x->engine, &ready);
	out = exchange_json(x, ready.is_ready ? 200 : 503);
	print_open(out, NULL, '{');
	print_boolean(out, "ready", ready.is_ready);
	print_open(out, "checks", '[');
	for (size_t i = 0; i < ready.count; i++) {
		print_open(out, NULL, '{');
		print_text(out, "name", str_of(ready.lines[i].name));
		print_boolean(out, "ok", ready.lines[i].is_ok);
		print_text_or_null(out, "reason", str_of(ready.lines[i].reason));
		print_close(out, '}');
	}
	print_close(out, ']');
	print_close(out, '}');
}

void handle_metrics(struct exchange *x)
{
	operator_measure(x->engine);
	metric_print(exchange_text(x, 200, "text/plain; version=0.0.4; charset=utf-8"));
}
