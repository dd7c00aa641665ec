"""Comparisons, predicates and logic: bool outputs, NaN compares false with everything, -0 equals 0."""
import math

import torch

from .draw import f64

INF, NAN = math.inf, math.nan
COMPARISONS = {'eq': torch.eq, 'ne': torch.ne, 'lt': torch.lt, 'le': torch.le, 'gt': torch.gt, 'ge': torch.ge}
LOGIC = {'logicalAnd': torch.logical_and, 'logicalOr': torch.logical_or, 'logicalXor': torch.logical_xor}
PREDICATES = {'isnan': torch.isnan, 'isinf': torch.isinf, 'isfinite': torch.isfinite, 'logicalNot': torch.logical_not}


def record(recorder):
    for op, function in COMPARISONS.items():
        recorder.case(op, 'special points', function, lambda d: [f64([0.0, NAN, 1.0, INF, -INF, NAN, 1.0, 2.0]),
                                                                 f64([-0.0, NAN, NAN, INF, INF, 1.0, 1.0, 1.0])])
        recorder.case(op, 'broadcast', function, lambda d: [d.grid([2, 1], -1, 1, 0.5), d.grid([4], -1, 1, 0.5)])
        recorder.case(op, 'scalar', function, lambda d: [d.grid([6], -1, 1, 0.5), 0.5])
    for op, function in LOGIC.items():
        recorder.case(op, 'bool', function, lambda d: [torch.tensor([True, True, False, False]), torch.tensor([True, False, True, False])])
        recorder.case(op, 'numbers: what is not 0 is true', function, lambda d: [f64([0.0, -0.0, NAN, INF, 2.0]), f64([1.0, 1.0, 0.0, NAN, -0.0])])
    for op, function in PREDICATES.items():
        recorder.case(op, 'special points', function, lambda d: [f64([0.0, -0.0, 1.0, NAN, INF, -INF])])
        recorder.case(op, 'empty', function, lambda d: [f64([])])
    numbers_for_none(recorder)


def numbers_for_none(recorder):
    for options in ({}, {'nan': 1.5, 'posinf': 3.0, 'neginf': -4.0}):
        recorder.case('nanToNum', str(options), torch.nan_to_num, lambda d: [f64([NAN, INF, -INF, 0.0, -0.0, 2.5])], options)
