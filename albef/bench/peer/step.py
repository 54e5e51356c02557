"""A pretraining step in PyTorch, of the official code or the one in modern.py:
its time, or what it computes.

usage: step.py [--official DIR | --modern] --config JSON --batch N --dtype fp32|bf16 --threads N [--device D]
               [--warmup N] [--steps N]
       step.py --official DIR ... --record DIR --steps N
       step.py --modern ... --repeat DIR --steps N

The work is that of `vlab bench step`: random pixels, texts of 25 tokens with up
to 9 of padding, distillation 0.4, AdamW; a step is the forward with its
momentum and queue updates, the backward and the optimiser. It prints one JSON
object. With --record it writes weights, inputs, masks and losses to DIR
instead, negatives being the likeliest ones and not drawn; --repeat does the same
steps with what --record wrote and prints their losses. --compile has torch.compile
rewrite the modern model's encoders.
"""
import argparse
import json
import os
import time
import types

import torch

import modern
import official
import timing

LENGTH = 25  # tokens a text


def texts(batch, vocab):
    ids = torch.randint(1000, min(30000, vocab), (batch, LENGTH))
    ids[:, 0] = 101
    mask = torch.ones_like(ids)
    for i in range(batch):
        end = LENGTH - i % 4 * 3
        ids[i, end:] = 0
        mask[i, end:] = 0
    return types.SimpleNamespace(input_ids=ids, attention_mask=mask)


class Step:
    def __init__(self, args, sizes):
        self.parts = []
        self.model = official.pretrain_model(args.official, sizes)
        self.opt = official.optimizer(self.model)
        self.images = torch.randn(args.batch, 3, sizes["image_res"], sizes["image_res"])
        self.text = texts(args.batch, sizes["vocab_size"])
        self.dtype = args.dtype

    def losses(self):
        return self.model(self.images, self.text, alpha=0.4)

    def __call__(self):
        at = [time.perf_counter()]
        self.opt.zero_grad()
        with timing.autocast(self.dtype):
            self.last = self.losses()
            loss = sum(self.last)
        at.append(time.perf_counter())
        loss.backward()
        at.append(time.perf_counter())
        self.opt.step()
        at.append(time.perf_counter())
        self.parts.append({name: 1e3 * (end - begin) for name, begin, end in zip(("forward_ms", "backward_ms", "update_ms"), at, at[1:])})
        return self.last


class ModernStep(Step):
    def __init__(self, args, sizes):
        self.parts = []
        self.model = modern.ALBEF(sizes).train()
        if args.compile:
            for part in ("visual_encoder", "visual_encoder_m"):
                getattr(self.model, part).compile()
            for part in (self.model.text_encoder, self.model.text_encoder_m):
                for layer in part.bert["encoder"]["layer"]:
                    layer.compile()
        self.opt = modern.optimizer(self.model)
        self.images = torch.randn(args.batch, 3, sizes["image_res"], sizes["image_res"])
        self.text = texts(args.batch, sizes["vocab_size"])
        self.dtype = args.dtype

    def losses(self):
        return self.model(self.images, self.text.input_ids, self.text.attention_mask, 0.4)


def record(step, args):
    """Runs a few steps that another implementation can repeat."""
    torch.multinomial = lambda weights, n: weights.argmax(-1, keepdim=True)
    out = {"images": step.images, "ids": step.text.input_ids, "mask": step.text.attention_mask}
    torch.save({name: x.cpu() for name, x in step.model.state_dict().items()}, os.path.join(args.record, "weights.pth"))
    draw = step.model.mask

    def mask(*rest, **named):
        out[f"masked.{i}"], out[f"labels.{i}"] = draw(*rest, **named)
        return out[f"masked.{i}"], out[f"labels.{i}"]

    step.model.mask = mask
    for i in range(args.steps):
        out[f"losses.{i}"] = torch.stack([loss.detach().float() for loss in step()])
    torch.save({name: x.cpu() for name, x in out.items()}, os.path.join(args.record, "steps.pth"))


def repeat(step, args):
    """Does the steps that record did, and prints their losses."""
    kept, weights = (torch.load(os.path.join(args.repeat, name), map_location=args.device) for name in ("steps.pth", "weights.pth"))
    step.model.load_state_dict(weights)
    step.images, step.text = kept["images"], types.SimpleNamespace(input_ids=kept["ids"], attention_mask=kept["mask"])
    step.model.draw = lambda weights: weights.argmax(1)

    def hidden(_):
        labels = kept[f"labels.{i}"].flatten()
        places = (labels != modern.IGNORED).nonzero().squeeze(1)
        return kept[f"masked.{i}"], places, labels[places]

    step.model.hidden = hidden
    for i in range(args.steps):
        print(json.dumps([float(loss.detach()) for loss in step()]))


def main():
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--official")
    which.add_argument("--modern", action="store_true")
    parser.add_argument("--config", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--record")
    parser.add_argument("--repeat")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    torch.manual_seed(0)
    if args.official:
        official.single_process(timing.device())
    step = (Step if args.official else ModernStep)(args, json.loads(args.config))
    if args.record:
        record(step, args)
    elif args.repeat:
        repeat(step, args)
    else:
        measured = timing.measure(step, args, "step")
        print(json.dumps(dict(measured, loss=float(sum(step.last).detach()))))


if __name__ == "__main__":
    main()
