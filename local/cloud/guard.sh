#!/bin/sh
# Runs a command for as long as standard input stays open. The parent holds the other end of that pipe, so the command
# ends with its parent even when the parent is killed outright. Usage: guard.sh COMMAND [ARGUMENT ...]
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{ cat <&3 >/dev/null; kill -TERM "$child"; } 2>/dev/null &
watcher=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
wait "$child"
status=$?
# A signal interrupts the wait: wait again for the command's own end.
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
kill "$watcher" 2>/dev/null
exit "$status"
