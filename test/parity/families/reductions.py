"""Reductions and scans: over all axes, some axes, negative axes, 0-d and empty tensors; ties, zeros and NaN.

Options: axes (list) where several are legal, axis (number) where PyTorch takes one; keepdim. With axis, max, min and median give
[values, indices]; without, max and min give one number and share the gradient among ties, as amax and amin do.
"""
import math

import torch

from .draw import f64
from .names import torch_call

INF, NAN = math.inf, math.nan
SEVERAL = {
    'sum': torch.sum, 'mean': torch.mean, 'amax': torch.amax, 'amin': torch.amin, 'logsumexp': torch.logsumexp, 'var': torch.var, 'std': torch.std,
}
AXES = [([2, 3], [0]), ([2, 3], [-1]), ([2, 3, 2], [0, 2]), ([2, 3, 2], [-1, 0]), ([2, 3], [0, 1]), ([3, 1, 2], [1])]


def all_axes(function):
    """logsumexp in PyTorch wants dim; without axes Adjoint reduces all."""
    def call(x, axes=None, keepdim=False, **options):
        return function(x, dim=list(range(x.dim())) if axes is None else axes, keepdim=keepdim, **options)
    return call


def norm(x, p, axes=None, keepdim=False):
    return torch.linalg.vector_norm(x, p, axes, keepdim)


def prod(x, axis=None, keepdim=False):
    return torch.prod(x) if axis is None else torch.prod(x, axis, keepdim)


def record(recorder):
    for op, function in SEVERAL.items():
        call = all_axes(function)
        recorder.case(op, 'all axes', call, lambda d: [d.distinct([2, 3])])
        for shape, axes in AXES:
            if op in ('var', 'std') and shape == [3, 1, 2]:
                continue
            recorder.case(op, '%s over %s' % (shape, axes), call, lambda d: [d.distinct(shape)], {'axes': axes})
        recorder.case(op, 'keepdim', call, lambda d: [d.distinct([2, 3, 2])], {'axes': [0, 2], 'keepdim': True})
        recorder.case(op, 'keepdim over all axes', call, lambda d: [d.distinct([2, 2])], {'keepdim': True})
        recorder.case(op, '0-d', call, lambda d: [d.distinct([])], second=op not in ('var', 'std'), gradient=op not in ('var', 'std'))
        recorder.case(op, 'empty axis kept', call, lambda d: [d.grid([0, 3])], {'axes': [1]}, second=False)
        if op not in ('amax', 'amin'):
            recorder.case(op, 'over an empty axis', call, lambda d: [d.grid([0, 3])], {'axes': [0]}, second=False)
            recorder.case(op, 'of nothing', call, lambda d: [d.grid([0])], second=False)
    special(recorder)
    norms(recorder)
    products(recorder)
    selections(recorder)


def special(recorder):
    lse, var, std = all_axes(torch.logsumexp), all_axes(torch.var), all_axes(torch.std)
    recorder.case('sum', 'infinities and NaN', all_axes(torch.sum), lambda d: [f64([[INF, 1], [INF, -INF], [NAN, 1], [-INF, 2]])], {'axes': [1]})
    recorder.case('sum', 'bool counts', torch_call(torch.sum), lambda d: [torch.tensor([[True, False, True], [True, True, True]])], {'axes': [1]})
    recorder.case('logsumexp', 'huge and tiny', lse, lambda d: [f64([[1000.0, 1000.0], [-1000.0, -1001.0], [800.0, -800.0]])], {'axes': [1]})
    recorder.case('logsumexp', 'infinities', lse, lambda d: [f64([[-INF, 1.0], [1.0, 2.0]])], {'axes': [1]}, second=False)
    recorder.case('logsumexp', 'all -Infinity, Infinity, NaN: the value', lse, lambda d: [f64([[-INF, -INF], [-INF, INF], [INF, 1.0], [NAN, 1.0]])], {'axes': [1]}, gradient=False)
    for correction in (0, 1, 2):
        recorder.case('var', 'correction %d' % correction, var, lambda d: [d.grid([3, 4])], {'axes': [1], 'correction': correction})
        recorder.case('std', 'correction %d' % correction, std, lambda d: [d.grid([3, 4])], {'axes': [1], 'correction': correction, 'keepdim': True})
    recorder.case('var', 'one element, correction 1', var, lambda d: [d.grid([3, 1])], {'axes': [1]}, gradient=False)
    recorder.case('var', 'one element, correction 0', var, lambda d: [d.grid([3, 1])], {'axes': [1], 'correction': 0})
    recorder.case('var', 'equal elements', var, lambda d: [f64([[2.0, 2.0, 2.0]])], {'axes': [1]})
    recorder.case('std', 'equal elements: gradient 0', std, lambda d: [f64([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]])], {'axes': [1]}, second=False)
    recorder.case('var', 'large mean', var, lambda d: [f64([1e8 + 1, 1e8 + 2, 1e8 + 4])])
    for op, function in (('amax', torch.amax), ('amin', torch.amin)):
        call = all_axes(function)
        recorder.case(op, 'ties share the gradient', call, lambda d: [f64([[1, 3, 3.0], [2, 2, 2], [0, 0, 1]])], {'axes': [1]})
        recorder.case(op, 'ties over two axes', call, lambda d: [f64([[[1, 3.0], [3, 0]], [[3, 1], [1, 1]]])], {'axes': [0, 2]})
        recorder.case(op, 'infinities', call, lambda d: [f64([[INF, 1], [-INF, 1], [INF, INF], [-INF, -INF]])], {'axes': [1]})
        recorder.case(op, 'NaN wins', call, lambda d: [f64([[NAN, 1.0], [2.0, NAN]])], {'axes': [1]}, gradient=False)


def norms(recorder):
    for p in (2, 1, 3, 0, 0.5, 1.5, INF, -INF, -1):
        recorder.case('norm', 'p %s' % p, norm, lambda d: [d.distinct([2, 3])], {'p': p})
        recorder.case('norm', 'p %s over axes' % p, norm, lambda d: [d.distinct([2, 3, 2])], {'p': p, 'axes': [0, 2], 'keepdim': True})
        if p != -1:
            recorder.case('norm', 'p %s at zero' % p, norm, lambda d: [f64([0.0, 0.0, 0.0])], {'p': p}, second=False)
            recorder.case('norm', 'p %s with a zero element' % p, norm, lambda d: [f64([1.5, 0.0, -2.0])], {'p': p}, second=p in (0, 1, 2, 3))
    for p in (INF, -INF):
        recorder.case('norm', 'p %s with ties' % p, norm, lambda d: [f64([[2.0, -2.0, 1.0], [1.0, -1.0, 1.0]])], {'p': p, 'axes': [1]})
    recorder.case('norm', 'default is p 2', lambda x: norm(x, 2), lambda d: [d.grid([2, 2])])


def products(recorder):
    for name, rows in (('no zero', [[1.5, -2, 0.5]]), ('one zero', [[1.5, 0, 0.5]]), ('two zeros', [[0.0, 3, 0]]), ('three zeros', [[0.0, 0, 0]]),
                       ('rows with 0, 1, 2 zeros', [[2.0, 3, 4], [2, 0, 4], [0, 3, 0]])):
        recorder.case('prod', 'all axes, ' + name, prod, lambda d: [f64(rows)])
        recorder.case('prod', 'axis, ' + name, prod, lambda d: [f64(rows)], {'axis': 1})
        recorder.case('cumprod', name, torch_call(torch.cumprod), lambda d: [f64(rows)], {'axis': 1})
    recorder.case('prod', 'keepdim', prod, lambda d: [d.grid([2, 3, 2])], {'axis': -2, 'keepdim': True})
    recorder.case('prod', 'empty is 1', prod, lambda d: [f64([])])
    recorder.case('prod', 'over an empty axis', prod, lambda d: [d.grid([0, 2])], {'axis': 0})
    recorder.case('prod', '0-d', prod, lambda d: [d.grid([])])
    for op, function in (('cumsum', torch.cumsum), ('cumprod', torch.cumprod)):
        for shape, axis in (([4], 0), ([2, 3], 0), ([2, 3], -1), ([2, 3, 2], 1), ([0, 2], 0), ([], 0)):
            recorder.case(op, '%s along %d' % (shape, axis), torch_call(function), lambda d: [d.grid(shape)], {'axis': axis})


def selections(recorder):
    for op, function in (('max', torch.max), ('min', torch.min)):
        call = lambda x, function=function, **options: tuple(torch_call(function)(x, **options)) if options else function(x)
        recorder.case(op, 'all axes', call, lambda d: [d.distinct([2, 3])])
        recorder.case(op, 'all axes, ties share the gradient', call, lambda d: [f64([[3.0, 1.0], [3.0, 1.0]])])
        recorder.case(op, '0-d', call, lambda d: [d.grid([])])
        recorder.case(op, 'NaN wins', call, lambda d: [f64([1.0, NAN, 2.0])], gradient=False)
        recorder.case(op, 'axis', call, lambda d: [d.distinct([2, 3])], {'axis': 1})
        recorder.case(op, 'axis, keepdim', call, lambda d: [d.distinct([2, 3, 2])], {'axis': -2, 'keepdim': True})
        recorder.case(op, 'axis, the first of ties', call, lambda d: [f64([[1, 3, 3.0], [2, 2, 2], [1, 1, 3]])], {'axis': 1})
        recorder.case(op, 'axis, NaN wins', call, lambda d: [f64([[1, NAN, 3.0], [2, 5, NAN]])], {'axis': 1})
    for op, function in (('argmax', torch.argmax), ('argmin', torch.argmin)):
        call = torch_call(function)
        recorder.case(op, 'all axes', call, lambda d: [d.distinct([2, 3])])
        recorder.case(op, 'axis', call, lambda d: [d.distinct([2, 3])], {'axis': 0})
        recorder.case(op, 'axis, keepdim', call, lambda d: [d.distinct([2, 3, 2])], {'axis': -2, 'keepdim': True})
        recorder.case(op, 'the first of ties', call, lambda d: [f64([[1, 3, 3.0], [2, 2, 2]])], {'axis': 1})
        recorder.case(op, 'NaN wins', call, lambda d: [f64([[1, NAN, 3.0], [2, 5, NAN]])], {'axis': 1})
    for op, function in (('any', torch.any), ('all', torch.all)):
        call = torch_call(function)
        recorder.case(op, 'all axes', call, lambda d: [d.mask([2, 3])])
        recorder.case(op, 'axis', call, lambda d: [torch.tensor([[True, False], [True, True], [False, False]])], {'axis': 1})
        recorder.case(op, 'axis, keepdim', call, lambda d: [d.mask([2, 2])], {'axis': 0, 'keepdim': True})
        recorder.case(op, 'numbers: NaN is true', call, lambda d: [f64([[0.0, NAN], [0, 0], [1, 2], [-0.0, 1]])], {'axis': 1})
        recorder.case(op, 'of nothing', call, lambda d: [torch.zeros([0], dtype=torch.bool)])
    for name, shape, options in (('odd count', [5], {}), ('even count takes the lower', [4], {}), ('axis', [2, 3], {'axis': 1}),
                                 ('axis, keepdim', [4, 2], {'axis': 0, 'keepdim': True})):
        call = lambda x, **options: tuple(torch_call(torch.median)(x, **options)) if options else torch.median(x)
        recorder.case('median', name, call, lambda d: [d.distinct(shape)], options)
    recorder.case('median', 'NaN wins', torch.median, lambda d: [f64([1.0, NAN, 2.0])], gradient=False)
