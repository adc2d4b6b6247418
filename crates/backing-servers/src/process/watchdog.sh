# Ends a server when whoever started it is gone, whatever ended them.
# $1: signal that asks the server to stop. $2: directory to remove afterwards, or empty.
# The first line of standard input is the server's pid; the end of standard input is the parent's end.
# This shell leads the process group that the server lives in, so "kill 0" reaches a server whose pid never arrived.
trap '' HUP INT QUIT TERM
read -r server
cat >/dev/null
kill -s "$1" 0
tries=0
while [ -n "$server" ] && [ "$tries" -lt 50 ] && kill -0 "$server" 2>/dev/null; do
  sleep 0.1
  tries=$((tries + 1))
done
[ -n "$server" ] && kill -s KILL "$server" 2>/dev/null
[ -n "$2" ] && rm -rf "$2"
kill -s KILL 0
