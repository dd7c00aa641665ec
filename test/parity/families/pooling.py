"""Pooling. maxPool gives [values, indices], indices flat within a channel; of ties the first wins; NaN wins over numbers."""
import math

import torch
import torch.nn.functional as F

from .draw import f64
from .names import torch_call

INF, NAN = math.inf, math.nan
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_AVG = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}

# rank, input, options
SHARED = [
    (1, [1, 2, 6], {'kernelSize': 2}),
    (1, [2, 7], {'kernelSize': 3, 'stride': 2}),
    (1, [1, 1, 5], {'kernelSize': 3, 'stride': 1, 'padding': 1}),
    (1, [1, 1, 7], {'kernelSize': 2, 'stride': 3, 'ceilMode': True}),
    (1, [1, 1, 6], {'kernelSize': 3, 'stride': 2, 'padding': 1, 'ceilMode': True}),
    (2, [1, 2, 4, 4], {'kernelSize': 2}),
    (2, [2, 5, 4], {'kernelSize': [3, 2], 'stride': [1, 2]}),
    (2, [1, 1, 5, 6], {'kernelSize': [2, 3], 'stride': [2, 1], 'padding': [1, 0]}),
    (2, [1, 1, 5, 5], {'kernelSize': 2, 'stride': 2, 'ceilMode': True}),
    (2, [1, 1, 4, 5], {'kernelSize': [2, 3], 'stride': [3, 2], 'padding': [1, 1], 'ceilMode': True}),
    (2, [1, 1, 2, 2], {'kernelSize': 3, 'stride': 2, 'padding': 1, 'ceilMode': True}),
    (2, [0, 2, 3, 3], {'kernelSize': 2}),
    (3, [1, 1, 2, 3, 4], {'kernelSize': [2, 1, 2]}),
    (3, [1, 3, 3, 2], {'kernelSize': 2, 'stride': [1, 2, 1], 'padding': [1, 0, 1]}),
    (3, [1, 1, 3, 2, 3], {'kernelSize': 2, 'stride': 2, 'ceilMode': True}),
]
DILATED = [
    (1, [1, 1, 7], {'kernelSize': 3, 'stride': 1, 'dilation': 2}),
    (1, [1, 1, 6], {'kernelSize': 3, 'stride': 2, 'dilation': 2, 'padding': 1, 'ceilMode': True}),
    (2, [1, 1, 5, 6], {'kernelSize': [2, 3], 'stride': [1, 2], 'dilation': [3, 2]}),
    (2, [1, 2, 4, 5], {'kernelSize': 2, 'stride': 1, 'dilation': [2, 1], 'padding': [1, 0]}),
    (3, [1, 1, 4, 3, 2], {'kernelSize': [2, 2, 1], 'stride': 1, 'dilation': [3, 1, 2]}),
]
ADAPTIVE = [
    (1, [1, 2, 7], 3), (1, [2, 5], 5), (1, [1, 1, 3], 4), (2, [1, 2, 4, 5], [2, 3]), (2, [1, 5, 3], 2), (2, [1, 1, 4, 4], 1),
    (2, [1, 1, 3, 5], [None, 2]), (3, [1, 1, 3, 2, 4], [2, 1, 3]), (3, [1, 2, 2, 2], 1),
]


def record(recorder):
    for rank, shape, options in SHARED + DILATED:
        call = lambda x, **o: tuple(torch_call(MAX[rank])(x, **o, returnIndices=True))
        recorder.case('maxPool%dd' % rank, '%s %s' % (shape, options), call, lambda d: [d.distinct(shape)], options, exact=True)
    for rank, shape, options in SHARED:
        for include in (True, False):
            if not include and 'padding' not in options and 'ceilMode' not in options:
                continue
            given = options if include else {**options, 'countIncludePad': False}
            recorder.case('avgPool%dd' % rank, '%s %s' % (shape, given), torch_call(AVG[rank]), lambda d: [d.coarse(shape)], given)
    for rank, divisor in ((2, 3), (3, 5)):
        options = {'kernelSize': 2, 'padding': 1, 'divisorOverride': divisor}
        recorder.case('avgPool%dd' % rank, 'divisorOverride %d' % divisor, torch_call(AVG[rank]), lambda d: [d.coarse([1, 1] + [3] * rank)], options)
    for rank, shape, size in ADAPTIVE:
        options = {'outputSize': size}
        recorder.case('adaptiveAvgPool%dd' % rank, '%s to %s' % (shape, size), torch_call(ADAPTIVE_AVG[rank]), lambda d: [d.coarse(shape)], options)
        call = lambda x, **o: tuple(torch_call(ADAPTIVE_MAX[rank])(x, **o, returnIndices=True))
        recorder.case('adaptiveMaxPool%dd' % rank, '%s to %s' % (shape, size), call, lambda d: [d.distinct(shape)], options, exact=True)
    corner = lambda name, rows, options: recorder.case('maxPool2d', name, lambda x, **o: tuple(torch_call(F.max_pool2d)(x, **o, returnIndices=True)),
                                                       lambda d: [f64([[rows]])], options, exact=True)
    corner('the first of ties', [[1.0, 1, 2], [1, 1, 2], [2, 2, 2]], {'kernelSize': 2, 'stride': 1})
    corner('padding is -Infinity, not 0', [[-1.0, -2], [-3, -4]], {'kernelSize': 2, 'padding': 1})
    corner('all -Infinity', [[-INF, -INF], [-INF, -INF]], {'kernelSize': 2, 'padding': 1, 'stride': 1})
    corner('NaN wins', [[1.0, NAN, 3], [4, 5, 6], [NAN, NAN, 9]], {'kernelSize': 2, 'stride': 1})
