#!/bin/bash
# Installs and starts a real Home Assistant as an MQTT client.
#
# Home Assistant needs a newer Python than Debian stable has, so it lives in a folder with Debian's unstable release,
# entered by chroot. All of it lies in $HA_DIR (about 1.7 GB); the first run takes two minutes, later ones ten seconds.
#
#   up.sh [--install-only] [--fresh] [--birth] [--again]
#     --fresh: start anew if it runs already   --birth: wait also for the birth message, 10 s after the start
#     --again: start with all settings, devices and entities of the last run; without it a start forgets them, for the
#     broker has forgotten what belongs to them, too
# Environment: HA_VERSION (2026.11.0), HA_PORT, BROKER_PORT, DEBIAN_MIRROR (default: the one that apt uses here)
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../settings.sh"
HA_VERSION=${HA_VERSION:-2026.11.0}
ROOT=$HA_DIR/root
SITE=/opt/ha/lib/python3.14/site-packages
START=1 FRESH=0 AGAIN=0
for arg in "$@"; do
	case $arg in
	--install-only) START=0 ;;
	--fresh) FRESH=1 ;;
	--birth) export WAIT_BIRTH=1 ;;
	--again) AGAIN=1 ;;
	*) echo "unknown argument $arg" >&2; exit 2 ;;
	esac
done
need_root
mkdir -p "$HA_DIR/run"
trap 'echo "Home Assistant: failed; see $HA_DIR/run/*.log" >&2' ERR

in_root() { chroot "$ROOT" env HOME=/root LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$@"; }

install_debian() {
	[ -e "$ROOT/.debian-done" ] && return
	local mirror
	mirror=$(debian_mirror)
	say "Home Assistant: Debian folder"
	rm -rf "$ROOT"
	# In a mount namespace of its own: whatever happens, nothing stays mounted in the folder.
	# shellcheck disable=SC2086 # no mirror: debootstrap's own default
	unshare -m debootstrap --variant=minbase \
		--include=ca-certificates,python3.14,python3.14-venv,python3.14-dev,gcc,g++,libc6-dev,libturbojpeg0 \
		sid "$ROOT" $mirror >"$HA_DIR/run/debootstrap.log" 2>&1
	rm -rf "$ROOT"/var/cache/apt/archives/*.deb "$ROOT"/var/lib/apt/lists/*
	touch "$ROOT/.debian-done"
}

# share_network: names, certificates and pip's settings as on this machine.
share_network() {
	cp -L /etc/resolv.conf /etc/hosts "$ROOT/etc/"
	if [ -s /etc/ssl/certs/ca-certificates.crt ]; then cp -L /etc/ssl/certs/ca-certificates.crt "$ROOT/etc/ssl/certs/"; fi
	if [ -e /etc/pip.conf ]; then cp -L /etc/pip.conf "$ROOT/etc/"; fi
}

install_homeassistant() {
	[ -e "$ROOT/opt/ha/.done-$HA_VERSION" ] && return
	say "Home Assistant: $HA_VERSION with what MQTT needs"
	[ -x "$ROOT/opt/ha/bin/python" ] || in_root python3.14 -m venv /opt/ha
	in_root python3.14 -m venv /opt/uv
	in_root /opt/uv/bin/pip install -q uv
	local uv=(in_root /opt/uv/bin/uv pip install --python /opt/ha/bin/python --cache-dir /opt/uvcache -q)
	"${uv[@]}" "homeassistant==$HA_VERSION"
	# The integrations' own requirements are installed now, so that Home Assistant needs no network when it runs.
	# shellcheck disable=SC2046 # one word per integration
	python3 "$HERE/reqs.py" "$ROOT$SITE/homeassistant" $(cat "$HERE/domains.txt") >"$ROOT/tmp/reqs.txt"
	"${uv[@]}" -c "$SITE/homeassistant/package_constraints.txt" -r /tmp/reqs.txt
	# The compiler was there for the few packages that come without a wheel.
	in_root env DEBIAN_FRONTEND=noninteractive apt-get -y --purge autoremove gcc g++ libc6-dev python3.14-dev >>"$HA_DIR/run/debootstrap.log" 2>&1 || true
	rm -rf "$ROOT/opt/uvcache" "$ROOT/opt/uv" "$ROOT"/root/.cache
	# Home Assistant only asks ffmpeg for its version; the real one would be another 500 MB.
	printf '#!/bin/sh\necho "ffmpeg version 7.1 Copyright (c) stand-in"\n' >"$ROOT/usr/bin/ffmpeg"
	chmod +x "$ROOT/usr/bin/ffmpeg"
	touch "$ROOT/opt/ha/.done-$HA_VERSION"
}

write_configuration() {
	local config=$ROOT/config
	mkdir -p "$config/.storage"
	ln -sfn root/config "$HA_DIR/config"
	# Only the step "user" is left for onboard.py: the end of the others would start integrations that call the internet.
	[ -e "$config/.storage/onboarding" ] ||
		echo '{"version":4,"minor_version":1,"key":"onboarding","data":{"done":["core_config","analytics","integration"]}}' >"$config/.storage/onboarding"
	# Settings of the web server count only from this store; written in YAML they would be undone after five minutes.
	cat >"$config/.storage/http" <<-END
		{"version":3,"minor_version":1,"key":"http","data":{"stable":{"server_host":["127.0.0.1"],"server_port":$HA_PORT,
		"cors_allowed_origins":[],"login_attempts_threshold":-1,"ip_ban_enabled":true,"ssl_profile":"intermediate_v6",
		"use_x_frame_options":true,"created_at":"2026-01-01T00:00:00+00:00","error":null,"error_message":null},
		"pending":null,"yaml_migration_done":true}}
	END
	cat >"$config/configuration.yaml" <<-END
		homeassistant:
		  name: Workshop
		  latitude: 52.52
		  longitude: 13.4
		  elevation: 40
		  unit_system: metric
		  time_zone: UTC
		  currency: EUR
		  country: DE
		  language: en
		logger:
		  default: warning
		  logs:
		    homeassistant.components.mqtt: info
		    homeassistant.helpers.entity: info
		system_log:
		  max_entries: 500
		frontend:
		history:
		logbook:
		trace:
		recorder:
		  commit_interval: 1
		automation: !include automations.yaml
		script: !include scripts.yaml
		scene: !include scenes.yaml
	END
	touch "$config/automations.yaml" "$config/scripts.yaml" "$config/scenes.yaml"
}

# start_process: in a mount namespace of its own, so that nothing stays mounted when it ends.
start_process() {
	local mounts="mount --make-rprivate / 2>/dev/null; mount -t proc proc '$ROOT/proc'; mount --rbind /dev '$ROOT/dev'; mount --rbind /sys '$ROOT/sys'"
	local clean="env -i HOME=/root LANG=C.UTF-8 PATH=/opt/ha/bin:/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
	local hass="/opt/ha/bin/hass -c /config --skip-pip --log-file /config/ha.log --log-rotate-days 1"
	setsid unshare -m bash -c "$mounts; exec $clean /usr/sbin/chroot '$ROOT' $hass" </dev/null >"$HA_DIR/run/ha.out" 2>&1 &
	echo $! >"$HA_DIR/run/ha.pid"
	say "Home Assistant: started, pid $!"
}

install_debian
share_network
install_homeassistant
[ $START = 1 ] || exit 0

running() { pid_of "$HA_DIR/run/ha.pid" hass >/dev/null; }
if [ $FRESH = 1 ]; then "$HERE/down.sh"; fi
if ! running; then
	need_free_port "$HA_PORT"
	if [ $AGAIN = 0 ]; then rm -rf "$ROOT/config" "$HA_DIR/token"; fi
	write_configuration
	start_process
fi
BROKER_PORT=$BROKER_PORT python3 "$HERE/onboard.py"
say "Home Assistant: ready at $HA_URL, user test, password test"
