"""Activations: on both sides of every kink, at the kink itself, far out, and at infinities and NaN."""
import math

import torch
import torch.nn.functional as F

from .draw import f64
from .names import torch_call

INF, NAN = math.inf, math.nan


def hardsigmoid(x):
    """PyTorch's value; its derivative from the closed form, 1/6 inside (-3, 3).

    PyTorch's own backward multiplies by 1/6 rounded to float32 (off by 9e-9) and has no second derivative.
    """
    linear = torch.where((x > -3) & (x < 3), x / 6, torch.zeros_like(x))
    return F.hardsigmoid(x.detach()) + (linear - linear.detach())


# op: function, its option sets, kinks. Second derivatives at the kinks are PyTorch's one-sided choice, and part of the convention.
ACTIVATIONS = {
    'sigmoid': (torch.sigmoid, [{}], []),
    'tanh': (torch.tanh, [{}], []),
    'logSigmoid': (F.logsigmoid, [{}], []),
    'softplus': (F.softplus, [{}, {'beta': 2}, {'beta': 0.5, 'threshold': 1.0}], [2.0, 20.0, 20.5, 10.0]),
    'relu': (F.relu, [{}], []),
    'relu6': (F.relu6, [{}], [6.0, 6.5]),
    'leakyRelu': (F.leaky_relu, [{}, {'negativeSlope': 0.25}, {'negativeSlope': 0}], []),
    'elu': (F.elu, [{}, {'alpha': 1.5}], []),
    'celu': (F.celu, [{}, {'alpha': 1.5}], []),
    'selu': (F.selu, [{}], []),
    'gelu': (F.gelu, [{}, {'approximate': 'none'}, {'approximate': 'tanh'}], []),
    'silu': (F.silu, [{}], []),
    'mish': (F.mish, [{}], []),
    'hardtanh': (F.hardtanh, [{}, {'minVal': -0.5, 'maxVal': 1.5}], [1.0, -1.0, -0.5, 1.5]),
    'hardswish': (F.hardswish, [{}], [3.0, -3.0, 3.5, -3.5]),
    'hardsigmoid': (hardsigmoid, [{}], [3.0, -3.0, 3.5, -3.5]),
    'softsign': (F.softsign, [{}], []),
}
# Their gradients at infinity are 0 times infinity in PyTorch: an accident, not a convention.
VALUES_AT_INFINITY = {'gelu', 'silu', 'mish', 'softsign'}
# PyTorch's second derivatives of these are infinity over infinity far out.
SECOND_OVERFLOWS = {'mish'}
FAR = [-750.0, -100.0, -40.0, -20.0, -9.0, -1e-10, 1e-10, 9.0, 20.0, 40.0, 100.0, 750.0]


def record(recorder):
    for op, (function, option_sets, kinks) in ACTIVATIONS.items():
        call = torch_call(function)
        for options in option_sets:
            suffix = ' %s' % options if options else ''
            recorder.case(op, 'domain' + suffix, call, lambda d: [d.grid([3, 4], -4, 4)], options)
            recorder.case(op, 'kinks and zero' + suffix, call, lambda d: [f64([0.0, -0.0] + kinks)], options)
            recorder.case(op, 'far out' + suffix, call, lambda d: [f64(FAR)], options,
                          second=op not in SECOND_OVERFLOWS, atol=1e-15)
            recorder.case(op, 'infinities and NaN' + suffix, call, lambda d: [f64([INF, -INF, NAN])], options,
                          gradient=op not in VALUES_AT_INFINITY, second=False)
    recorder.case('prelu', 'one weight', F.prelu, lambda d: [d.grid([2, 3, 2]), d.grid([1], 0.125, 0.5)])
    recorder.case('prelu', 'a weight per channel', F.prelu, lambda d: [d.grid([2, 3, 2]), d.grid([3], -0.5, 0.5)])
    recorder.case('prelu', 'at zero', F.prelu, lambda d: [f64([[0.0, -0.0, -1.0]]), f64([0.25])])
