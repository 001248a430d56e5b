# Settings and helpers shared by the shell scripts of this folder; to be sourced.
#
# OCTOPRINT2MQTT_E2E_CACHE  where everything lies (default: octoprint2mqtt-e2e in the user's cache folder)
# OCTOPRINT2MQTT_E2E_PORT   first of the twenty ports on 127.0.0.1 that the servers use (default: 15500)
# OCTOPRINT2MQTT_E2E_VERSIONS  "all", or a list of OctoPrint versions: only the test of versions runs, with these, and only
#                           what it needs is installed and started. Without it all tests run, that one with three versions

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
E2E_CACHE=$(realpath -m "${OCTOPRINT2MQTT_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/octoprint2mqtt-e2e}")
E2E_PORT=${OCTOPRINT2MQTT_E2E_PORT:-15500}
BROKER_PORT=$E2E_PORT
HA_PORT=$((E2E_PORT + 1))
OCTOPRINT_PORT=$((E2E_PORT + 11))
OCTOPRINT_COUNT=3
OCTOPRINT_VERSION=1.11.8
VERSION_PORT=$((E2E_PORT + 14))
ONLY_VERSIONS=${OCTOPRINT2MQTT_E2E_VERSIONS:-}
OCTOPRINT_VERSIONS=${ONLY_VERSIONS:-1.5.3 1.11.8 2.0.0rc7}
[ "$OCTOPRINT_VERSIONS" != all ] || OCTOPRINT_VERSIONS="1.5.3 1.6.1 1.7.3 1.8.7 1.9.3 1.10.3 1.11.8 2.0.0rc7"
export OCTOPRINT_DIR=$E2E_CACHE/octoprint
export HA_DIR=$E2E_CACHE/homeassistant
export HA_URL=http://127.0.0.1:$HA_PORT
# Debian keeps daemons where only root's shell looks for them.
PATH=$PATH:/usr/sbin:/sbin

# say TEXT: one line of progress, with the seconds since the script started.
say() { echo "[${SECONDS}s] $*"; }

# need_root: the packages and Home Assistant's Debian folder need it.
need_root() {
	[ "$(id -u)" = 0 ] || { echo "this has to run as root: it installs packages and changes into a Debian folder" >&2; exit 2; }
}

# need_packages COMMAND:PACKAGE...: installs the packages whose command is missing.
need_packages() {
	local pair missing=()
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# need_compiler: gcc with the C library's headers.
need_compiler() {
	need_packages gcc:gcc
	[ -e /usr/include/stdlib.h ] || install_packages libc6-dev
}

# debian_mirror: where apt gets Debian's packages here; nothing if that can't be seen.
debian_mirror() {
	echo "${DEBIAN_MIRROR:-$(grep -hoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
		grep -v snapshot | head -n 1 | tr -d ' ' || true)}"
}

# install_packages PACKAGE...: by apt, refreshing its lists only when they don't suffice; one caller at a time.
install_packages() {
	say "installing ${*}"
	need_root
	mkdir -p "$E2E_CACHE"
	local log=$E2E_CACHE/apt.log
	if ! flock "$E2E_CACHE/apt.lock" bash -c "$(declare -f apt_install); apt_install \"\$@\"" apt "$@" >>"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		exit 1
	fi
}

apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	local apt=(apt-get -o DPkg::Lock::Timeout=600 -y --no-install-recommends)
	"${apt[@]}" install "$@" || { "${apt[@]}" update && "${apt[@]}" install "$@"; }
}

# pid_of FILE WORD: the process that FILE names, if it still runs a command line with WORD in it.
pid_of() {
	local pid
	pid=$(cat "$1" 2>/dev/null) && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$2" && echo "$pid"
}

# need_free_port PORT: fails when somebody else listens there already.
need_free_port() {
	if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
		echo "something listens on port $1 already; set OCTOPRINT2MQTT_E2E_PORT to another first port" >&2
		return 1
	fi
}

# stop_pid FILE WORD: ends that process, by force after 30 s.
stop_pid() {
	local pid
	if pid=$(pid_of "$1" "$2"); then
		kill -TERM "$pid"
		for _ in $(seq 300); do [ -e "/proc/$pid/cmdline" ] && [ -n "$(pid_of "$1" "$2")" ] || break; sleep 0.1; done
		if pid_of "$1" "$2" >/dev/null; then kill -KILL "$pid"; fi
	fi
	rm -f "$1"
}
