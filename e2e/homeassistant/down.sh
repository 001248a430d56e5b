#!/bin/bash
# Stops the Home Assistant that up.sh started, by the process id that it noted.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../settings.sh"
stop_pid "$HA_DIR/run/ha.pid" hass
