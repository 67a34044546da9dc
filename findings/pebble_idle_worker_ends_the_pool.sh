#!/usr/bin/env bash
# pebble 5.2.3: a worker process that ends while it works fails its own task only, with ProcessExpired, and the others
# go on. A worker that ends while it waits for a task, as under memory pressure, does not get replaced: the pool gives
# up for good, and the next task raises RuntimeError.
# Seen: "busy worker: ProcessExpired, next task: 7" and "idle worker: RuntimeError: Unexpected error within the Pool".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pebble==5.2.3
cd "$folder"
cat > check.py <<'PYTHON'
import multiprocessing
import os
import signal
import time
from importlib.metadata import version

from pebble import ProcessExpired, ProcessPool


def end():
    os.kill(os.getpid(), signal.SIGKILL)


def seven():
    return 7


def process_id():
    return os.getpid()


if __name__ == "__main__":
    print("pebble", version("pebble"))
    context = multiprocessing.get_context("spawn")
    with ProcessPool(max_workers=1, context=context) as pool:
        try:
            pool.schedule(end).result()
            busy = "no error"
        except ProcessExpired:
            busy = "ProcessExpired"
        busy += f", next task: {pool.schedule(seven).result()}"
    print("busy worker:", busy)
    with ProcessPool(max_workers=1, context=context) as pool:
        os.kill(pool.schedule(process_id).result(), signal.SIGKILL)
        time.sleep(3)
        try:
            idle = str(pool.schedule(seven).result(timeout=20))
        except Exception as error:
            idle = f"{type(error).__name__}: {error}"
    print("idle worker:", idle)
    assert busy == "ProcessExpired, next task: 7", "pebble treats busy workers otherwise now"
    assert idle == "RuntimeError: Unexpected error within the Pool", "pebble treats idle workers otherwise now"
PYTHON
env/bin/python check.py
