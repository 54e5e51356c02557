"""Round trips of cells beside ipykernel's: roundtrip.py [N]. The kernels take turns."""

import statistics
import sys
import time

from jupyter_client.manager import KernelManager

CELLS = {"an empty cell": "", "1+1": "1+1"}


def start(name):
    km = KernelManager(kernel_name=name)
    km.start_kernel()
    kc = km.client()
    kc.start_channels()
    kc.wait_for_ready(timeout=60)
    return km, kc


def round_trip(kc, code):
    """Seconds from the sending of a cell to the idle status that it ends with."""
    began = time.perf_counter()
    msg_id = kc.execute(code)
    while True:
        msg = kc.get_iopub_msg(timeout=60)
        if msg["parent_header"].get("msg_id") == msg_id and msg["content"].get("execution_state") == "idle":
            took = time.perf_counter() - began
            break
    while kc.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != msg_id:
        pass
    return took


n = int(sys.argv[1]) if len(sys.argv) > 1 else 300
kernels = {name: start(name) for name in ("vlab", "python3")}
for cell, code in CELLS.items():
    times = {name: [] for name in kernels}
    for i in range(n):
        for name, (_, kc) in kernels.items():
            took = round_trip(kc, code)
            if i >= 10:
                times[name].append(took)
    ours, theirs = (1000 * statistics.median(times[name]) for name in ("vlab", "python3"))
    print(f"{cell:14} vlab {ours:.2f} ms   ipykernel {theirs:.2f} ms   ratio {ours / theirs:.2f}")
for km, kc in kernels.values():
    kc.stop_channels()
    km.shutdown_kernel(now=True)
