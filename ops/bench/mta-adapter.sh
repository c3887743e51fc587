# Chappe, for the side-by-side harness: shell functions, sourced inside its sandbox. CHAPPE_BIN: where the programs are.
HERE_CHAPPE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CHAPPE_BIN=${CHAPPE_BIN:-$HERE_CHAPPE/.build/release}
A_SPOOL=/var/spool/chappe

a_setup() {
    system_group chappe 878
    system_user chappe 878 $A_SPOOL
    mkdir -p $A_SPOOL /run/chappe /var/log/chappe
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=relay.bench.test \
        -keyout /etc/chappe-key.pem -out /etc/chappe-cert.pem 2>/dev/null
    chown chappe:chappe /etc/chappe-key.pem && chmod 600 /etc/chappe-key.pem  # a reload reads it as that user
    local mode next hold
    for mode in hold defer relay; do
        next=$SINK hold=false
        [ $mode = defer ] && next=9              # nobody listens there: all is filed as deferred
        [ $mode = hold ] && hold=true
        cat > "/etc/chappe-$mode.yaml" <<C
hostname: relay.bench.test
postmaster: postmaster@bench.test
data-directory: $A_SPOOL
user: chappe
group: chappe
listeners:
  - name: mx
    kind: mx
    address: 127.0.0.1:$PORT
    tls: starttls
    reverse-lookup: false
    hold: $hold
tls:
  certificates: [{certificate: /etc/chappe-cert.pem, key: /etc/chappe-key.pem}]
relay:
  networks: [127.0.0.0/8]
routes:
  default: {smarthost: "127.0.0.1:$next", tls: none}
admin: {socket: /run/chappe/admin.sock, group: chappe}
events: {file: /var/log/chappe/events.jsonl}
C
    done
    chown -R chappe:chappe $A_SPOOL /run/chappe /var/log/chappe
}
chappe_() { "$CHAPPE_BIN/chappe" "$@" --socket /run/chappe/admin.sock; }
a_wipe() { rm -rf "${A_SPOOL:?}"/queue /var/log/chappe/events.jsonl; }
a_start() { in_cg "$CHAPPE_BIN/chapped" --config "/etc/chappe-$1.yaml" >/dev/null 2>&1 & }
a_stop() { kill $(mta_pids) 2>/dev/null || true; }
a_queue_count() {
    if [ -n "$(mta_pids)" ]; then
        chappe_ status -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)["queue"]["messages"])'
    else
        "$CHAPPE_BIN/chappe" store count $A_SPOOL/queue
    fi
}
a_flush() { chappe_ queue retry --all --reason flush --yes >/dev/null 2>&1 || true; }
a_settled() {
    chappe_ status -o json | python3 -c '
import json, sys
queue = json.load(sys.stdin)["queue"]
sys.exit(0 if queue["active"] == 0 and queue["deferred"] + queue["held"] >= queue["messages"] else 1)'
}
