"""dtypes: the promotion table, integer arithmetic, casts. PyTorch's int64 results are recorded as int32, Adjoint's only index type."""
import math

import torch

from .draw import f64

NAMED = {'float32': torch.float32, 'float64': torch.float64, 'float16': torch.float16, 'bfloat16': torch.bfloat16, 'int32': torch.int32,
         'uint8': torch.uint8, 'bool': torch.bool}
INF, NAN = math.inf, math.nan


def record(recorder):
    table(recorder)
    integers(recorder)
    casts(recorder)


def table(recorder):
    """The dtype of mul: two tensors, a tensor and a 0-d tensor, a tensor and a number of each kind."""
    for first, a in NAMED.items():
        for second, b in NAMED.items():
            for name, shape in (('two tensors', [1]), ('second is 0-d', [])):
                recorder.case('mul', 'promotes: %s, %s: %s' % (first, second, name), torch.mul,
                              lambda d: [torch.ones([1], dtype=a), torch.ones(shape, dtype=b)], gradient=False)
        for kind, number in (('fraction', 1.5), ('integer', 2)):
            recorder.case('mul', 'promotes: %s and a number, %s' % (first, kind), torch.mul, lambda d: [torch.ones([1], dtype=a), number], gradient=False)
    for dtype in ('int32', 'uint8', 'bool'):
        ones = lambda d: [torch.ones([2], dtype=NAMED[dtype])]
        for op, function in (('exp', torch.exp), ('sqrt', torch.sqrt), ('sigmoid', torch.sigmoid)):
            recorder.case(op, 'of %s is float32' % dtype, function, ones)


def integers(recorder):
    i32 = lambda *data: torch.tensor(data, dtype=torch.int32)
    u8 = lambda *data: torch.tensor(data, dtype=torch.uint8)
    largest = 2**31 - 1
    for name, a, b in (('int32', i32(7, -7, 7, -7, 6, 0), i32(2, 2, -2, -2, 3, 5)), ('uint8', u8(7, 200, 255, 0), u8(2, 100, 1, 9)),
                       ('int32 at the ends wraps', i32(largest, -largest - 1, largest), i32(1, -1, largest))):
        for op, function in (('add', torch.add), ('sub', torch.sub), ('mul', torch.mul), ('maximum', torch.maximum), ('eq', torch.eq), ('lt', torch.lt)):
            recorder.case(op, name, function, lambda d: [a.clone(), b.clone()])
        if 'wraps' not in name:
            recorder.case('div', name + ': true division', torch.div, lambda d: [a.clone(), b.clone()])
            recorder.case('floorDivide', name, lambda x, y: torch.div(x, y, rounding_mode='floor'), lambda d: [a.clone(), b.clone()])
            recorder.case('remainder', name, torch.remainder, lambda d: [a.clone(), b.clone()])
    recorder.case('pow', 'int32 to the 3', torch.pow, lambda d: [i32(-2, 0, 3, 10), 3])
    recorder.case('abs', 'int32', torch.abs, lambda d: [i32(-5, 0, 3)])
    recorder.case('sign', 'int32', torch.sign, lambda d: [i32(-5, 0, 3)])
    recorder.case('sum', 'uint8 does not wrap', lambda x: torch.sum(x), lambda d: [u8(200, 200, 200)])
    recorder.case('cumsum', 'int32', lambda x, axis: torch.cumsum(x, axis), lambda d: [i32(1, -2, 3)], {'axis': 0})
    recorder.case('matmul', 'int32', torch.matmul, lambda d: [torch.tensor([[1, 2], [3, 4]], dtype=torch.int32), torch.tensor([[5], [-6]], dtype=torch.int32)])
    recorder.case('clamp', 'int32', torch.clamp, lambda d: [i32(-5, 0, 5)], {'min': -1, 'max': 2})


def casts(recorder):
    to = lambda x, dtype: x.to(NAMED[dtype])
    f32 = lambda data: torch.tensor(data, dtype=torch.float32)
    # Ties to even at both widths, overflow to infinity, subnormals, underflow.
    recorder.case('to', 'float32 to float16', to, lambda d: [f32([1.0, 1.00048828125, 1.00146484375, 65504.0, 65519.0, 65520.0, -1e6, 6e-8, 2.98e-8, 2.99e-8,
                                                                  6.1e-5, 1e-9, 0.0, -0.0, INF, NAN, 0.1, -3.14159])], {'dtype': 'float16'}, signed=True)
    recorder.case('to', 'float32 to bfloat16', to, lambda d: [f32([1.0, 1.00390625, 1.01171875, 3.3895e38, 3.4e38, 1e-40, 0.1, -3.14159, 0.0, -0.0, INF, -INF, NAN])],
                  {'dtype': 'bfloat16'}, signed=True)
    recorder.case('to', 'float64 to float32', to, lambda d: [f64([1 / 3, 1e39, -1e-46, 1e-40, NAN, INF, -0.0])], {'dtype': 'float32'}, gradient=False, signed=True)
    recorder.case('to', 'float64 to int32 truncates', to, lambda d: [f64([1.9, -1.9, 0.5, -0.5, 2147483647.0])], {'dtype': 'int32'}, gradient=False)
    recorder.case('to', 'int32 to uint8 wraps', to, lambda d: [torch.tensor([0, 255, 256, -1, 1000], dtype=torch.int32)], {'dtype': 'uint8'})
    recorder.case('to', 'float64 to bool', to, lambda d: [f64([0.0, -0.0, 0.1, NAN, -2.0])], {'dtype': 'bool'}, gradient=False)
    for name, dtype in NAMED.items():
        recorder.case('to', 'bool to %s' % name, to, lambda d: [torch.tensor([True, False])], {'dtype': name})
