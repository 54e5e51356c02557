"""How a peer's work is timed, and the object that it prints."""
import contextlib
import statistics
import sys
import time

import torch


def peak_mb():
    """Largest resident memory so far, MiB: getrusage's may be the parent's."""
    with open("/proc/self/status") as f:
        return next(float(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))


def device():
    """Where tensors are made: what the command line names is made the default."""
    return torch.get_default_device().type


def wait():
    """Returns when the device has done all that it was told."""
    if device() == "cuda":
        torch.cuda.synchronize()


def autocast(dtype):
    return torch.autocast(device(), torch.bfloat16) if dtype == "bf16" else contextlib.nullcontext()


def measure(run, args, work):
    """Times run() args.steps times, after args.warmup times that don't count.

    What run prints goes to stderr. Where it has parts, a list of named times in
    ms for every call, the medians of these are reported too, but of a device that
    works on its own.
    """
    took, busy = [], []
    with contextlib.redirect_stdout(sys.stderr):
        for i in range(args.warmup + args.steps):
            begin, began = time.perf_counter(), time.process_time()
            run()
            wait()
            if i >= args.warmup:
                took.append(1e3 * (time.perf_counter() - begin))
                busy.append(1e3 * (time.process_time() - began))
    out = {"work": work, "batch": args.batch, "dtype": args.dtype, "threads": torch.get_num_threads(),
           "median_ms": statistics.median(took), "min_ms": min(took), "cpu_ms": statistics.median(busy), "peak_rss_mb": peak_mb()}
    if device() == "cuda":
        return dict(out, peak_device_mb=torch.cuda.max_memory_reserved() / 2**20)
    parts = getattr(run, "parts", [])[args.warmup:]
    for name in parts[0] if parts else ():
        out[name] = statistics.median(part[name] for part in parts)
    return out
