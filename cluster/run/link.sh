# Routes that swallow what one node sends to another; read by cut and heal.
# shellcheck shell=bash

# each_way A B replace|del
each_way() {
    local one two address port smtp space
    for pair in "$1 $2" "$2 $1"; do
        read -r one two <<<"$pair"
        find_node "$two"
        local there=$address
        find_node "$one"
        [ "$space" != - ] || fail "nodes on loopback share one network: links are cut between namespaces, as root"
        # Nothing there to delete: it is whole already.
        ip -n "$space" route "$3" blackhole "$there/32" 2>/dev/null || [ "$3" = del ]
    done
}
