#!/bin/sh
# Process 1 of a container: runs the command in its arguments, passes SIGTERM on, reaps orphans, and ends as it ended.
# The kernel drops SIGTERM for a process 1 without a handler, which Python is while it starts. Images need no tini.
set -u
asked='' ready='' code='' woken=1
trap 'asked=1' TERM INT # PostgreSQL's images ask for INT
trap 'ready=1' USR1

{ kill -USR1 $$ && exec "$@"; } &
child=$!
# Until then the child has this shell's handlers, which would swallow the signal.
until [ "$ready" ]; do :; done
trap 'woken=1; kill -TERM "$child"' TERM INT
if [ "$asked" ]; then kill -TERM "$child"; fi

while [ "$woken" ]; do
    woken=''
    wait "$child" 2> /dev/null
    last=$?
    # 127 (bash: -1) after another one: the child had ended when the signal came. 130 is of INT, passed on as TERM.
    case "$last:$code" in 127:130 | -1:130) code=143 ;; 127:?* | -1:*) ;; *) code=$last ;; esac
done
exit "$code"
