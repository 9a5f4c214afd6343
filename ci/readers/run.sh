#!/bin/sh
# Lets the second readers read evidence folders. usage: run.sh DIR…
# Exit status 1 if two readers disagree, or if nothing was read.
if [ $# -eq 0 ]; then
	echo "usage: run.sh DIR…" >&2
	exit 2
fi
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import cryptography' 2>/dev/null; then
	echo "skip     readers: Python or its module cryptography is missing"
	echo "readers: 0 passed, 0 failed, 1 skipped"
	exit 0
fi
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$python" "$here/run.py" "$@"
