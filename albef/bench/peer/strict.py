"""Loads checkpoints into the official classes, strictly.

    strict.py CHECKOUT SIZES KIND=FILE ...

SIZES is a JSON object of sizes, as step.py takes them, and KIND the name of an
official model file without model_: pretrain, retrieval, vqa, ve, nlvr or
pretrain_nlvr. Prints the number of tensors of each file; a name that is missing
or left over, or another shape, ends it. A file with an optimiser has its state
loaded into the official one too.
"""
import json
import sys

import torch

import official


def main():
    checkout, sizes, *files = sys.argv[1:]
    sizes = json.loads(sizes)
    for kind, file in (f.split("=", 1) for f in files):
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        model = official.albef(checkout, "models.model_" + kind, sizes)
        state = model.state_dict()
        order = [name for name in checkpoint["model"] if name in state] == list(state)
        model.load_state_dict(checkpoint["model"], strict=True)
        optimizer = official.optimizer(model)
        if "optimizer" in checkpoint:
            optimizer.load_state_dict(checkpoint["optimizer"])
        moments = sum(len(s) == 3 for s in optimizer.state_dict()["state"].values())
        print(json.dumps({"kind": kind, "tensors": len(state), "in_order": order, "moments": moments}))


if __name__ == "__main__":
    main()
