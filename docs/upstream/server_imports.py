"""Shows what the server imports and never uses to answer a request.

Usage: server_imports.py
"""

import subprocess
import sys

HEAVY = ("pandas", "pyarrow")
SERVER = f"""
import sys, mlflow.server.fastapi_app
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""
COST = """
import numpy, resource, time
def memory():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if "VmRSS" in line)
start, before = time.process_time(), memory()
import {name}
print(f"{name}: {{memory() - before:.0f}} MiB, {{time.process_time() - start:.2f}} s of CPU")
"""


def output(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


found = output(SERVER).split()
print("imported by the server:", *found)
print(*(output(COST.format(name=name)) for name in HEAVY), sep="\n")
if found != list(HEAVY):
    sys.exit("not reproduced")
