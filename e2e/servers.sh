#!/bin/bash
# The servers that the end-to-end tests talk to: mosquitto, Home Assistant and three OctoPrint servers with virtual printers.
#
#   servers.sh install        download and install everything, start nothing
#   servers.sh up [--fresh]   install what is missing, start what doesn't run, write servers.json; --fresh: start all anew
#   servers.sh down           stop all of them
#   servers.sh broker-up, broker-down, octoprint-down PORT, octoprint-up PORT [VERSION [--fresh]]   one server alone
#   servers.sh broker-again, homeassistant-down, homeassistant-again   the same; "again": with all that it knew
#
# Settings: see settings.sh. `up` leaves its servers running; `down` ends them by the process ids noted in the cache folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
RUN=$E2E_CACHE/run

install_all() {
	need_root
	need_packages mosquitto:mosquitto mosquitto_sub:mosquitto-clients
	need_python
	[ -z "$ONLY_VERSIONS" ] || { install_versions; return; }
	need_packages debootstrap:debootstrap chromium:chromium
	local octoprint
	install_versions & octoprint=$!
	"$E2E_DIR/homeassistant/up.sh" --install-only || { wait "$octoprint" || true; return 1; }
	wait "$octoprint"
}

# install_versions: one after the other, for a machine that has something else to do; the three servers' own version first.
install_versions() {
	local version
	for version in $([ -n "$ONLY_VERSIONS" ] || echo "$OCTOPRINT_VERSION") $OCTOPRINT_VERSIONS; do
		python3 "$E2E_DIR/octoprint/octoprint.py" install --version "$version"
	done
}

# need_python: able to make virtual environments, and to compile the one requirement of OctoPrint that comes as source only.
need_python() {
	need_compiler
	python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
	python3 -c 'import pathlib, sysconfig; raise SystemExit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
		install_packages python3-dev
}

# broker_up [KEEP]: without KEEP it has forgotten everything. It saves what it retains when it ends and at SIGUSR1 only,
# so that a test can have it come back with what is old.
broker_up() {
	pid_of "$RUN/mosquitto.pid" mosquitto >/dev/null && return
	need_free_port "$BROKER_PORT"
	[ -n "${1:-}" ] || rm -rf "$RUN/mosquitto"
	mkdir -p "$RUN/mosquitto"
	cat >"$RUN/mosquitto.conf" <<-END
		listener $BROKER_PORT 127.0.0.1
		allow_anonymous true
		persistence true
		persistence_location $RUN/mosquitto/
		autosave_interval 0
		user root
		log_dest file $RUN/mosquitto.log
		log_timestamp_format %Y-%m-%dT%H:%M:%S
	END
	local pid
	setsid mosquitto -c "$RUN/mosquitto.conf" </dev/null >"$RUN/mosquitto.out" 2>&1 & pid=$!
	echo "$pid" >"$RUN/mosquitto.pid"
	for _ in $(seq 100); do
		mosquitto_pub -h 127.0.0.1 -p "$BROKER_PORT" -t e2e/up -m 1 2>/dev/null && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$RUN/mosquitto.out" "$RUN/mosquitto.log" >&2
	return 1
}

broker_down() { stop_pid "$RUN/mosquitto.pid" mosquitto; }

homeassistant_up() { BROKER_PORT=$BROKER_PORT HA_PORT=$HA_PORT "$E2E_DIR/homeassistant/up.sh" "$@"; }

octoprint_up() { # FIRST_PORT COUNT [--fresh]
	python3 "$E2E_DIR/octoprint/octoprint.py" up --first-port "$1" -n "$2" "${@:3}"
}

up() {
	install_all
	broker_up
	[ -z "$ONLY_VERSIONS" ] || { write_servers ""; return; }
	local octoprint
	octoprint_up "$OCTOPRINT_PORT" "$OCTOPRINT_COUNT" --version "$OCTOPRINT_VERSION" "$@" >"$RUN/octoprint.json" & octoprint=$!
	homeassistant_up --birth "$@" || { wait "$octoprint" || true; return 1; }
	wait "$octoprint"
	write_servers "
		\"homeassistant\": {\"url\": \"$HA_URL\", \"folder\": \"$HA_DIR\", \"token\": \"$(cat "$HA_DIR/token")\", \"log\": \"$HA_DIR/config/ha.log\"},
		\"octoprint\": $(cat "$RUN/octoprint.json"),"
}

write_servers() { # MORE: members of the file for what else runs
	cat >"$E2E_CACHE/servers.json" <<-END
		{"broker": {"host": "127.0.0.1", "port": $BROKER_PORT},$1
		 "spare_port": $((E2E_PORT + 2)),
		 "version_port": $VERSION_PORT, "versions": "$OCTOPRINT_VERSIONS"}
	END
	say "everything runs: see $E2E_CACHE/servers.json"
}

down() {
	"$E2E_DIR/homeassistant/down.sh" & local ha=$!
	python3 "$E2E_DIR/octoprint/octoprint.py" down
	wait "$ha" || true
	broker_down
}

case "${1:-}" in
install) install_all ;;
up) up "${@:2}" ;;
down) down ;;
broker-up) broker_up ;;
broker-again) broker_up keep ;;
broker-down) broker_down ;;
homeassistant-again) homeassistant_up --again ;;
homeassistant-down) "$E2E_DIR/homeassistant/down.sh" ;;
octoprint-up) octoprint_up "$2" 1 --version "${3:-$OCTOPRINT_VERSION}" "${@:4}" >/dev/null ;;
octoprint-down) python3 "$E2E_DIR/octoprint/octoprint.py" down "$2" ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
