/* Names of outcomes, doors and cycle results. */
#include "core/request.h"

#define OUTCOME_NAME(id, name, is_final) [OUTCOME_##id] = name,
#define OUTCOME_FINAL(id, name, is_final) [OUTCOME_##id] = is_final,
static const char *const outcome_names[OUTCOME_COUNT] = { OUTCOMES(OUTCOME_NAME) };
static const bool outcome_finals[OUTCOME_COUNT] = { OUTCOMES(OUTCOME_FINAL) };

static const char *const door_names[DOOR_COUNT] = { "rest", "webhook", "flow" };
static const char *const cycle_result_names[CYCLE_RESULT_COUNT] = { "running", "ok", "partial",
								    "failed" };

const char *outcome_name(enum outcome o)
{
	return outcome_names[o];
}

bool outcome_is_final(enum outcome o)
{
	return outcome_finals[o];
}

const char *door_name(enum door d)
{
	return door_names[d];
}

const char *cycle_result_name(enum cycle_result r)
{
	return cycle_result_names[r];
}
