"""ALBEF's pretraining step as one would write it for today's PyTorch.

The mathematics and the names of the weights are the official ones; the work is
arranged as it costs least: fused attention, the projections of queries, keys and
values in one product, clean and masked texts in one batch, all pairs of the
fusion encoder in another, an image's keys and values projected once, the MLM
head on masked words alone, the momentum update and AdamW in fused kernels over
lists of tensors, no reading back from the device.
"""
import torch
import torch.nn.functional as F
from torch import nn

CLS, MASK, PAD, IGNORED = 101, 103, 0, -100


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def joined(*linears):
    """Weight and bias of one product that does the work of several."""
    return torch.cat([m.weight for m in linears]), torch.cat([m.bias for m in linears])


class Attention(nn.Module):
    def __init__(self, width, n, keys=None):
        super().__init__()
        self.n = n
        self.self = nn.ModuleDict({"query": nn.Linear(width, width), "key": nn.Linear(keys or width, width),
                                   "value": nn.Linear(keys or width, width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(width, width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)})
        self.kept = {}

    def settle(self):
        """Joins the weights once, for inference: they no longer follow the single ones."""
        crosses = self.self["key"].in_features != self.self["query"].in_features
        for names in [("key", "value")] if crosses else [("key", "value"), ("query", "key", "value")]:
            self.kept[names] = self.joined(*names)

    def joined(self, *names):
        return self.kept.get(names) or joined(*(self.self[name] for name in names))

    def keys_values(self, x):
        k, v = F.linear(x, *self.joined("key", "value")).chunk(2, -1)
        return heads(k, self.n), heads(v, self.n)

    def forward(self, x, mask=None, kv=None, dropout=0.0):
        if kv is None:
            q, k, v = F.linear(x, *self.joined("query", "key", "value")).chunk(3, -1)
            k, v = heads(k, self.n), heads(v, self.n)
        else:
            q, (k, v) = self.self["query"](x), kv
        out = F.scaled_dot_product_attention(heads(q, self.n), k, v, attn_mask=mask, dropout_p=dropout)
        out = self.output["dense"](out.transpose(1, 2).flatten(2))
        return self.output["LayerNorm"](F.dropout(out, dropout) + x)


class TextLayer(nn.Module):
    def __init__(self, c, fuses):
        super().__init__()
        width = c["hidden_size"]
        self.attention = Attention(width, c["num_attention_heads"])
        if fuses:
            self.crossattention = Attention(width, c["num_attention_heads"], c["vision_width"])
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, c["intermediate_size"])})
        self.output = nn.ModuleDict({"dense": nn.Linear(c["intermediate_size"], width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)})

    def forward(self, x, mask, kv, dropout):
        x = self.attention(x, mask, dropout=dropout)
        if kv is not None:
            x = self.crossattention(x, kv=kv, dropout=dropout)
        y = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](F.dropout(y, dropout) + x)


class TextModel(nn.Module):
    """BERT with an MLM head: text layers, then fusion layers."""

    def __init__(self, c):
        super().__init__()
        width, self.fusion, self.dropout = c["hidden_size"], c["fusion_layer"], c["dropout"]
        embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(c["vocab_size"], width, padding_idx=PAD),
            "position_embeddings": nn.Embedding(c["max_position_embeddings"], width),
            "token_type_embeddings": nn.Embedding(2, width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)})
        embeddings.register_buffer("position_ids", torch.arange(c["max_position_embeddings"])[None])
        layers = nn.ModuleList(TextLayer(c, i >= self.fusion) for i in range(c["num_hidden_layers"]))
        self.bert = nn.ModuleDict({"embeddings": embeddings, "encoder": nn.ModuleDict({"layer": layers})})
        head = nn.ModuleDict({
            "transform": nn.ModuleDict({"dense": nn.Linear(width, width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)}),
            "decoder": nn.Linear(width, c["vocab_size"])})
        head["decoder"].weight = embeddings["word_embeddings"].weight
        head.register_parameter("bias", head["decoder"].bias)
        self.cls = nn.ModuleDict({"predictions": head})

    def encode(self, ids, mask):
        e = self.bert["embeddings"]
        x = e["word_embeddings"](ids) + e["position_embeddings"].weight[: ids.shape[1]] + e["token_type_embeddings"].weight[0]
        x = F.dropout(e["LayerNorm"](x), self.dropout)
        for layer in self.bert["encoder"]["layer"][: self.fusion]:
            x = layer(x, mask, None, self.dropout)
        return x

    def project(self, image):
        return [layer.crossattention.keys_values(image) for layer in self.bert["encoder"]["layer"][self.fusion:]]

    def fuse(self, x, mask, kv):
        for layer, pair in zip(self.bert["encoder"]["layer"][self.fusion:], kv):
            x = layer(x, mask, pair, self.dropout)
        return x

    def words(self, x):
        head = self.cls["predictions"]
        return head["decoder"](head["transform"]["LayerNorm"](F.gelu(head["transform"]["dense"](x))))


class Block(nn.Module):
    def __init__(self, width, n, hidden):
        super().__init__()
        self.n = n
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})

    def forward(self, x):
        q, k, v = (heads(part, self.n) for part in self.attn["qkv"](self.norm1(x)).chunk(3, -1))
        x = x + self.attn["proj"](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class ImageEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["vision_width"]
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, (c["image_res"] // 16) ** 2 + 1, width) * 0.02)
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, 16, 16)})
        self.blocks = nn.ModuleList(Block(width, c["vision_heads"], c["vision_mlp"]) for _ in range(c["vision_depth"]))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, images):
        x = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.to(x.dtype).expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class ALBEF(nn.Module):
    """The model of pretraining; its forward returns MLM, ITC and ITM."""

    def __init__(self, c):
        super().__init__()
        self.c, width, size = c, c["embed_dim"], c["queue_size"]
        self.temp = nn.Parameter(torch.tensor(float(c["temp"])))
        for suffix in ("", "_m"):
            self.add_module("visual_encoder" + suffix, ImageEncoder(c))
            self.add_module("text_encoder" + suffix, TextModel(c))
            self.add_module("vision_proj" + suffix, nn.Linear(c["vision_width"], width))
            self.add_module("text_proj" + suffix, nn.Linear(c["hidden_size"], width))
        self.itm_head = nn.Linear(c["hidden_size"], 2)
        self.register_buffer("image_queue", F.normalize(torch.randn(width, size), dim=0))
        self.register_buffer("text_queue", F.normalize(torch.randn(width, size), dim=0))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))
        own = dict(self.named_parameters())
        pairs = [(own[name.replace(part, part + "_m", 1)], p) for name, p in own.items()
                 for part in ("visual_encoder.", "text_encoder.", "vision_proj.", "text_proj.")
                 for part in (part[:-1],) if name.startswith(part + ".")]
        self.averaged, self.online = [m for m, _ in pairs], [p for _, p in pairs]
        for m, p in pairs:
            m.data.copy_(p.data)
            m.requires_grad_(False)
        self.draw = lambda weights: torch.multinomial(weights, 1).squeeze(1)
        self.hidden = self.mask

    def features(self, image, text, suffix=""):
        project = lambda name, x: F.normalize(getattr(self, name + suffix)(x[:, 0]).float(), dim=-1)
        return project("vision_proj", image), project("text_proj", text)

    def mask(self, ids):
        """Ids with words hidden, and the places and words that are asked for."""
        asked = (torch.rand(ids.shape) < self.c["mlm_probability"]) & (ids != PAD) & (ids != CLS)
        masked = asked & (torch.rand(ids.shape) < 0.8)
        other = asked & ~masked & (torch.rand(ids.shape) < 0.5)
        out = torch.where(masked, MASK, torch.where(other, torch.randint(self.c["vocab_size"], ids.shape), ids))
        places = asked.flatten().nonzero().squeeze(1)
        return out, places, ids.flatten()[places]

    def forward(self, images, ids, mask, alpha):
        n = len(images)
        hidden_ids, places, words = self.hidden(ids)
        both, see = torch.cat([ids, hidden_ids]), mask[:, None, None].bool()
        twice = see.repeat(2, 1, 1, 1)
        with torch.no_grad():
            self.temp.clamp_(0.001, 0.5)
        image = self.visual_encoder(images)
        text, masked = self.text_encoder.encode(both, twice).split(n)
        image_feat, text_feat = self.features(image, text)
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, self.online, 1 - self.c["momentum"])
            image_m = self.visual_encoder_m(images)
            text_m, masked_m = self.text_encoder_m.encode(both, twice).split(n)
            image_feat_m, text_feat_m = self.features(image_m, text_m, "_m")
            fused = self.text_encoder_m.fuse(masked_m, see, self.text_encoder_m.project(image_m))
            teacher = self.text_encoder_m.words(fused.flatten(0, 1)[places]).float().softmax(-1)
        itc, negatives = self.contrast(image_feat, text_feat, image_feat_m, text_feat_m, alpha)

        image_of, text_of = negatives
        own = torch.arange(n)
        texts = torch.cat([text, text, text[text_of], masked])
        seen = torch.cat([see, see, see[text_of], see])
        pick = torch.cat([own, image_of, own, own])
        kv = [(k[pick], v[pick]) for k, v in self.text_encoder.project(image)]
        fused = self.text_encoder.fuse(texts, seen, kv)
        labels = torch.cat([torch.ones(n, dtype=torch.long), torch.zeros(2 * n, dtype=torch.long)])
        itm = F.cross_entropy(self.itm_head(fused[: 3 * n, 0]).float(), labels)
        log = self.text_encoder.words(fused[3 * n:].flatten(0, 1)[places]).float().log_softmax(-1)
        mlm = (1 - alpha) * F.nll_loss(log, words) - alpha * (log * teacher).sum(-1).mean()
        return mlm, itc, itm

    def contrast(self, image, text, image_m, text_m, alpha):
        """ITC against the queue, and the negatives that it makes likely."""
        n = len(image)
        with torch.no_grad():
            images, texts = torch.cat([image_m.T, self.image_queue], 1), torch.cat([text_m.T, self.text_queue], 1)
            own = torch.eye(n, images.shape[1])
            to_text = torch.lerp(own, (image_m @ texts / self.temp).float().softmax(1), alpha)
            to_image = torch.lerp(own, (text_m @ images / self.temp).float().softmax(1), alpha)
        i2t, t2i = (image @ texts / self.temp).float(), (text @ images / self.temp).float()
        loss = F.cross_entropy(i2t, to_text) / 2 + F.cross_entropy(t2i, to_image) / 2
        with torch.no_grad():
            at = int(self.queue_ptr)
            self.image_queue[:, at:at + n], self.text_queue[:, at:at + n] = image_m.T, text_m.T
            self.queue_ptr[0] = (at + n) % self.c["queue_size"]
            likely = [sims[:, :n].softmax(1).fill_diagonal_(0) for sims in (t2i, i2t)]
            return loss, [self.draw(weights) for weights in likely]


def optimizer(model):
    """Fused AdamW with the official groups: vectors and biases don't decay."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in named if p.ndim == 1 or name.endswith(".bias")]
    decayed = [p for name, p in named if not (p.ndim == 1 or name.endswith(".bias"))]
    return torch.optim.AdamW([{"params": plain, "weight_decay": 0.0}, {"params": decayed, "weight_decay": 0.02}], lr=1e-4, fused=True)
