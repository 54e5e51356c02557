"""The official ALBEF classes, loaded from a checkout, at any size.

The model files fix the image encoder at ViT-B, and some of them the number of
fusion layers: those numbers are replaced in memory, so that with the official
sizes the source means what it says on disk. A BERT with fresh weights stands in for the downloaded one.
"""
import ast
import json
import os
import sys
import tempfile
import types

VIT = ("embed_dim=768, depth=12, num_heads=12", "embed_dim={vision_width}, depth={vision_depth}, num_heads={vision_heads}")
DECODER = ("config_decoder.num_hidden_layers = 6", "config_decoder.num_hidden_layers = {fusion_layers}")
PAIRS = ("bert_config.num_hidden_layers = 18", "bert_config.num_hidden_layers = {fusion_layer} + 2 * {fusion_layers}")
SHARED = ("for i in range(6):\n            layer_num = 6+i*2", "for i in range({fusion_layers}):\n            layer_num = {fusion_layer}+i*2")
FIXED = {"models.model_vqa": [VIT, DECODER], "models.model_nlvr": [VIT, PAIRS, SHARED], "models.model_pretrain_nlvr": [VIT, PAIRS, SHARED]}


def bert_config(sizes):
    """config_bert.json of the checkout with its sizes replaced."""
    return {
        "architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_act": "gelu", "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0, "type_vocab_size": 2,
        "attention_probs_dropout_prob": sizes["dropout"], "hidden_dropout_prob": sizes["dropout"],
        "hidden_size": sizes["hidden_size"], "intermediate_size": sizes["intermediate_size"],
        "num_attention_heads": sizes["num_attention_heads"], "num_hidden_layers": sizes["num_hidden_layers"],
        "max_position_embeddings": sizes["max_position_embeddings"], "vocab_size": sizes["vocab_size"],
        "fusion_layer": sizes["fusion_layer"], "encoder_width": sizes["vision_width"],
    }


def single_process(device):
    """concat_all_gather wants a process group, of one process if need be."""
    import torch.distributed as dist
    store = os.path.join(tempfile.mkdtemp(prefix="bench-peer-"), "store")
    dist.init_process_group("nccl" if device == "cuda" else "gloo", init_method="file://" + store, rank=0, world_size=1)


def function(checkout, script, name, within, replaced=()):
    """A function of a script of the checkout, whose own imports are heavy: its
    source with some texts replaced, on the names of within."""
    path = os.path.join(checkout, script)
    with open(path) as f:
        source = f.read()
    for fixed, sized in replaced:
        if fixed not in source:
            sys.exit(f"{path}: its sizes are not where commit b9727e43 has them")
        source = source.replace(fixed, sized)
    tree = ast.parse(source, path)
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    exec(compile(tree, path, "exec"), within)
    return within[name]


def load(checkout, name, sizes):
    """A module of the checkout, such as models.model_pretrain, at these sizes."""
    path = os.path.join(checkout, *name.split(".")) + ".py"
    with open(path) as f:
        source = f.read()
    sizes = dict(sizes, fusion_layers=sizes["num_hidden_layers"] - sizes["fusion_layer"])
    for fixed, sized in FIXED.get(name, [VIT]):
        if fixed not in source:
            sys.exit(f"{path}: its sizes are not where commit b9727e43 has them")
        source = source.replace(fixed, sized.format(**sizes))
    module = types.ModuleType(name)
    module.__file__ = path
    exec(compile(source, path, "exec"), module.__dict__)
    return module


def albef(checkout, name, sizes):
    """The ALBEF class of a module of the checkout, with fresh weights."""
    if checkout not in sys.path:
        sys.path.insert(0, checkout)
    import models.xbert as xbert
    for bert in (xbert.BertForMaskedLM, xbert.BertModel, xbert.BertLMHeadModel):
        bert.from_pretrained = classmethod(lambda cls, _, config, **more: cls(config, **more))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(bert_config(sizes), f)
        f.flush()
        config = {"mlm_probability": sizes["mlm_probability"], "embed_dim": sizes["embed_dim"], "image_res": sizes["image_res"],
                  "vision_width": sizes["vision_width"], "bert_config": f.name, "temp": sizes["temp"],
                  "queue_size": sizes["queue_size"], "momentum": sizes["momentum"], "distill": True}
        tokenizer = types.SimpleNamespace(pad_token_id=0, cls_token_id=101, mask_token_id=103)
        more = {"init_deit": False} if name == "models.model_pretrain" else {}
        return load(checkout, name, sizes).ALBEF(text_encoder=None, tokenizer=tokenizer, config=config, **more)


def pretrain_model(checkout, sizes):
    """ALBEF for pretraining, in training mode, with fresh weights."""
    return albef(checkout, "models.model_pretrain", sizes).train()


def optimizer(model):
    """The one of Pretrain.yaml, by the checkout's own factory."""
    from optim import create_optimizer
    return create_optimizer(types.SimpleNamespace(opt="adamW", lr=1e-4, weight_decay=0.02), model)
