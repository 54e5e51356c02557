"""Describes and makes files of torch.save, for python_test.go.

    torchfile.py describe FILE weights_only|anything   what torch.load sees
    torchfile.py make FILE zip|legacy|protocol4        writes a file, prints what it holds
    torchfile.py safetensors-describe FILE
    torchfile.py safetensors-make FILE
"""

import argparse
import collections
import struct
import sys

try:
    import numpy
    import safetensors
    import safetensors.torch
    import torch
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}


class Describer:
    def __init__(self):
        self.ids = {}
        self.lines = []

    def line(self, depth, text):
        self.lines.append(" " * depth + text)

    def value(self, v, depth=0):
        if v is None:
            self.line(depth, "None")
        elif isinstance(v, bool):
            self.line(depth, "bool " + str(v).lower())
        elif isinstance(v, float):
            self.line(depth, "float %016x" % struct.unpack("<Q", struct.pack("<d", v)))
        elif isinstance(v, int):
            self.line(depth, "int %d" % v)
        elif isinstance(v, (str, torch.device)):
            self.line(depth, "str " + str(v).encode().hex())
        elif isinstance(v, (bytes, bytearray)):
            self.line(depth, "bytes " + bytes(v).hex())
        elif isinstance(v, torch.dtype):
            self.line(depth, "symbol " + str(v))
        elif isinstance(v, torch.Tensor):
            self.tensor(v, depth)
        elif isinstance(v, argparse.Namespace):
            self.mapping("dict", vars(v), depth)
        elif isinstance(v, collections.OrderedDict):
            self.mapping("OrderedDict", v, depth)
            if vars(v):
                self.value(vars(v), depth + 1)
        elif isinstance(v, dict):
            self.mapping("dict", v, depth)
        elif isinstance(v, (list, tuple, set)):
            kind = "list" if isinstance(v, list) else "set" if isinstance(v, set) else "tuple"
            self.line(depth, "%s %d" % (kind, len(v)))
            for x in v:
                self.value(x, depth + 1)
        else:
            self.value(v.item(), depth)  # a numpy scalar

    def mapping(self, kind, v, depth):
        self.line(depth, "%s %d" % (kind, len(v)))
        for k, x in v.items():
            self.value(k, depth + 1)
            self.value(x, depth + 2)

    def tensor(self, t, depth):
        flat = t.detach().contiguous()
        data = flat.reshape(-1).view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        number = -1
        if flat.numel():
            key = (t.data_ptr(), t.stride() if not t.is_contiguous() else ())
            number = self.ids.setdefault(key, len(self.ids))
        shape = " ".join(map(str, t.shape))
        self.line(depth, "tensor %s [%s] #%d %s" % (NAMES[t.dtype], shape, number, data.hex()))


def describe(v):
    d = Describer()
    d.value(v)
    return "\n".join(d.lines) + "\n"


def sample(plain):
    """All that a reader must cope with; plain leaves out what old pickles of other modules need."""
    torch.manual_seed(1)
    big = torch.randn(4, 6)
    state = collections.OrderedDict(
        weight=big, tied=big, transposed=big.t(), tied_transposed=big.t(), row=big[2], column=big[:, 1],
        expanded=torch.randn(3, 1).expand(3, 5), scalar=torch.tensor(0.07), empty=torch.zeros(0, 3),
        one=torch.randn(1, 1, 4).transpose(0, 1), parameter=torch.nn.Parameter(torch.randn(2)),
    )
    for dtype in NAMES:
        state[str(dtype)] = (torch.arange(-3, 9) * 1.5).to(dtype)
    module = torch.nn.Linear(2, 3)
    v = {
        "model": state, "module": module.state_dict(), "epoch": 3, 7: [1, -1, 255, 256, 65536, -(2 ** 31), 2 ** 40, 2 ** 63, -(2 ** 70)],
        "none": None, "flags": (True, False), "pairs": {("a", 1): 2.5}, "text": "grün ✓", "size": torch.Size([2, 3]),
        "bytes": b"\x00\xff", "dtype": torch.bfloat16, "device": torch.device("cpu"), "set": {5},
        "float": [0.1, float("inf"), -0.0], "milestones": collections.Counter([10, 10, 20]), "nested": [[[]], {}, ()],
        "uint16_free": torch.arange(3, dtype=torch.uint8),
    }
    if not plain:
        v["args"] = argparse.Namespace(lr=0.1, name="x")
        v["best"] = numpy.float64(71.25)
        v["best32"] = numpy.float32(0.5)
        v["count"] = numpy.int64(-4)
    return v


def main():
    command, path, *rest = sys.argv[1:]
    if command == "describe":
        sys.stdout.write(describe(torch.load(path, weights_only=rest[0] == "weights_only")))
    elif command == "make":
        v = sample(plain=False)
        options = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}, "protocol4": {"pickle_protocol": 4}}
        torch.save(v, path, **options[rest[0]])
        sys.stdout.write(describe(v))
    elif command == "safetensors-describe":
        with safetensors.safe_open(path, framework="pt") as f:
            sys.stdout.write(describe({k: f.get_tensor(k) for k in sorted(f.keys())}))
            sys.stdout.write(str(sorted((f.metadata() or {}).items())) + "\n")
    elif command == "safetensors-make":
        torch.manual_seed(2)
        tensors = {str(d): (torch.arange(5) * 1.5).to(d) for d in NAMES}
        tensors["scalar"] = torch.tensor(2.5)
        tensors["empty"] = torch.zeros(2, 0)
        safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
        sys.stdout.write(describe({k: tensors[k] for k in sorted(tensors)}))
    else:
        sys.exit("unknown command " + command)


main()
