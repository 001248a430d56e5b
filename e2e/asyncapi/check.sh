#!/bin/bash
# Holds an AsyncAPI document against AsyncAPI's own parser: says what it finds, and fails if it finds errors or warnings. Installs the parser on first use.
#
#   check.sh FILE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../settings.sh"
PARSER=@asyncapi/parser@3.6.6
DIR=$E2E_CACHE/asyncapi

command -v npm >/dev/null || { echo "this needs node with npm" >&2; exit 2; }
if [ "$(cat "$DIR/installed" 2>/dev/null)" != "$PARSER" ]; then
	mkdir -p "$DIR"
	npm install --prefix "$DIR" --ignore-scripts --no-audit --no-fund --loglevel=error "$PARSER" >&2
	echo "$PARSER" >"$DIR/installed"
fi
NODE_PATH=$DIR/node_modules exec timeout 120 node "$E2E_DIR/asyncapi/check.js" "$1"
