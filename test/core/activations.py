"""Writes activations.json: arguments, and second and third derivatives of smooth activations, correctly rounded, far into both tails.

Run with Python 3 and mpmath (it takes some minutes), then format:
    python3 activations.py > activations.json && npx biome format --write activations.json
"""

import json

import mpmath as m
from mpmath import mp, mpf

# Bits enough to tell 1 from 1 - e^-700, and for difference quotients on top.
mp.prec = 8000


def sigmoid(x):
    return 1 / (1 + m.exp(-x))


FUNCTIONS = {
    'logSigmoid': lambda x: -m.log1p(m.exp(-x)),
    'softplus': lambda x: m.log1p(m.exp(x)),
    'silu': lambda x: x * sigmoid(x),
    'mish': lambda x: x * m.tanh(m.log1p(m.exp(x))),
    'gelu': lambda x: x / 2 * m.erfc(-x / m.sqrt(2)),
    # The constant is the double that PyTorch writes, not the real number 0.044715.
    'geluTanh': lambda x: x * sigmoid(2 * m.sqrt(2 / m.pi) * (x + mpf(0.044715) * x**3)),
}
# As far as results are normal numbers, with room for products on the way.
REACH = {'gelu': 37.0, 'geluTanh': 20.5, 'mish': 330.0}
NEAR = [-6.25, -3.1, -2.4, -1.3, -0.7, -0.125, 0.0, 1e-9, 0.6, 1.5, 1.9, 2.4, 4.7]


def arguments(name):
    reach = REACH.get(name, 680.0)
    far = [9.5, 14.2, 18.75, 33.0, 36.9, 45.5, 88.0, 300.5, reach]
    both = sorted({sign * x for x in far if x <= reach for sign in (1, -1)} | set(NEAR))
    # Beyond 20 softplus is the operand itself, as PyTorch has it.
    return [x for x in both if name != 'softplus' or x < 20]


table = {}
for name, function in FUNCTIONS.items():
    xs = arguments(name)
    second, third = ([float(m.diff(function, mpf(x), order, h=mpf(2)**-1500)) for x in xs] for order in (2, 3))
    table[name] = {'arguments': xs, 'second': second, 'third': third}
print(json.dumps(table))
