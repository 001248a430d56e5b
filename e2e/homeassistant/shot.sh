#!/bin/bash
# Takes a picture of a page of the running Home Assistant.
#
#   shot.sh PATH FILE.png [--width W] [--height H] [--wait MS] [--click TEXT]... [--dark] [--full] [--text]
#   e.g.  shot.sh /lovelace/0 start.png     shot.sh /config/devices/device/ID device.png --text
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../settings.sh"
need_packages chromium:chromium
command -v npm >/dev/null || { echo "this needs node with npm" >&2; exit 2; }
mkdir -p "$HA_DIR/shot"
[ -d "$HA_DIR/shot/node_modules/playwright-core" ] ||
	(cd "$HA_DIR/shot" && npm install --no-audit --no-fund --silent playwright-core@1.65.1)
NODE_PATH=$HA_DIR/shot/node_modules CHROMIUM=$(command -v chromium) exec timeout 120 node "$HERE/shot.js" "$@"
