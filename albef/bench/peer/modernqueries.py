"""ALBEF's queries as one would write them for today's PyTorch, with the parts of
modern.py: no momentum model, joined weights joined once, weights of bf16 in
bf16, no gradient where none is asked for.
"""
import torch
import torch.nn.functional as F
from torch import nn

import modern


class Model(nn.Module):
    """The encoders, projections and ITM head, for inference."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.visual_encoder, self.text_encoder = modern.ImageEncoder(c), modern.TextModel(dict(c, dropout=0.0))
        self.vision_proj, self.text_proj = nn.Linear(c["vision_width"], c["embed_dim"]), nn.Linear(c["hidden_size"], c["embed_dim"])
        self.itm_head = nn.Linear(c["hidden_size"], 2)
        del self.text_encoder.cls

    def adopt(self, state):
        """Takes the weights of an official retrieval model."""
        own = {name.replace("text_encoder.", "text_encoder.bert.", 1): t for name, t in state.items()}
        self.load_state_dict({name: t for name, t in own.items() if name in self.state_dict()})

    def settle(self, dtype):
        self.requires_grad_(False).eval().to(dtype)
        for part in self.modules():
            if isinstance(part, modern.Attention):
                part.settle()
        return self

    def image(self, images):
        return self.visual_encoder(images.to(self.itm_head.weight.dtype))

    def features(self, project, x):
        return F.normalize(project(x[:, 0]).float(), dim=-1)


def embed(model, images, ids, mask):
    with torch.inference_mode():
        texts = model.text_encoder.encode(ids, mask[:, None, None].bool())
        return model.features(model.vision_proj, model.image(images)), model.features(model.text_proj, texts)


def fuse(layer, x, mask, kv):
    """A fusion layer on texts that all look at one image: its keys and values
    meet all their tokens in one product."""
    x = layer.attention(x, mask)
    x = layer.crossattention(x.reshape(1, -1, x.shape[2]), kv=kv).view_as(x)
    return layer.output["LayerNorm"](layer.output["dense"](F.gelu(layer.intermediate["dense"](x))) + x)


def gradcam(model, images, ids, mask, at):
    """Grad-CAM of the match by the cross-attention of layer at, [B, G, G]: the
    graph begins at that attention."""
    see = mask[:, None, None].bool()
    with torch.no_grad():
        image = model.image(images)
        x = model.text_encoder.encode(ids, see)
        kv = model.text_encoder.project(image)
        layers = model.text_encoder.bert["encoder"]["layer"][model.c["fusion_layer"]:]
        at -= model.c["fusion_layer"]
        for layer, pair in zip(layers[:at], kv):
            x = layer(x, see, pair, 0.0)
        layer, (k, v) = layers[at], kv[at]
        x = layer.attention(x, see)
        q = modern.heads(layer.crossattention.self["query"](x), layer.crossattention.n)
        attention = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
    attention.requires_grad_()
    out = layer.crossattention.output
    x = out["LayerNorm"](out["dense"]((attention @ v).transpose(1, 2).flatten(2)) + x)
    x = layer.output["LayerNorm"](layer.output["dense"](F.gelu(layer.intermediate["dense"](x))) + x)
    for layer, pair in zip(layers[at + 1:], kv[at + 1:]):
        x = layer(x, see, pair, 0.0)
    gradient, = torch.autograd.grad(model.itm_head(x[:, 0])[:, 1].sum(), attention)
    with torch.no_grad():
        maps = attention[..., 1:] * gradient[..., 1:].clamp(min=0) * mask[:, None, :, None]
        return maps.mean((1, 2)).unflatten(-1, (int(maps.shape[-1] ** 0.5), -1)).float()


def rerank(model, images, ids, mask, k, batch, texts=64):
    """Retrieval's score matrices both ways: texts of like length together and
    without their padding, each pair once, an image's keys and values once."""
    with torch.inference_mode():
        length = mask.sum(1)
        order = length.argsort(stable=True)
        embeds, text_feats = [None] * len(ids), torch.empty(len(ids), model.c["embed_dim"])
        for part in order.split(texts):
            long = int(length[part[-1]])
            states = model.text_encoder.encode(ids[part, :long], mask[part, None, None, :long].bool())
            text_feats[part] = model.features(model.text_proj, states)
            for i, row in zip(part.tolist(), states):
                embeds[i] = row[:int(length[i])]
        encoded = [model.image(part) for part in images.split(batch)]
        image_feats = torch.cat([model.features(model.vision_proj, part) for part in encoded])
        sims = image_feats @ text_feats.T
        by_image, by_text = (torch.full(s.shape, False).scatter_(1, s.topk(k, 1).indices, True) for s in (sims, sims.T))
        asked = by_image | by_text.T
        scores = torch.full(sims.shape, -100.0)
        layers = model.text_encoder.bert["encoder"]["layer"][model.c["fusion_layer"]:]
        for i, image in enumerate(torch.cat(encoded).split(1)):
            kv = model.text_encoder.project(image)
            for part in order[asked[i, order]].split(texts):
                x = nn.utils.rnn.pad_sequence([embeds[t] for t in part.tolist()], batch_first=True)
                see = (torch.arange(x.shape[1]) < length[part, None])[:, None, None]
                for layer, pair in zip(layers, kv):
                    x = fuse(layer, x, see, pair)
                scores[i, part] = model.itm_head(x[:, 0])[:, 1].float()
        return scores.where(by_image, -100.0), scores.T.where(by_text, -100.0)
