"""Writes codepoints.txt and strings.jsonl from the official ALBEF code.

Usage: official.py ALBEF_CHECKOUT VOCAB_FOLDER OUT_FOLDER
It needs transformers 4.8.1; VOCAB_FOLDER holds bert-base-uncased's vocab.txt.
"""
import json
import random
import re
import sys
import unicodedata

checkout, vocab, out = sys.argv[1:]
sys.path.insert(0, checkout + "/models")
from tokenization_bert import BertTokenizer

source = open(checkout + "/dataset/utils.py", encoding="utf-8").read().split("from vqaTools")[0]
prep = {"re": re}
exec(source, prep)
tok = BertTokenizer.from_pretrained(vocab)


def code_points():
    """One line a run of code points that act alike: first-last: ids of "a" + c + "b"."""
    runs = []
    for cp in range(0x110000):
        if 0xD800 <= cp <= 0xDFFF:
            continue
        ids = tok.convert_tokens_to_ids(tok.tokenize("a" + chr(cp) + "b"))
        if runs and runs[-1][2] == ids and runs[-1][1] + 1 in (cp, 0xD800):
            runs[-1][1] = cp
        else:
            runs.append([cp, cp, ids])
    with open(out + "/codepoints.txt", "w", encoding="ascii") as f:
        f.write("# Unicode %s; first-last: ids of a+c+b\n" % unicodedata.unidata_version)
        for first, last, ids in runs:
            name = "%X" % first if first == last else "%X-%X" % (first, last)
            f.write(name + ": " + " ".join(map(str, ids)) + "\n")


def lower_cases():
    """Hex of each code point whose lower case is not its simple one, and sigma contexts."""
    rows = []
    for cp in range(0x110000):
        if 0xD800 <= cp <= 0xDFFF:
            continue
        c = chr(cp)
        before = ("A" + c + "\u03a3").lower()[-1] == "\u03c2"
        alone = (c + "\u03a3").lower()[-1] == "\u03c2"
        after = ("A\u03a3" + c).lower()[1] == "\u03c2"
        beyond = ("A\u03a3" + c + "A").lower()[1] == "\u03c2"
        low = [hex(ord(x))[2:] for x in c.lower()]
        row = [before, alone, after, beyond]
        rows.append((cp, "".join("01"[x] for x in row), " ".join(low) if c.lower() != c else ""))
    return rows


def lower_table():
    """One line a run: first-last contexts(4 bits) lower-case delta or code points."""
    runs = []
    for cp, bits, low in lower_cases():
        if low and " " not in low:
            low = "%+d" % (int(low, 16) - cp)
        if runs and runs[-1][2:] == [bits, low] and runs[-1][1] + 1 in (cp, 0xD800):
            runs[-1][1] = cp
        else:
            runs.append([cp, cp, bits, low])
    with open(out + "/lower.txt", "w", encoding="ascii") as f:
        f.write("# Unicode %s; first-last sigma lower\n" % unicodedata.unidata_version)
        for first, last, bits, low in runs:
            f.write(("%X-%X %s %s" % (first, last, bits, low)).rstrip() + "\n")


POOL = (
    list("abcdefghijABCDEXYZ0123456789") + list(" " * 12) + list(",.'!?\"()*#:;~-/<>[]{}_^`|\\@$%&+=")
    + ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[SE", "P]", "<person>", "<PERSON>", "<per-son>", "dog", "riding", "snowboard"]
    + ["\t", "\n", "\r", "\x0b", "\x0c", "\x00", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2003", "\u200b", "\u2028", "\u2029", "\u202f", "\u3000", "\xad", "\ufeff", "\ufffd"]
    + list("\u00e9\u00c5\u00df\u0130\u0131\u01c5\u03a3\u03c3\u03c2\u0391\u0390\u1fef\u037e\u0387\u2260\u226f\u212b\u1e9e\ufb01\uff21\uff0e\u00b7\u2019\u00bf\u2014\u20ac")
    + list("\u0300\u0301\u0327\u0345\u034f\u093e\u094d\u0bcb\u0dde\u302e\u3099\u1b44\u0f71\u0f72\u0f74\u20dd\U0001d165\U0001d15e\U0001d1bb\u1100\u1161\u11a8\uac00\ud7a3\u304c\u30ac")
    + list("\u4e2d\u3400\u9fff\uf900\ufa6d\ufaff\U0002f800\U0002a6df\U0002b81d\u3007\u2f00\u0e01\u0e33\u05d0\u05b0\u0627\u0651\U0001f600\U0001f1e9\ue000\u0378\U000e0001\U00010400")
)


def strings():
    rng = random.Random(20210716)
    texts = ["".join(rng.choice(POOL) for _ in range(rng.randint(1, 24))) for _ in range(480)]
    texts += ["x" * 100, "x" * 101, "e\u0301" * 100, "\u00e9" * 100, "\u00e9" * 101, "\u1e69" * 34, "\u1e69" * 101]
    texts += ["a" + "\u0301" * 40 + "\u302e" * 3 + "\U0001d165" + "b", "\U0001d15e" * 3, "\u302e" * 40 + "\U0001d165" * 5]
    with open(out + "/strings.jsonl", "w", encoding="ascii") as f:
        for s in texts:
            row = {"s": s, "ids": tok(s)["input_ids"]}
            row.update(c5=prep["pre_caption"](s, 5), q5=prep["pre_question"](s, 5))
            f.write(json.dumps(row, separators=(",", ":")) + "\n")


code_points()
lower_table()
strings()
