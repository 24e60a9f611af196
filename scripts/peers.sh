#!/usr/bin/env bash
# Installs the real peers that the tests talk to (tests/peers.txt), where they are missing. Debian and its kin.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
    command -v "$package" >/dev/null && continue  # from elsewhere
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < tests/peers.txt
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "make test needs ${missing[*]}: install them with your system's package manager" >&2
    exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then root=(sudo); fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
# No service of theirs is to be started on this machine: the tests start their own, in folders of their own.
printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
"${root[@]}" chmod +x /usr/sbin/policy-rc.d
trap '"${root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
"${root[@]}" apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
