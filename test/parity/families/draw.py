"""Seeded data for one case.

Every case owns a stream named after the seed, the family, the op and the case, so that adding, removing or reordering
cases leaves the data of all others as they were (small diffs in the committed fixtures).

Data are multiples of a power of two by default: their decimal form is short and, for bilinear ops such as convolution,
every sum of products is exact in float64 whatever the order of summation, so that results can be compared with ===.
With values='real' they have all 53 bits.
"""
import random

import torch


def f64(data):
    """A float64 tensor from nested lists (a scalar gives a 0-d tensor)."""
    return torch.tensor(data, dtype=torch.float64)


def i64(data):
    return torch.tensor(data, dtype=torch.int64)


class Draw:
    def __init__(self, stream, values):
        self.random = random.Random(stream)
        self.real = values == 'real'

    def _tensor(self, shape, element):
        count = 1
        for extent in shape:
            count *= extent
        return torch.tensor([element() for _ in range(count)], dtype=torch.float64).reshape(tuple(shape))

    def grid(self, shape, low=-2.0, high=2.0, step=1 / 64):
        """Multiples of step in [low, high]; ties and exact kinks may occur."""
        if self.real:
            return self._tensor(shape, lambda: self.random.uniform(low, high))
        first, last = -int(-low // step), int(high // step)
        return self._tensor(shape, lambda: self.random.randint(first, last) * step)

    def coarse(self, shape, low=-3.0, high=3.0):
        """Multiples of 1/4: products of two are exact in float32 too, and print short."""
        return self.grid(shape, low, high, 1 / 4)

    def nonzero(self, shape):
        """Cotangents: of either sign, never 0 (a 0 would hide an infinite derivative behind NaN)."""
        def element():
            size = self.random.uniform(0.25, 2) if self.real else self.random.randint(1, 8) / 4
            return size * self.random.choice((-1, 1))
        return self._tensor(shape, element)

    def distinct(self, shape, step=1 / 8):
        """No two elements within step/2 of each other, none near 0: for ops that order or select."""
        count = 1
        for extent in shape:
            count *= extent
        values = [(k - count / 2 + 0.25) * step for k in range(count)]
        if self.real:
            values = [value + self.random.uniform(-0.2, 0.2) * step for value in values]
        self.random.shuffle(values)
        return torch.tensor(values, dtype=torch.float64).reshape(tuple(shape))

    def integers(self, shape, low, high):
        """int64 in [low, high)."""
        return self._tensor(shape, lambda: self.random.randrange(low, high)).to(torch.int64)

    def mask(self, shape):
        return self._tensor(shape, lambda: self.random.randint(0, 1)).to(torch.bool)

    def probabilities(self, shape, axis):
        """Positive, summing to 1 along axis."""
        raw = self.grid(shape, 0.125, 2)
        return raw / raw.sum(axis, keepdim=True)
