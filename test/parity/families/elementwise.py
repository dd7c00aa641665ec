"""Element-wise arithmetic and the elementary functions, over their domains, with broadcasting and with scalars.

Accuracy: an elementary function is compared with no absolute tolerance ('wide' cases: tiny, huge and just beside the
points where a naive formula cancels), so that one good to 1e-7 only cannot pass.
"""
import torch

from .draw import f64

# op: function, lower and upper end of the random data, points of the 'wide' case
UNARY = {
    'neg': (torch.neg, -2, 2, []),
    'abs': (torch.abs, -2, 2, []),
    'square': (torch.square, -2, 2, [1e-200, 1e150, -3e-5]),
    'sqrt': (torch.sqrt, 0.125, 4, [1e-300, 5e-324, 1e300, 2.0, 1 + 1e-15]),
    'rsqrt': (torch.rsqrt, 0.125, 4, [1e-200, 1e200, 3.0]),
    'reciprocal': (torch.reciprocal, 0.125, 4, [1e-200, -1e200, 3.0]),
    'exp': (torch.exp, -2, 2, [-745.0, -708.5, -30.0, -1e-17, 1e-10, 0.5, 30.0, 709.5]),
    'exp2': (torch.exp2, -2, 2, [-1070.0, -30.5, 1e-10, 0.1, 10.3, 1023.5]),
    'expm1': (torch.expm1, -2, 2, [-50.0, -1.0, -1e-5, -1e-17, 1e-300, 1e-10, 0.3, 40.0, 709.0]),
    'log': (torch.log, 0.125, 4, [5e-324, 1e-300, 0.999999999, 1.000000001, 10.0, 1e300]),
    'log2': (torch.log2, 0.125, 4, [5e-324, 0.999999999, 1.000000001, 8.0, 3.0, 1e300]),
    'log10': (torch.log10, 0.125, 4, [5e-324, 0.999999999, 1.000000001, 1000.0, 3.0, 1e300]),
    'log1p': (torch.log1p, -0.75, 4, [-0.999999999, -1e-5, -1e-17, 1e-300, 1e-10, 0.4, 1e10, 1e300]),
    'sin': (torch.sin, -4, 4, [1e-300, 1e-8, 1e-3, 3.141592653589793, 1.5707963267948966, 100.0, 1e6, -1e15]),
    'cos': (torch.cos, -4, 4, [1e-300, 1e-8, 1e-3, 3.141592653589793, 1.5707963267948966, 100.0, 1e6, -1e15]),
    'tan': (torch.tan, -1.25, 1.25, [1e-300, 1e-8, 3.0, 1.5707, 100.0, 1e6]),
    'asin': (torch.asin, -0.875, 0.875, [1e-300, 1e-8, 0.5, 0.999999, -0.999999]),
    'acos': (torch.acos, -0.875, 0.875, [1e-300, 1e-8, 0.5, 0.999999, -0.999999]),
    'atan': (torch.atan, -4, 4, [1e-300, 1e-8, 0.4375, 1.0, 100.0, 1e18]),
    'sinh': (torch.sinh, -3, 3, [1e-300, 1e-10, -1e-4, 0.3, 20.0, 22.5, 709.0]),
    'cosh': (torch.cosh, -3, 3, [1e-300, 1e-10, -1e-4, 0.3, 20.0, 22.5, 709.0]),
    'tanh': (torch.tanh, -3, 3, [1e-300, 1e-10, -1e-4, 0.3, 6.0, 20.0, 400.0]),
    'asinh': (torch.asinh, -4, 4, [1e-300, 1e-10, -1e-4, 0.3, -20.0, 1e10, 1e200]),
    'acosh': (torch.acosh, 1.25, 5, [1.0000001, 1.001, 3.0, 1e10, 1e200]),
    'atanh': (torch.atanh, -0.875, 0.875, [1e-300, 1e-10, -1e-4, 0.3, 0.999999, -0.999999999]),
    'erf': (torch.erf, -3, 3, [1e-300, 1e-10, -1e-4, 0.3, 0.84375, 1.25, 2.0, 2.857, 4.0, 5.9, 6.1]),
    'erfc': (torch.erfc, -3, 3, [1e-300, 1e-10, -1e-4, 0.3, 0.84375, 1.25, 2.857, -6.1, 9.5, 26.0]),
    'sign': (torch.sign, -2, 2, []),
    'floor': (torch.floor, -3, 3, []),
    'ceil': (torch.ceil, -3, 3, []),
    'round': (torch.round, -3, 3, []),
    'trunc': (torch.trunc, -3, 3, []),
}

# op: function, ranges of the two operands
BINARY = {
    'add': (torch.add, (-2, 2), (-2, 2)),
    'sub': (torch.sub, (-2, 2), (-2, 2)),
    'mul': (torch.mul, (-2, 2), (-2, 2)),
    'div': (torch.div, (-2, 2), (0.5, 3)),
    'pow': (torch.pow, (0.25, 3), (-2, 3)),
    'maximum': (torch.maximum, (-2, 2), (-2, 2)),
    'minimum': (torch.minimum, (-2, 2), (-2, 2)),
    'atan2': (torch.atan2, (-2, 2), (0.25, 2)),
    'hypot': (torch.hypot, (-2, 2), (0.25, 2)),
    'remainder': (torch.remainder, (-5, 5), (0.5, 3)),
    'floorDivide': (lambda a, b: torch.div(a, b, rounding_mode='floor'), (-5, 5), (0.5, 3)),
}
BROADCASTS = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((2, 2), ()), ((2, 1, 2), (3, 1)), ((0, 3), (1, 3)), ((), ())]


def record(recorder):
    for op, (function, low, high, points) in UNARY.items():
        recorder.case(op, 'domain', function, lambda d: [d.grid([2, 3], low, high)])
        if points:
            recorder.case(op, 'wide', function, lambda d: [f64(points)], second=False, atol=0)
    for op in ('exp', 'abs', 'floor'):
        recorder.case(op, '0-d', UNARY[op][0], lambda d: [d.grid([], 0.125, 2)])
        recorder.case(op, 'empty', UNARY[op][0], lambda d: [d.grid([2, 0])])
    for op, (function, first, second) in BINARY.items():
        for a, b in BROADCASTS if op in ('add', 'mul', 'div', 'pow', 'maximum') else BROADCASTS[:3]:
            recorder.case(op, 'broadcast %s %s' % (list(a), list(b)), function, lambda d: [d.grid(a, *first), d.grid(b, *second)])
        if op != 'maximum' and op != 'minimum' and op != 'atan2' and op != 'hypot':
            recorder.case(op, 'tensor and scalar', function, lambda d: [d.grid([5], *first), 1.5])
    # A denominator below 0: remainder takes the divisor's sign, floorDivide rounds towards -Infinity.
    for op in ('remainder', 'floorDivide', 'div', 'atan2'):
        recorder.case(op, 'negative second operand', BINARY[op][0], lambda d: [d.grid([6], -5, 5), d.grid([6], -3, -0.5)])
    for op, function in (('sub', torch.rsub), ('div', lambda a, b: b / a), ('pow', lambda a, b: b ** a)):
        # args are (scalar, tensor) in the record
        recorder.case(op, 'scalar and tensor', lambda a, b, function=function: function(b, a), lambda d: [2.5, d.grid([5], 0.25, 3)])
    for exponent in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5):
        recorder.case('pow', 'exponent %s' % exponent, torch.pow, lambda d: [d.grid([5], 0.25, 3), exponent])
    for exponent in (0, 1, 2, 3, -1, -2):
        recorder.case('pow', 'negative base, exponent %s' % exponent, torch.pow, lambda d: [d.grid([4], -3, -0.25), exponent])
        recorder.case('pow', 'negative base, tensor exponent %s' % exponent, torch.pow,
                      lambda d: [d.grid([4], -3, -0.25), f64([float(exponent)])], constant=('1',))
    ternary(recorder)


def ternary(recorder):
    recorder.case('where', 'same shapes', torch.where, lambda d: [d.mask([2, 3]), d.grid([2, 3]), d.grid([2, 3])])
    recorder.case('where', 'all three broadcast', torch.where, lambda d: [d.mask([2, 1, 1]), d.grid([3, 1]), d.grid([2])])
    recorder.case('lerp', 'tensor weight', torch.lerp, lambda d: [d.grid([2, 3]), d.grid([3]), d.grid([2, 1], 0, 1)])
    recorder.case('lerp', 'weights outside 0 and 1', torch.lerp, lambda d: [d.grid([4]), d.grid([4]), f64([-1.5, 0.5, 1.0, 2.5])])
    recorder.case('lerp', 'scalar weight', torch.lerp, lambda d: [d.grid([5]), d.grid([5]), 0.25])
    for name, options in (('min and max', {'min': -0.5, 'max': 0.75}), ('min', {'min': 0.25}), ('max', {'max': 0.25}),
                          ('min above max gives max', {'min': 1.0, 'max': -1.0}), ('wide', {'min': -10, 'max': 10})):
        recorder.case('clamp', name, torch.clamp, lambda d: [d.grid([8])], options)
    recorder.case('clamp', 'points on the bounds', torch.clamp, lambda d: [f64([-1.0, -0.5, 0.0, 0.5, 1.0])], {'min': -0.5, 'max': 0.5})
