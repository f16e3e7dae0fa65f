/* The control addresses, for tests: the same on both listeners and never counted as calls.
 * JSON in and out; what is wrong with a request is told as 400 {"error": …}.
 *
 * - POST /_sandbox/reset: as just started; no people, faults, limits or calls, and the real time.
 *
 * - POST /_sandbox/seed {"persons": n, "contacts": n, "leads": n, "seed": s}: invented people.
 *
 * - POST /_sandbox/faults: a list of rules in the place of those there are; GET shows them and how
 *   often each fired. A rule: {"side", "method", "path" (how it begins), "user", "contains" (a text
 *   in the body), "part" (true: for requests inside a batch), one of "nth", "from" with "count",
 *   "probability" (with a "seed" of its own), "effect"}. The method of a read sent as POST is GET.
 * The first rule that fires is obeyed; every rule counts what it matches. An effect: "status",
 * "code", "message", "body", "contentType", "retryAfter" make an error in the place of the call, or
 * with "afterEffect" true in the place of its answer; "delayMs" and "delayAfterMs" wait before and
 * after its effect; "lateCommitSeconds" is for what it adds to the change log; "drop" is "before"
 * or "after" its effect; "cutBody" true.
 *
 * - POST /_sandbox/limits {"marketo": {…}, "dynamics": {…}}: members given replace, others stay.
 *   Those of marketo: "enforce", "perDay", "perWindow", "windowSeconds", "concurrent",
 *   "otherCalls" (of other consumers, today), "tokenSeconds", "queryToken" (take the token from
 *   the query too), "latencyMs", "lateCommitSeconds", "scanEvents" (entries of the change log
 *   looked at for one page), "unknownLeadIsEmpty", "webhookSeconds" (a webhook may take),
 *   "flowSeconds" (a run waits for callbacks), "exportSeconds" (a bulk extract is at
 *   work for), "importSeconds", "exportBytesPerDay", "exportUpdatedAt" (false: 1035),
 *   "exportFails", "exportLosesFile", "lookupLagSeconds" (a new person is found by its id only),
 *   "upsertRaceMs" (between looking people up and writing them), "blockedFields" (a list of fields
 *   whose updates are dropped in silence), "origins" (API user to {"source", "reason",
 *   "campaign"}: what the change log tells of what that user writes; null for the API),
 *   "companyChangesLogged" (as changes of the people linked to it), "crmManaged" (a native CRM sync
 *   is on: 1018), "wrongTypeIs1001", "leaveOutEmpty" (fields without a value), "unknownMembers" (in
 *   every object of an answer), "soapOnlyField" (in describe, without "rest"), "otherExports" and
 *   "otherImports" (places of the bulk queues taken by others), "pageTokenSeconds" (a paging token
 *   is good for; 0: for ever); of activities "activityIdsMissing", "activityIdsRepeat",
 * "longGuids", "tiesReversed" (those of one second in another order), "repeatsLast" (a page begins
 * with the last of the one before).
 *
 *   Those of dynamics: "enforce", "requests", "windowSeconds", "executionMs", "concurrent",
 *   "operationMs" (how long an operation takes), "tokenSeconds", "dopHint", "webhookSeconds" (how
 *   long one may take), "trackingDays"; by user "users" ("enabled", "disabled" or "roleless") and
 *   "tokenErrors" (the number after AADSTS that the token endpoint answers with; 0: none);
 *   "secured" (columns by table), "denied" and "readOnly" (by user and table the secured columns
 *   the user may not see, or may not write), "maxLength" (by table.column), "dropColumn" (a list
 *   of table.column), "filterColumn" (true: contacts and leads have new_synctomkto),
 *   "duplicateRules" (tables with a published rule for the same e-mail
 *   address), "pageRows" (most rows of a page, 1 to 5000), "deltaToken" ("first" or "last": the
 *   page whose version the delta link of several pages names), "plugin" with any of "reject"
 * {"table", "column", "equals", "message", perhaps "status" and "code"}, "rewrite" {"table",
 * "column", "as": "trim", "upper" or "lower"} and "edit" {"table", "column", "value",
 * "afterSeconds"}, which edits a written row later as the user who wrote it.
 *
 * - POST /_sandbox/clock {"advanceSeconds": n}.
 *
 * - GET /_sandbox/calls: sums by user and endpoint. POST /_sandbox/calls/reset forgets them and
 *   the log. GET /_sandbox/log?limit=n: the last calls in order.
 *
 * - POST /_sandbox/campaigns {"name", "type": "trigger" or "batch", "active", "requestable",
 *   "programName", "workspaceName", "tokens", "webhook" or "flowStep"}: a campaign of Marketo;
 * tells its {"id"}. GET shows them with the requests they were sent and their runs.
 *
 * - POST /_sandbox/campaigns/{id}/run {"people": ids, "all" or "filter", "trigger", "wait",
 * "chunk", "resend", "twice"}: sends what the campaign's step sends, and tells what came back. GET
 *   /_sandbox/campaigns/{id}/run/{n}: the same later.
 *
 * - POST /_sandbox/services {"url", "credentials", "apiName", "mappings", "global"}: installs the
 *   service of a self-service flow step; tells its {"id"} and every violation. GET shows them.
 *
 * - POST /_sandbox/lists {"name", "programName", "workspaceName"}: a static list of Marketo; tells
 *   its {"id"}.
 *
 * - POST /_sandbox/certificates {"user", "pem"}: a certificate with whose key a user of Dynamics
 *   may sign assertions for the token endpoint.
 *
 * - POST /_sandbox/save {"file": path below the current directory}: what there is and the time, for
 *   --state. Limits, faults, counts and tokens are not kept.
 *
 * - GET /_sandbox/users: names, credentials and rights of the API users, and the thumbprints of
 *   their certificates. */
#ifndef SANDBOX_CONTROL_CONTROL_H
#define SANDBOX_CONTROL_CONTROL_H

#include "base/side.h"
#include "base/web.h"

void control_handle(const struct side *sides, int count, const struct web_request *,
		    struct web_response *);

/* Gives a person to every side; each takes those whose "where" names it. context is a struct
 * control_sides. */
struct control_sides {
	const struct side *sides;
	int count;
};
void control_load(void *context, const struct person_row *);

#endif
