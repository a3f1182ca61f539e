# common.sh - what the scripts of this folder share: where things are, scratch
# that goes away, and one server at a time, known by its process id.

say() { printf '%s\n' "$*"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${BUILD:-$root/build/release}")
brasa=$(realpath -m "${BRASA:-$build/server/brasa}")
preload=
server_pid=
server_url=
server_port=0
server_number=0

# In memory where there is such a place: what is tested is order, not the disk.
begin_scratch() {
    local parent=${TMPDIR:-/tmp}
    [ ! -w /dev/shm ] || parent=/dev/shm
    scratch=$(mktemp -d "$parent/brasa-$1-XXXXXX")
    trap end_scratch EXIT
    trap 'exit 1' INT TERM
}

end_scratch() {
    [ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null
    rm -rf "$scratch"
}

# Those of the limits that this server knows.
known_limits() {
    local help limit
    help=$("$brasa" --help)
    for limit in "$@"; do
        grep -q "^  ${limit%%=*} " <<<"$help" && printf '%s\n' --limit "$limit"
    done
}

# Segments and folds so small that a short run has many of them.
mapfile -t small_folds < <(known_limits fold_age_ms=40 segment_bytes=131072 fold_rows=64 \
    changelog_bytes=262144 blob_segment_bytes=262144)

# start_server FOLDER ARGUMENT...: returns when it is ready.
start_server() {
    local folder=$1 log waited=0
    shift
    server_number=$((server_number + 1))
    log=$scratch/server-$server_number.log
    LD_PRELOAD=$preload "$brasa" serve --listen "127.0.0.1:$server_port" --data "$folder" "$@" >"$log" 2>&1 </dev/null &
    server_pid=$!
    while ! grep -qs '^ready' "$log"; do
        kill -0 "$server_pid" 2>/dev/null || return 1
        [ $((waited += 1)) -lt 3000 ] || return 1
        sleep 0.01
    done
    server_url=$(sed -n 's/.*\(ws:[^ ]*\).*/\1/p' "$log" | head -n 1)
}

# It may have killed itself by now.
kill_server() {
    kill -9 "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
    server_pid=
}

stop_server() {
    local status=0
    kill -TERM "$server_pid"
    wait "$server_pid" || status=$?
    server_pid=
    return $status
}
