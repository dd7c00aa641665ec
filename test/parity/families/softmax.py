"""softmax and logSoftmax, and sums of what is held as logarithms."""
import math

import torch

from .draw import f64
from .names import torch_call

INF, NAN = math.inf, math.nan


def record(recorder):
    for op, function in (('softmax', torch.softmax), ('logSoftmax', torch.log_softmax)):
        call = torch_call(function)
        for shape, axis in (([4], 0), ([2, 3], 1), ([2, 3], 0), ([2, 3, 2], 1), ([2, 3], -2), ([1], 0), ([], 0), ([0, 3], 1), ([3, 0], 1)):
            recorder.case(op, '%s axis %d' % (shape, axis), call, lambda d: [d.grid(shape)], {'axis': axis})
        recorder.case(op, 'huge and tiny', call, lambda d: [f64([[1000.0, 999.0, -1000.0], [-1000.0, -1001.0, -1000.0]])], {'axis': 1})
        recorder.case(op, '-Infinity masks out', call, lambda d: [f64([[-INF, 1.0, 0.5], [-INF, -INF, 3.0]])], {'axis': 1}, second=op == 'softmax')
        recorder.case(op, 'all -Infinity, Infinity, NaN: NaN', call, lambda d: [f64([[-INF, -INF], [INF, 1.0], [NAN, 1.0]])], {'axis': 1}, gradient=False)
    sums_of_two(recorder)


def sums_of_two(recorder):
    for a, b in (([2, 3], [2, 3]), ([2, 1], [3]), ([], [2])):
        recorder.case('logaddexp', 'broadcast %s %s' % (a, b), torch.logaddexp, lambda d: [d.grid(a), d.grid(b)])
    # PyTorch's second derivative far out is infinity over infinity.
    recorder.case('logaddexp', 'far out', torch.logaddexp, lambda d: [f64([1000.0, -1000.0, 1000.0, 3.0]), f64([999.0, -1001.0, -1000.0, 3.0])], second=False)
    recorder.case('logaddexp', 'infinities', torch.logaddexp, lambda d: [f64([INF, -INF, -INF, INF, NAN]), f64([INF, -INF, 2.0, 1.0, 1.0])], gradient=False)
