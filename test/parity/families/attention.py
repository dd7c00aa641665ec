"""scaledDotProductAttention as a closed form (PyTorch 1.13 has none): args (query, key, value, mask or null).

softmax(q kT * scale + mask) v, scale 1/sqrt(features); a boolean mask keeps where true; causal keeps key <= query, aligned at the
top left.
"""
import math

import torch

from .draw import f64


def attention(query, key, value, mask=None, isCausal=False, scale=None):
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if isCausal:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return torch.softmax(scores, -1) @ value


def record(recorder):
    triple = lambda d, lead, queries, keys, features, out: [d.grid([*lead, queries, features]), d.grid([*lead, keys, features]), d.grid([*lead, keys, out])]
    for lead, queries, keys, features, out in (([], 2, 3, 2, 2), ([2], 3, 2, 2, 3), ([1, 2], 2, 2, 3, 1)):
        size = '%s %d queries %d keys %d features to %d' % (lead, queries, keys, features, out)
        op = 'scaledDotProductAttention'
        recorder.case(op, size, attention, lambda d: [*triple(d, lead, queries, keys, features, out), None])
        recorder.case(op, size + ' scale', attention, lambda d: [*triple(d, lead, queries, keys, features, out), None], {'scale': 0.5})
        recorder.case(op, size + ' causal', attention, lambda d: [*triple(d, lead, queries, keys, features, out), None], {'isCausal': True})
        recorder.case(op, size + ' float mask', attention, lambda d: [*triple(d, lead, queries, keys, features, out), d.grid([queries, keys])])
        masked = lambda d: torch.cat([torch.ones([queries, 1], dtype=torch.bool), d.mask([queries, keys - 1])], 1)
        recorder.case(op, size + ' boolean mask', attention, lambda d: [*triple(d, lead, queries, keys, features, out), masked(d)])
    recorder.case('scaledDotProductAttention', 'broadcast keys and values', attention,
                  lambda d: [d.grid([2, 2, 2, 3]), d.grid([1, 3, 3]), d.grid([1, 3, 2]), None])
