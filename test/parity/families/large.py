"""Bilinear ops at sizes of real layers, for the live suite only: kernels that cut their work into blocks must agree across the seams.

Extents are no multiples of anything. Data are coarse, so that every sum is exact in float32 as well.
"""
import torch
import torch.nn.functional as F

CONVOLUTIONS = [
    # rank, input, weight, options
    (2, [2, 15, 47, 45], [9, 15, 3, 3], {'padding': 1}),
    (2, [1, 14, 61, 67], [6, 7, 5, 4], {'stride': [2, 3], 'padding': [2, 1], 'dilation': [1, 2], 'groups': 2}),
    (2, [2, 19, 35, 33], [19, 1, 3, 3], {'padding': 1, 'groups': 19}),
    (2, [3, 33, 17, 19], [35, 33, 1, 1], {}),
    (1, [2, 5, 3001], [7, 5, 9], {'stride': 2, 'padding': 4}),
    (3, [1, 5, 9, 17, 19], [6, 5, 3, 3, 3], {'stride': [1, 2, 1], 'padding': 1}),
]
TRANSPOSES = [
    (2, [2, 17, 23, 25], [17, 9, 3, 3], {'stride': 2, 'padding': 1, 'outputPadding': [1, 0]}),
    (2, [1, 12, 19, 31], [12, 5, 4, 5], {'stride': [3, 2], 'padding': [1, 2], 'dilation': [1, 3], 'outputPadding': [2, 1], 'groups': 2}),
    (1, [2, 6, 700], [6, 5, 7], {'stride': 4, 'padding': 3, 'outputPadding': 3}),
    (3, [1, 5, 5, 9, 11], [5, 4, 3, 2, 3], {'stride': 2, 'padding': [1, 0, 1], 'outputPadding': [1, 0, 1]}),
]
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def record(recorder):
    for rank, x, w, options in CONVOLUTIONS:
        recorder.case('conv%dd' % rank, 'large %s %s' % (x, w), CONV[rank], lambda d: [d.coarse(x, -2, 2), d.coarse(w, -1, 1), d.coarse(w[:1])], options, exact=True)
    for rank, x, w, options in TRANSPOSES:
        def call(x, w, b, stride=1, padding=0, outputPadding=0, dilation=1, groups=1):
            return TRANSPOSE[rank](x, w, b, stride, padding, outputPadding, groups, dilation)
        recorder.case('convTranspose%dd' % rank, 'large %s %s' % (x, w), call,
                      lambda d: [d.coarse(x, -2, 2), d.coarse(w, -1, 1), d.coarse([w[1] * options.get('groups', 1)])], options, exact=True)
    for a, b in (([67, 129], [129, 71]), ([1, 301], [301, 1]), ([3, 33, 65], [65, 31]), ([2, 1, 17, 130], [5, 130, 19]), ([257], [257, 33])):
        recorder.case('matmul', 'large %s %s' % (a, b), torch.matmul, lambda d: [d.coarse(a, -2, 2), d.coarse(b, -2, 2)], exact=True)
