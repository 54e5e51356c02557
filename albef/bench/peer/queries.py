"""ALBEF's queries in PyTorch, by the official code or that of modernqueries.py:
their time, or what they compute.

usage: queries.py WORK --official DIR | --modern  --config JSON --shape JSON --batch N --dtype fp32|bf16 --threads N
           [--device D] [--warmup N] [--steps N]
       queries.py WORK --official DIR ... --record DIR
       queries.py WORK --modern ... --repeat DIR

The work is that of `vlab bench WORK`, whose sizes are in --config and --shape, on
random weights, pixels and token ids. It prints one JSON object. With --record it
writes weights, inputs and results to DIR instead; --repeat does the same with
what --record wrote and writes its results to DIR/modern.pth.

rerank is the checkout's own evaluation (Retrieval.py), gradcam its val
(Grounding.py), answer its model's forward (model_vqa.py), decode its pretraining
dataset (dataset/), and embed what evaluation does to a batch of images and texts,
which is no function of its own.
"""
import argparse
import contextlib
import datetime
import json
import os
import random
import sys
import tempfile
import time
import types

import numpy as np
import torch
import torch.nn.functional as F

import modernqueries
import official
import timing

CLS, SEP, PAD = 101, 102, 0


class Encoded(types.SimpleNamespace):
    """What a tokenizer returns."""

    def to(self, _):
        return self


class Images(list):
    """What evaluation takes for a loader: batches of images, and a dataset."""


def texts(lengths, width, vocab):
    """Random texts of these lengths, padded to width, and their mask."""
    ids, mask = torch.zeros(len(lengths), width, dtype=torch.long), torch.zeros(len(lengths), width, dtype=torch.long)
    for i, n in enumerate(lengths):
        ids[i, :n], mask[i, :n] = torch.randint(1000, min(30000, vocab), (n,)), 1
        ids[i, 0], ids[i, n - 1] = CLS, SEP
    return ids, mask


class Query:
    """A work: inputs by name, a call by the official code, one by the modern."""

    model = "models.model_retrieval"

    def __init__(self, args):
        self.args, self.sizes, self.shape = args, json.loads(args.config), json.loads(args.shape)
        self.inputs = self.draw()
        if args.modern:
            self.net, self.run = modernqueries.Model(self.sizes), self.today
        else:
            self.net, self.run = official.albef(args.official, self.model, self.sizes).eval(), self.theirs
            self.prepare(args.official)

    def images(self, n):
        return torch.randn(n, 3, self.sizes["image_res"], self.sizes["image_res"])

    def draw(self):
        n, width = self.args.batch, self.shape["tokens"]
        ids, mask = texts([width - i % 4 * self.shape.get("padding", 0) for i in range(n)], width, self.sizes["vocab_size"])
        return {"images": self.images(n), "ids": ids, "mask": mask}

    def prepare(self, checkout):
        pass

    def settle(self):
        self.net.settle(torch.bfloat16 if self.args.dtype == "bf16" else torch.float32)

    def theirs(self):
        """The official code's results, by name."""
        raise NotImplementedError

    def today(self):
        """The modern code's."""
        raise SystemExit(f"{self.args.work}: no modern form")

    def __call__(self):
        return self.run()


class Embed(Query):
    def theirs(self):
        net, x = self.net, self.inputs
        with torch.no_grad(), timing.autocast(self.args.dtype):
            image = F.normalize(net.vision_proj(net.visual_encoder(x["images"])[:, 0, :]), dim=-1)
            states = net.text_encoder(x["ids"], attention_mask=x["mask"], return_dict=True, mode="text").last_hidden_state
            return {"images": image, "texts": F.normalize(net.text_proj(states[:, 0, :]), dim=-1)}

    def today(self):
        return dict(zip(("images", "texts"), modernqueries.embed(self.net, **self.inputs)))


class GradCAM(Query):
    def prepare(self, checkout):
        grid = self.sizes["image_res"] // 16
        self.val = official.function(checkout, "Grounding.py", "val", {"torch": torch, "F": F, "utils": __import__("utils")}, [
            ("12, -1, 24, 24)", f"{self.sizes['num_attention_heads']}, -1, {grid}, {grid})")])

    def theirs(self):
        x = self.inputs
        encode = lambda text, **_: Encoded(input_ids=x["ids"], attention_mask=x["mask"])
        with timing.autocast(self.args.dtype):
            found = self.val(self.net, [(x["images"], None, torch.arange(len(x["ids"])))], encode, "cpu", "itm", self.shape["layer"])
        return {"maps": torch.stack([one["pred"] for one in found])}

    def today(self):
        return {"maps": modernqueries.gradcam(self.net, **self.inputs, at=self.shape["layer"])}


class Rerank(Query):
    def draw(self):
        ids, mask = texts(self.shape["captions"], 30, self.sizes["vocab_size"])
        return {"images": self.images(self.shape["images"]), "ids": ids, "mask": mask}

    def prepare(self, checkout):
        import utils
        within = {"torch": torch, "F": F, "np": np, "time": time, "datetime": datetime, "utils": utils,
                  "args": types.SimpleNamespace(distributed=False)}
        self.evaluation = official.function(checkout, "Retrieval.py", "evaluation", within)
        # The official score matrix is float32, and takes nothing else.
        self.net.itm_head.register_forward_hook(lambda module, given, out: out.float())

    def theirs(self):
        x = self.inputs
        loader = Images((part, None) for part in x["images"].split(self.args.batch))
        loader.dataset = types.SimpleNamespace(text=range(len(x["ids"])), image=range(len(x["images"])))
        encode = lambda part, **_: Encoded(input_ids=x["ids"][part.start:part.stop], attention_mask=x["mask"][part.start:part.stop])
        with timing.autocast(self.args.dtype):
            by_image, by_text = self.evaluation(self.net, loader, encode, "cpu", {"k_test": self.shape["k"]})
        return {"by_image": torch.from_numpy(by_image), "by_text": torch.from_numpy(by_text)}

    def today(self):
        return dict(zip(("by_image", "by_text"), modernqueries.rerank(self.net, **self.inputs, k=self.shape["k"], batch=self.args.batch)))


class Answer(Query):
    model = "models.model_vqa"

    def draw(self):
        lengths = [n + 2 for n in self.shape["words"]]
        answers, seen = texts(lengths, max(lengths), self.sizes["vocab_size"])
        return dict(super().draw(), answers=answers, answer_mask=seen)

    def theirs(self):
        x = self.inputs
        question = Encoded(input_ids=x["ids"], attention_mask=x["mask"])
        answers = Encoded(input_ids=x["answers"], attention_mask=x["answer_mask"])
        with torch.no_grad(), timing.autocast(self.args.dtype):
            found, likely = self.net(x["images"], question, answers, train=False, k=len(x["answers"]))
        return {"answers": found, "probabilities": likely}


class Decode:
    """The checkout's pretraining dataset, one picture after the other, on one
    core."""

    def __init__(self, args):
        sys.path.insert(0, args.official)
        # It measures grounding, and isn't asked to.
        sys.modules["refTools.evaluation.refEvaluation"] = types.SimpleNamespace(RefEvaluation=None)
        import cv2
        import dataset
        cv2.setNumThreads(args.threads)
        random.seed(0)
        np.random.seed(0)
        shape, sizes = json.loads(args.shape), json.loads(args.config)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump([{"image": path, "caption": shape["caption"]} for path in shape["pictures"]], f)
            f.flush()
            self.pictures = dataset.create_dataset("pretrain", {"train_file": [f.name], "image_res": sizes["image_res"]})
        self.batch, self.next = args.batch, 0

    def __call__(self):
        for _ in range(self.batch):
            self.pictures[self.next % len(self.pictures)]
            self.next += 1


WORKS = {"embed": Embed, "gradcam": GradCAM, "rerank": Rerank, "answer": Answer, "decode": Decode}


def record(query, path):
    torch.save(query.net.state_dict(), os.path.join(path, "weights.pth"))
    with contextlib.redirect_stdout(sys.stderr):
        found = query()
    save(dict(query.inputs, **{"out." + name: t for name, t in found.items()}), os.path.join(path, "official.pth"))


def repeat(query, path):
    query.net.adopt(torch.load(os.path.join(path, "weights.pth"), map_location=query.args.device))
    query.settle()
    query.inputs = {name: t for name, t in torch.load(os.path.join(path, "official.pth"), map_location=query.args.device).items() if not name.startswith("out.")}
    save({"out." + name: t for name, t in query().items()}, os.path.join(path, "modern.pth"))


def save(tensors, path):
    torch.save({name: t.detach().cpu().float().contiguous() if t.is_floating_point() else t.cpu().contiguous() for name, t in tensors.items()}, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=WORKS)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--official")
    which.add_argument("--modern", action="store_true")
    parser.add_argument("--config", required=True)
    parser.add_argument("--shape", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--record")
    parser.add_argument("--repeat")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    torch.manual_seed(0)
    query = WORKS[args.work](args)
    if args.record:
        return record(query, args.record)
    if args.repeat:
        return repeat(query, args.repeat)
    if args.modern:
        query.settle()
    print(json.dumps(timing.measure(query, args, args.work)))


if __name__ == "__main__":
    main()
