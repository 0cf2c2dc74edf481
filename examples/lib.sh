# What the scripts beside this file share. They set `here`, source it, `start` things and `stay`.
#
#   VESTA       the program; by default the release build of this checkout
#   PORT_BLOCK  first digits of all ports, in the files too: 190 gives 19000 to 19099
#   FOLDER      where configuration, data and logs go, and stay; by default a folder that goes away
set -euo pipefail

vesta=${VESTA:-$here/../../target/release/vesta}
block=${PORT_BLOCK:-190}
folder=${FOLDER:-$(mktemp -d)}
pids=()

[ -x "$vesta" ] || { echo "there is no $vesta: cargo build --release, or set VESTA" >&2; exit 1; }
vesta=$(realpath "$vesta")
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# The files of the example, with the ports of this run.
for file in "$here"/*.yml "$here"/*.cfg "$here"/*.conf; do
  [ -e "$file" ] && sed -E "s/\b190([0-9]{2})\b/$block\1/g" "$file" >"$folder/${file##*/}"
done
cd "$folder"

# start NAME COMMAND…: in the background; its log and its process number are named after it.
start() {
  local name=$1
  shift
  "$@" >>"$folder/$name.log" 2>&1 &
  echo $! >"$folder/$name.pid"
  pids+=($!)
}

# server NAME PORT FLAG…: a server that keeps its data under its name. As all end at once here, the
# storage may be gone before its writer: that one does not try for a minute.
server() {
  local name=$1 port=$2
  shift 2
  start "$name" "$vesta" server --web.listen-address="127.0.0.1:$block$port" \
    --storage.tsdb.path="$name" --storage.remote.flush-deadline=5s --web.enable-lifecycle "$@"
}

wait_for() {
  local try
  for try in $(seq 300); do
    curl -fs -o /dev/null "$1" && return
    sleep 0.2
  done
  echo "$1 does not answer: see $folder/*.log" >&2
  exit 1
}

# Waits for Ctrl-C.
stay() {
  echo
  echo "Logs, data and process numbers: $folder"
  echo "READY, until Ctrl-C"
  while :; do sleep 3600 & wait $!; done
}

clean() {
  trap - EXIT INT TERM
  # The last sleep, too. Who was killed already is no trouble.
  kill -CONT "${pids[@]}" 2>/dev/null || true
  kill "${pids[@]}" $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  if declare -F clean_more >/dev/null; then clean_more; fi
  [ -n "${FOLDER:-}" ] || rm -rf "$folder"
}
trap clean EXIT
trap 'exit 0' INT TERM
