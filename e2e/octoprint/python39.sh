#!/bin/bash
# Python 3.9 for the OctoPrint releases that run on nothing newer; prints where it lies.
#
#   python39.sh FOLDER
#
# Debian 11 has it, and a Debian of today can run it from a folder: only three libraries of that age are missing, which come along.
# Nothing of the machine's own Python or its package lists changes. It takes a few seconds and 30 MB.
# Environment: DEBIAN_MIRROR (default: the one that apt uses here)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../settings.sh"
FOLDER=$(realpath -m "$1")
PYTHON=$FOLDER/root/usr/bin/python3.9
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
PACKAGES=(python3.9-minimal libpython3.9-minimal libpython3.9-stdlib python3.9-venv python-pip-whl python3-distutils python3-lib2to3
	libssl1.1 libffi7 libmpdec3)

# apt_here: apt with lists, cache and sources of its own, that knows of no installed package.
apt_here() {
	apt-get -q -o Dir::Etc::SourceList="$FOLDER/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$FOLDER/lists" \
		-o Dir::State::status=/dev/null -o Dir::Cache="$FOLDER/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

install() {
	local mirror libraries
	mirror=$(debian_mirror)
	rm -rf "$FOLDER"
	mkdir -p "$FOLDER"/{lists,cache/archives}/partial "$FOLDER/packages" "$FOLDER/root"
	[ -e "$KEYRING" ] || install_packages debian-archive-keyring
	need_packages patchelf:patchelf
	echo "deb [signed-by=$KEYRING] ${mirror:-http://deb.debian.org/debian} bullseye main" >"$FOLDER/sources.list"
	apt_here update
	(cd "$FOLDER/packages" && apt_here download "${PACKAGES[@]}")
	for package in "$FOLDER"/packages/*.deb; do dpkg-deb -x "$package" "$FOLDER/root"; done
	sed -i "s#/usr/share/python-wheels#$FOLDER/root&#" "$FOLDER/root/usr/lib/python3.9/ensurepip/__init__.py"
	# Its modules look for these libraries where the system has none.
	libraries=$(dirname "$(find "$FOLDER/root" -name libssl.so.1.1)")
	find "$FOLDER/root" -type f \( -name '*.so' -o -name 'libssl.so.*' \) -exec patchelf --set-rpath "$libraries" {} +
	rm -rf "$FOLDER"/{lists,cache,packages}
	"$PYTHON" -c 'import bz2, ctypes, decimal, distutils.core, ensurepip, hashlib, lzma, sqlite3, ssl, venv'
}

if [ ! -e "$FOLDER/ready" ]; then
	need_root
	install >&2
	touch "$FOLDER/ready"
fi
echo "$PYTHON"
