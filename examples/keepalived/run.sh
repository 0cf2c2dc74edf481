#!/usr/bin/env bash
# A pair on two machines (network namespaces), with keepalived and a virtual address. Needs root.
# Ctrl-C ends all and removes the namespaces.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ "$(id -u)" = 0 ] || { echo "network namespaces need root" >&2; exit 1; }
for program in keepalived ip; do
  command -v $program >/dev/null || { echo "there is no $program: apt-get install $program" >&2; exit 1; }
done
source "$here/../lib.sh"

# Three machines of this run: the network with the shop in it, and the two servers.
lan=vesta-lan-$$ a=vesta-a-$$ b=vesta-b-$$
clean_more() {
  for machine in $lan $a $b; do ip netns delete "$machine" 2>/dev/null || true; done
}
echo "$lan" >lan.name

for machine in $lan $a $b; do
  ip netns add "$machine"
  ip -n "$machine" link set lo up
done
ip -n "$lan" link add br0 type bridge
ip -n "$lan" address add 10.77.0.1/24 dev br0
ip -n "$lan" link set br0 up

# machine NAME NAMESPACE ADDRESS: plugs it in, starts a server and keepalived.
machine() {
  local name=$1 namespace=$2 address=$3
  echo "$namespace" >"$name.name"
  ip -n "$lan" link add "to-$name" type veth peer name eth0 netns "$namespace"
  ip -n "$lan" link set "to-$name" master br0 up
  ip -n "$namespace" address add "$address/24" dev eth0
  ip -n "$namespace" link set eth0 up
  start "server-$name" ip netns exec "$namespace" "$vesta" server \
    --config.file=prometheus.yml --storage.tsdb.path="server-$name" \
    --web.listen-address=0.0.0.0:9090 --web.enable-lifecycle \
    --cluster.member="server-$name" --cluster.listen-address="$address:9094" \
    --cluster.store-address="$address:10901" \
    --cluster.peer=10.77.0.11:9094 --cluster.peer=10.77.0.12:9094
  start "keepalived-$name" ip netns exec "$namespace" keepalived --dont-fork --log-console --vrrp \
    --use-file="$folder/keepalived-$name.conf" --pid="$folder/keepalived-$name.run" \
    --vrrp_pid="$folder/vrrp-$name.run"
}

start shop ip netns exec "$lan" "$vesta" shop --web.listen-address=10.77.0.1:8080
machine a "$a" 10.77.0.11
machine b "$b" 10.77.0.12

for try in $(seq 150); do
  ip netns exec "$lan" curl -fs -m 1 -o /dev/null http://10.77.0.100:9090/-/ready && break
  [ "$try" -lt 150 ] || { echo "nobody has the virtual address: see $folder/*.log" >&2; exit 1; }
  sleep 0.2
done

echo "Grafana's data source, within the network: http://10.77.0.100:9090"
echo "  ip netns exec $lan curl -s http://10.77.0.100:9090/-/leader"
echo "  ip -n $a -brief address show eth0     # has it 10.77.0.100?"
echo "  kill -9 \$(cat $folder/server-a.pid)"
stay
