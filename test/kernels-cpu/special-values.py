"""Writes special-values.json: arguments and correctly rounded results of every smooth unary kernel, and of pow and hypot.

Run with Python 3 and mpmath, then format:
    python3 special-values.py > special-values.json && npx biome format --write special-values.json
"""

import json
import math
import random

from mpmath import mp, mpf
import mpmath as m

mp.prec = 400
random.seed(20240229)


def geometric(low, high, count, signs=(1, -1)):
    """Arguments spread evenly over orders of magnitude."""
    exponents = [math.log(low) + (math.log(high) - math.log(low)) * i / (count - 1) for i in range(count)]
    return [sign * math.exp(e) * random.uniform(0.97, 1.03) for e in exponents for sign in signs]


def uniform(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


everywhere = geometric(1e-12, 30, 24) + uniform(-6, 6, 30)
positive = geometric(1e-300, 1e300, 30, (1,)) + uniform(0.2, 3, 30)
unit = geometric(1e-12, 0.95, 16) + uniform(-1, 1, 20)


def sigmoid(x):
    return 1 / (1 + m.exp(-x))


def mish(x):
    return x * m.tanh(m.log1p(m.exp(x)))


def gelu(x):
    return x / 2 * m.erfc(-x / m.sqrt(2))


def gelu_tanh(x):
    # The constant is the double that PyTorch writes, not the real number 0.044715.
    return x / 2 * (1 + m.tanh(m.sqrt(2 / m.pi) * (x + mpf(0.044715) * x**3)))


cases = {
    'sqrt': (m.sqrt, positive),
    'rsqrt': (lambda x: 1 / m.sqrt(x), positive),
    'exp': (m.exp, everywhere + uniform(-740, 709, 20)),
    'exp2': (lambda x: mpf(2) ** x, everywhere + uniform(-1070, 1023, 20)),
    'expm1': (m.expm1, everywhere + uniform(-50, 709, 10)),
    'log': (m.log, positive),
    'log2': (lambda x: m.log(x, 2), positive),
    'log10': (m.log10, positive),
    'log1p': (m.log1p, geometric(1e-12, 0.95, 16) + geometric(1, 1e300, 20, (1,))),
    'sin': (m.sin, everywhere + geometric(100, 1e9, 10)),
    'cos': (m.cos, everywhere + geometric(100, 1e9, 10)),
    'tan': (m.tan, everywhere + geometric(100, 1e9, 10)),
    'asin': (m.asin, unit),
    'acos': (m.acos, unit),
    'atan': (m.atan, everywhere + geometric(100, 1e20, 10)),
    'sinh': (m.sinh, everywhere + uniform(-709, 709, 10)),
    'cosh': (m.cosh, everywhere + uniform(-709, 709, 10)),
    'tanh': (m.tanh, everywhere),
    'asinh': (m.asinh, everywhere + geometric(100, 1e300, 10)),
    'acosh': (m.acosh, [1 + x for x in geometric(1e-9, 1e300, 40, (1,))]),
    'atanh': (m.atanh, unit),
    'erf': (m.erf, everywhere + uniform(-1.3, 1.3, 20)),
    'erfc': (m.erfc, everywhere[:48] + uniform(-6, 6, 40) + uniform(5, 26, 20)),
    'sigmoid': (sigmoid, everywhere + uniform(-740, 40, 20)),
    'logSigmoid': (lambda x: -m.log1p(m.exp(-x)), everywhere + uniform(-740, 740, 20)),
    'softplus': (lambda x: m.log1p(m.exp(x)), geometric(1e-12, 19, 20) + uniform(-700, 19, 20)),
    'silu': (lambda x: x * sigmoid(x), everywhere + uniform(-700, 40, 20)),
    'mish': (mish, everywhere + uniform(-700, 40, 20)),
    'gelu': (gelu, everywhere + uniform(-37, 10, 40)),
    'geluTanh': (gelu_tanh, geometric(1e-12, 4, 24) + uniform(-4, 10, 30)),
    'elu': (lambda x: x if x > 0 else m.expm1(x), everywhere),
}
table = {
    name: {'arguments': [xs], 'results': [float(f(mpf(x))) for x in xs]} for name, (f, xs) in cases.items()
}
xs, ys = zip(*((x, y) for x in geometric(1e-3, 1e3, 12, (1,)) for y in uniform(-40, 40, 5) + [2, 3, 0.5, -1]))
table['pow'] = {'arguments': [xs, ys], 'results': [float(mpf(x) ** mpf(y)) for x, y in zip(xs, ys)]}
xs, ys = zip(*((x, y) for x in geometric(1e-310, 1e302, 16, (1,)) for y in (1.1 * x, x / 3, -x * 1e5, x / 1e10)))
table['hypot'] = {'arguments': [xs, ys], 'results': [float(m.hypot(mpf(x), mpf(y))) for x, y in zip(xs, ys)]}
print(json.dumps(table))
