# What to try, printed once the first cycle is through. Sourced by deploy/run.
# shellcheck shell=bash disable=SC2154

marketer_token() {
	curl -sSf "$sandbox_marketo/identity/oauth/token?grant_type=client_credentials&client_id=$marketer_id&client_secret=$marketer_secret" |
		jq -er .access_token
}

# The first few people of the sandbox's Marketo, as "id recordId", "-" for somebody who has no record. Ids are numbers that
# go up; where they begin is looked for.
first_people() {
	local token first found
	token=$(marketer_token)
	for ((first = 1; first < 6000; first += 300)); do
		found=$(curl -sSf -G "$sandbox_marketo/rest/v1/leads.json" -H "Authorization: Bearer $token" \
			-d filterType=id -d "filterValues=$(seq -s, $first $((first + 299)))" -d fields=id,microsoftId |
			jq -r '.result[] | "\(.id) \(.microsoftId // "-")"')
		[[ -z $found ]] || break
	done
	echo "$found"
}

first_cycle_is_through() {
	local state
	while kill -0 "$service_pid" 2>/dev/null; do
		state=$(curl -s -H "Authorization: Bearer $operator_key" "$service_url/v1/status" |
			jq -r 'select(.sync.cycle > 1 or .sync.finishedAt != null) | .sync.state' 2>/dev/null) || true
		[[ -z $state ]] || return 0
		sleep 0.5
	done
	return 1
}

addresses() {
	say '' "service          $service_url   (health: /readyz, figures: /metrics)"
	[[ -z $sandbox_pid ]] || say "sandbox Marketo  $sandbox_marketo" "sandbox Dynamics $sandbox_dynamics/api/data/v9.2/"
	say "log              $run/service.log"
	[[ -z $own_keys ]] || say "operator key     $operator_key" "campaign key     $campaign_key"
}

try_person() {
	say '' 'Create a record in Dynamics for a person, now:' \
		"  curl -s $service_url/v1/sync-person -H 'Authorization: Bearer $1' -H 'Content-Type: application/json' -d '{\"personId\": $2}'"
}

try_edit() {
	say '' "Edit a person in Marketo as a marketer would; Dynamics has it after the next cycle (every $TANDEM_SYNC_INTERVAL s;" \
		'TANDEM_SYNC_INTERVAL=10 make run does not keep you waiting):' \
		"  curl -s $sandbox_marketo/rest/v1/leads.json -H 'Content-Type: application/json' \\" \
		"    -H \"Authorization: Bearer \$(curl -s '$sandbox_marketo/identity/oauth/token?grant_type=client_credentials&client_id=$marketer_id&client_secret=$marketer_secret' | jq -r .access_token)\" \\" \
		"    -d '{\"action\": \"updateOnly\", \"lookupField\": \"id\", \"input\": [{\"id\": $1, \"title\": \"Captain\"}]}'" \
		'What Tandem knows of this person, and how the sync is doing:' \
		"  curl -s -H 'Authorization: Bearer $operator_key' $service_url/v1/persons/$1" \
		"  curl -s -H 'Authorization: Bearer $operator_key' $service_url/v1/status"
}

hints() {
	local people without with
	if [[ -z $own_keys || -z $sandbox_pid ]]; then
		addresses
		try_person "${campaign_key:-A-CAMPAIGN-KEY-OF-YOURS}" '<id of a person>'
		say '' 'Ctrl-C ends it.'
		return
	fi
	first_cycle_is_through || return 0
	people=$(first_people)
	without=$(awk '$2 == "-" { print $1; exit }' <<<"$people")
	with=$(awk '$2 != "-" { print $1; exit }' <<<"$people")
	addresses
	[[ -z $without ]] || try_person "$campaign_key" "$without"
	[[ -z $with ]] || try_edit "$with"
	say '' 'Ctrl-C ends it and cleans up.'
}
