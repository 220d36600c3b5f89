#!/bin/bash
# agent.t - the agent after its first synchronisation: killed at chosen steps,
# another policy, a damaged store proven and repaired.
. tests/e2e/lib.sh

lab_up --users u001..u002 --no-exporter
"$LAB" scenario scenarios/e2e.yaml --dir "$WORK/lab" > "$WORK/e2e.yaml"
fill "$WORK/e2e.yaml" --user u001 > "$WORK/fill.log" 2>&1 ||
	bail "the fill failed"
profile u001

agent() { # agent VERB OPTION…
	local verb=$1
	shift
	"$BIN/sluice-agent" "$verb" --profile "$WORK/u001.yaml" "$@"
}

# ---- killed at a step, again and again
for step in commit:1 read:3 commit:2 read:9 commit:6 read:40; do
	(SLUICE_CRASH_AT=$step sync_user u001) 2> /dev/null
done
check "after six crashes: sync" sync_user u001
is "after six crashes: verified" "$(result u001 verified)" true
same_store "after six crashes: the store is what was put" u001
total=$(sqlite3 "$WORK/u001/store.db" 'SELECT sum(ifnull(body_length, 0) +
	ifnull(header_length, 0)) FROM messages')
check "after six crashes: not everything came in the last run" \
	test "$(result u001 app_bytes)" -lt "$total"

# ---- policy
headers=$(result u001 bodies)
agent policy show > "$WORK/policy"
like "policy show: the Inbox is whole" "$(cat "$WORK/policy")" "full +INBOX"
check "policy set on everything" agent policy set / full --recursive
check "policy: sync" sync_user u001
is "policy: now all messages have bodies" \
	"$(result u001 bodies)" "$(result u001 messages)"
check "policy: there were fewer before" \
	test "$headers" -lt "$(result u001 bodies)"
check "policy: a second run fetches nothing" sync_user u001
is "policy: nothing" "$(result u001 app_bytes)" 0

# Lowering keeps what is there, until it is told to forget; signed and
# encrypted messages stay whole. A rule may come in the middle of a sync.
all=$(result u001 messages)
check "policy: everything but the Inbox lowered" \
	agent policy set / headers --recursive
check "policy: and the Inbox whole" agent policy set INBOX full
check "policy: sync" sync_user u001
is "policy: lowering keeps what is there" "$(result u001 bodies)" "$all"
like "policy: prune tells how many" \
	"$(agent policy set / headers --recursive --prune)" \
	"^[1-9][0-9]* messages are headers only now$"
check "policy: set again on the Inbox" agent policy set INBOX full
background slow "$BIN/sluice-agent" sync --profile "$WORK/u001.yaml" --json \
	--rate 100kB/s
slow=$!
check "policy: a sync is under way" wait_for 60 grep -q . "$WORK/u001/lock"
check "policy: it may be set meanwhile" agent policy set / full --recursive
check "policy: and the sync goes on" kill -0 "$slow"
agent policy set / headers --recursive --prune 2> "$WORK/refused"
is "policy: but not prune" $? 1
like "policy: which says why" "$(cat "$WORK/refused")" "process $slow.*kept"
agent policy set / full --recursive
wait "$slow"
is "policy: the sync ends well" $? 0
is "policy: and obeyed the new rule" \
	"$(tail -n 1 "$WORK/slow.log" | jq .bodies)" "$all"

calendar=$(sed -n 's/^full *\([Cc]alendar.*\)/\1/p' "$WORK/policy" | head -1)
[ -z "$calendar" ] || {
	agent policy set "$calendar" headers 2> "$WORK/refused"
	is "policy: a calendar cannot be lowered" $? 2
}

like "policy: a folder that is not there is said to be missing" \
	"$(agent policy set Projecs full 2>&1)" "no folder of this name"
cp "$WORK/u001/rules" "$WORK/rules"
echo "full INBOX" > "$WORK/u001/rules"
agent policy show 2> "$WORK/refused"
is "policy: a rule that makes no sense: status 1" $? 1
like "policy: its file is named" "$(cat "$WORK/refused")" \
	"u001/rules: the rule \"full INBOX\" makes no sense"
mv "$WORK/rules" "$WORK/u001/rules"

# ---- verify
check "verify --deep: equal" agent verify --deep
sqlite3 "$WORK/u001/store.db" \
	"UPDATE messages SET body_crc = body_crc + 1 WHERE id =
		(SELECT min(id) FROM messages WHERE body_length > 0)"
agent verify --deep > "$WORK/verify" 2>&1
is "verify --deep: damage is found" $? 1
check "verify --deep --repair" agent verify --deep --repair
check "verify --deep: equal again" agent verify --deep

# Killed between throwing away what is wrong and fetching it again.
sqlite3 "$WORK/u001/store.db" "UPDATE items SET text = text || 'x' WHERE id =
	(SELECT min(id) FROM items)"
is "verify: a repair is killed in the middle" "$(
	checked=$((($(result u001 messages) + 255) / 256))
	(SLUICE_CRASH_AT=commit:$((checked + 1)) \
		agent verify --deep --repair) > /dev/null 2>&1
	echo $?
)" 137
items() { sqlite3 -readonly "$WORK/u001/store.db" 'SELECT count(*) FROM items'; }
before=$(items)
check "verify: the next sync" sync_user u001
is "verify: brings what the repair would have" "$(items)" $((before + 1))
check "verify --deep: equal after that" agent verify --deep

# ---- and all of that without the server
"$LAB" down --dir "$WORK/lab" > /dev/null 2>&1
check "offline: ls" agent ls INBOX
check "offline: status" agent status
for verb in "policy show" "ls" "show --raw $(agent ls --json INBOX |
	jq -s '.[0].id')"; do
	# shellcheck disable=SC2086
	agent $verb > /dev/full 2> "$WORK/full"
	is "offline: ${verb% [0-9]*} into what is full: status 1" $? 1
	like "offline: and it says so" "$(cat "$WORK/full")" "standard output: "
done
agent verify > /dev/null 2> "$WORK/verify"
is "offline: verify says why it cannot" $? 1

# ---- a daemon gives way to everything else on the machine
daemon() { # daemon OPTION…: with a controller that is not there
	background daemon "$BIN/sluice-agent" run \
		--profile "$WORK/daemon.yaml" "$@"
	daemon=$!
	wait_for 60 several_threads || bail "the daemon does not work"
}
several_threads() { [ "$(ls "/proc/$daemon/task" | wc -l)" -gt 1 ]; }
priorities() { # of the CPU and of the disk, over all threads that stay
	local thread cpu disk
	for thread in /proc/"$daemon"/task/*; do
		cpu=$(sed 's/.*) //' "$thread/stat" 2> /dev/null) &&
			disk=$(ionice -p "${thread##*/}" 2> /dev/null) &&
			echo "$(cut -d' ' -f17 <<< "$cpu") $disk"
	done | sort -u
}
echo token > "$WORK/token"
chmod 600 "$WORK/token"
cp "$WORK/u001.yaml" "$WORK/daemon.yaml"
cat >> "$WORK/daemon.yaml" << END
controller: { url: "http://127.0.0.1:9/", token_file: $WORK/token }
END
indexed() { # messages in the index of words
	sqlite3 -readonly "$WORK/u001/store.db" 'SELECT count(*) FROM indexed'
}
is_indexed() { [ "$(indexed)" = "$all" ]; }
is "daemon: nothing is indexed before" "$(indexed)" 0
daemon
like "daemon: every thread has low priorities" "$(priorities)" \
	"^10 idle(.19 idle)?$"
check "daemon: it makes the index of words" wait_for 120 is_indexed
stop "$daemon"
daemon --normal-priority
like "daemon: unless told otherwise" "$(priorities)" \
	"^0 (none: prio 0|best-effort: prio 4)(.19 .*)?$"
stop "$daemon"
finish
