"""Corner conventions of element-wise ops: kinks, ties, zeros of either sign, infinities, NaN, ends of domains.

Second derivatives are recorded for kinks and ties. At singular points (sqrt at 0) PyTorch's own depend on how a formula was
arranged, so values and first derivatives alone are the convention there.
"""
import math

import torch

from .draw import f64
from .elementwise import BINARY, UNARY

INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, INF, -INF, NAN]
# Ops whose zero has a sign that IEEE fixes.
SIGNED = {'neg', 'abs', 'square', 'sqrt', 'floor', 'ceil', 'round', 'trunc', 'sin', 'tan', 'asin', 'atan', 'sinh', 'tanh', 'asinh', 'atanh',
          'expm1', 'log1p', 'reciprocal', 'rsqrt', 'erf'}
EXTRA = {
    'sqrt': [-1.0], 'rsqrt': [-1.0], 'log': [-1.0, 1.0], 'log2': [-1.0, 1.0], 'log10': [-1.0, 1.0], 'log1p': [-1.0, -2.0],
    'exp': [710.0, -746.0], 'exp2': [1024.0, -1080.0], 'expm1': [710.0, -800.0],
    'asin': [1.0, -1.0, 1.5], 'acos': [1.0, -1.0, -1.5], 'acosh': [1.0, 0.5, -2.0], 'atanh': [1.0, -1.0, 2.0],
    'sinh': [800.0, -800.0], 'cosh': [800.0, -800.0],
    # Halves round to even; numbers above 2**52 are integers already.
    'round': [0.5, 1.5, 2.5, -0.5, -1.5, -0.25, 0.49999999999999994, 4503599627370497.0, -1e300],
    'floor': [-0.5, 0.5, 3.0, -1e300], 'ceil': [-0.5, 0.5, 3.0, 1e300], 'trunc': [-0.5, 0.5, -3.7, 1e300],
    'reciprocal': [1e-310, -1e-310], 'square': [1e200, 1e-200],
}
# a, b in pairs, one element each
PAIRS = {
    'add': [(INF, -INF), (INF, 1), (NAN, 1), (-0.0, 0.0), (-0.0, -0.0)],
    'sub': [(INF, INF), (INF, 1), (1, NAN), (0.0, 0.0), (-0.0, 0.0)],
    'mul': [(INF, 0.0), (-INF, 2), (NAN, 0.0), (-0.0, 3), (-1, 0.0)],
    'div': [(1, 0.0), (1, -0.0), (-1, 0.0), (0.0, 0.0), (INF, INF), (1, INF), (-1, INF), (NAN, 1), (1, NAN)],
    'maximum': [(1, 1), (0.0, -0.0), (-0.0, 0.0), (NAN, 1), (1, NAN), (INF, 1), (-INF, 1), (INF, INF)],
    'minimum': [(1, 1), (0.0, -0.0), (-0.0, 0.0), (NAN, 1), (1, NAN), (INF, 1), (-INF, 1), (-INF, -INF)],
    'atan2': [(0.0, 1), (0.0, -1), (-0.0, -1), (1, 0.0), (-1, 0.0), (NAN, 1)],
    'hypot': [(3, 4), (0.0, 2), (-3, 0.0), (1e200, 1e200), (1e-200, 1e-200)],
    'remainder': [(5, 3), (-5, 3), (5, -3), (-5, -3), (6, 3), (-6, 3), (5.5, 2.5), (0.0, 3), (NAN, 2)],
    'floorDivide': [(5, 3), (-5, 3), (5, -3), (-5, -3), (6, 3), (-6, 3), (5.5, 2.5), (0.0, 3), (NAN, 2), (1, 0.0), (-1, 0.0), (0.0, 0.0)],
    'pow': [(0.0, 0.0), (0.0, 2), (0.0, 1), (0.0, 0.5), (0.0, -1), (1, INF), (1, NAN), (NAN, 0.0), (2, INF), (0.5, INF), (INF, 0.0), (INF, -1),
            (-1, 2), (-2, 3), (-8, 0.5), (2, 0.0), (-2, 0.0), (-1, INF)],
}
# Values only: at infinity and at division by 0 the gradient is an accident of the formula.
PAIRS_VALUES = {
    'atan2': [(INF, 1), (-INF, 1), (1, INF), (1, -INF), (-1, -INF), (INF, INF), (INF, -INF), (-INF, -INF)],
    'hypot': [(INF, 1), (1, -INF), (INF, NAN), (NAN, 1)],
    'remainder': [(1, INF), (-1, INF), (1, -INF), (5, 0.0), (INF, 2), (2, NAN)],
}
# Singular points: their second derivatives are an accident of the formula.
KINKS = {'abs', 'sign', 'neg', 'floor', 'ceil', 'round', 'trunc', 'add', 'sub', 'maximum', 'minimum'}


def record(recorder):
    for op, (function, *_) in UNARY.items():
        points = SPECIAL + EXTRA.get(op, [])
        recorder.case(op, 'special points', function, lambda d: [f64(points)], second=op in KINKS, signed=op in SIGNED, atol=0)
    for op, pairs in PAIRS.items():
        first, second = (f64([float(pair[side]) for pair in pairs]) for side in (0, 1))
        recorder.case(op, 'special points', BINARY[op][0], lambda d: [first.clone(), second.clone()], second=op in KINKS,
                      signed=op in ('add', 'sub', 'mul', 'div', 'atan2'), atol=0)
    for op, pairs in PAIRS_VALUES.items():
        first, second = (f64([float(pair[side]) for pair in pairs]) for side in (0, 1))
        recorder.case(op, 'infinities and zero divisors', BINARY[op][0], lambda d: [first.clone(), second.clone()], gradient=False, atol=0)
    for exponent in (0, 1, 2, 3, 0.5, -1, -0.5, 1.5):
        recorder.case('pow', 'special points, exponent %s' % exponent, torch.pow,
                      lambda d: [f64([0.0, -0.0, INF, -INF, NAN, -2.0]), exponent], second=exponent in (0, 1), atol=0)
        recorder.case('pow', 'at zero, exponent %s' % exponent, torch.pow, lambda d: [f64([0.0]), exponent], second=exponent >= 0)
    for base in (0.0, 1.0, 2.0, -1.0):
        recorder.case('pow', 'scalar base %s' % base, lambda a, b: torch.pow(a, b), lambda d: [base, f64([0.0, 1.0, 2.0, -1.0, INF])],
                      second=False, atol=0)
    recorder.case('hypot', 'both zero', torch.hypot, lambda d: [f64([0.0]), f64([0.0])], second=False)
    recorder.case('atan2', 'both zero', torch.atan2, lambda d: [f64([0.0, -0.0]), f64([0.0, -0.0])], second=False)
    recorder.case('square', 'zero is a smooth point', torch.square, lambda d: [f64([0.0, -0.0])])
    recorder.case('clamp', 'special points', torch.clamp, lambda d: [f64([NAN, INF, -INF, -0.0, 1.0, -1.0])], {'min': -1.0, 'max': 1.0})
    # The branch not taken passes no gradient: not even NaN of an infinite derivative times 0.
    recorder.case('where', 'NaN in the branch not taken', torch.where,
                  lambda d: [torch.tensor([True, False, True, False]), f64([1.0, NAN, INF, -INF]), f64([NAN, 2.0, -INF, 3.0])])
    recorder.case('lerp', 'special points', torch.lerp, lambda d: [f64([1.0, INF, 1.0, NAN]), f64([3.0, 1.0, 1.0, 1.0]), f64([0.5, 0.5, 0.5, 0.25])],
                  second=False)
