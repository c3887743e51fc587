# What the scripts beside this file share; read by them, not run.
# shellcheck shell=bash
set -euo pipefail

folder="${CHAPPE_RUN:-${TMPDIR:-/tmp}/chappe-run}"
nodes="$folder/nodes"      # name, address, first port of the cluster, SMTP port, namespace or -
started="$folder/started"  # pids that `up` started, with what they are

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

must_run() { [ -s "$nodes" ] || fail "no nodes run below $folder: cluster/run/up first"; }

# Sets address, port, smtp and space of a node.
find_node() {
    local line
    line=$(awk -v name="$1" '$1 == name' "$nodes")
    [ -n "$line" ] || fail "there is no $1; there are $(awk '{ print $1 }' "$nodes" | paste -sd ' ')"
    # The scripts that read this file use them.
    # shellcheck disable=SC2034
    read -r _ address port smtp space <<<"$line"
}

# Whether a pid is still what was started: the number may be another's by now, or that of a process that has ended.
is_ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF "$folder/"; }

# Runs a command where a node is, and against that node: in_node NAME COMMAND…
in_node() {
    local name=$1 address port smtp space
    shift
    find_node "$name"
    local CHAPPE_SOCKET="$folder/$name/admin.sock" CHAPPE_OPERATOR_KEY="$folder/operator.key"
    local PATH="$bin:$PATH"
    export CHAPPE_SOCKET CHAPPE_OPERATOR_KEY PATH
    if [ "$space" = - ]; then "$@"; else ip netns exec "$space" "$@"; fi
}

# start NAME SPACE FILE COMMAND…: in the background, and remembered.
start() {
    local name=$1 space=$2 log=$3
    shift 3
    if [ "$space" = - ]; then
        "$@" >>"$log" 2>&1 &
    else
        ip netns exec "$space" "$@" >>"$log" 2>&1 &
    fi
    echo "$! $name" >>"$started"
}

# The daemon of a node that `up` has prepared.
start_node() {
    local address port smtp space
    find_node "$1"
    start "$1" "$space" "$folder/$1/log" "$bin/chapped" --config "$folder/$1/chappe.yaml"
}

# Waits until a command succeeds, for at most so many seconds.
within() {
    local seconds=$1 tries
    shift
    for ((tries = 0; tries < seconds * 10; tries++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

bin=$(cat "$folder/bin" 2>/dev/null || true)
