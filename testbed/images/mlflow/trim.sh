#!/bin/sh
# Removes from the virtual environment $1 what only developers of its packages need, then compiles the rest.
set -eu
venv=$1
site=$(echo "$venv"/lib/python3*/site-packages)

"$venv/bin/python" -m pip uninstall --yes --quiet pip setuptools
# Test suites: `tests` beside the code of a package, never a top-level package of that name.
find "$site" -mindepth 2 -type d -name tests -prune -exec rm -rf {} +
# Headers, type stubs, Cython and C sources, static libraries.
find "$site" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.a' -o -name '*.h' -o -name '*.hpp' \
    -o -name '*.c' -o -name '*.cpp' \) -delete
# The asynchronous twin of the Kubernetes client, 66 MB: MLflow uses the other one.
rm -rf "$site/kubernetes/aio"

# Symbols of extension modules, 100 MB. Libraries that were relocated into a wheel (*.libs) do not survive that; every
# file that was stripped must still load.
find "$site" -type f -name '*.so*' ! -path '*.libs/*' | while read -r file; do
    strip --strip-unneeded -o "$file.stripped" "$file" && mv "$file.stripped" "$file"
done
"$venv/bin/python" - "$site" <<'PYTHON'
import ctypes, os, pathlib, sys
for file in pathlib.Path(sys.argv[1]).rglob("*.so*"):
    ctypes.PyDLL(str(file))
os._exit(0)  # without unloading: these modules were never initialised
PYTHON

# The image never changes, so Python need not compare the compiled files with their sources at each start.
"$venv/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site" || echo "trim: some files do not compile"
