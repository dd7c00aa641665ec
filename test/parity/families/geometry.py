"""Convolution geometries, and the trilinear form T written as plain loops over kernel positions.

    T(x, w, y) = sum x[n, c, o*stride - padding + q*dilation] * w[k, c, q] * y[n, k, o]

The loops check PyTorch itself: a case is recorded only if both agree exactly, so that a bug of one PyTorch version cannot become
the specification.
"""
import itertools
import math

import numpy as np


class Geometry:
    """Extents per spatial dimension, and channels per group. batch None means unbatched."""

    def __init__(self, size, kernel, *, stride=1, padding=0, dilation=1, outputPadding=0, groups=1, cin=1, cout=1, batch=2, bias=True):
        rank = len(size)
        spread = lambda value: [value] * rank if isinstance(value, int) else list(value)
        self.size, self.kernel = list(size), list(kernel)
        self.given = {'stride': stride, 'padding': padding, 'dilation': dilation, 'outputPadding': outputPadding}
        self.stride, self.padding, self.dilation, self.outputPadding = map(spread, (stride, padding, dilation, outputPadding))
        self.groups, self.cin, self.cout, self.batch, self.bias = groups, cin, cout, batch, bias

    def lead(self):
        return [] if self.batch is None else [self.batch]

    def conv_output(self):
        return [(i + 2 * p - d * (k - 1) - 1) // s + 1
                for i, k, s, p, d in zip(self.size, self.kernel, self.stride, self.padding, self.dilation)]

    def transpose_output(self):
        return [(i - 1) * s - 2 * p + d * (k - 1) + op + 1 for i, k, s, p, d, op in
                zip(self.size, self.kernel, self.stride, self.padding, self.dilation, self.outputPadding)]

    def options(self, *names):
        return {name: self.given[name] for name in names} | {'groups': self.groups}

    def name(self, *names):
        flat = lambda value: 'x'.join(map(str, value)) if isinstance(value, list) else str(value)
        parts = ['%s k%s' % ('x'.join(map(str, self.size)), 'x'.join(map(str, self.kernel)))]
        parts += ['%s %s' % (name, flat(self.given[name])) for name in names if self.given[name] != (1 if name in ('stride', 'dilation') else 0)]
        if self.groups > 1:
            parts.append('groups %d' % self.groups)
        parts.append('channels %d to %d' % (self.groups * self.cin, self.groups * self.cout))
        parts.append('unbatched' if self.batch is None else 'N=%d' % self.batch)
        return ' '.join(parts + ([] if self.bias else ['no bias']))


class Trilinear:
    """T for one geometry; x, w, y are numpy arrays in PyTorch's conv layout, batched."""

    def __init__(self, geometry, x_size, y_size):
        self.g, self.x_size, self.y_size = geometry, x_size, y_size
        self.extent = [max((o - 1) * s + (k - 1) * d + 1, i + 2 * p) for o, s, k, d, i, p in
                       zip(y_size, geometry.stride, geometry.kernel, geometry.dilation, x_size, geometry.padding)]

    def positions(self):
        for q in itertools.product(*map(range, self.g.kernel)):
            yield q, tuple(slice(i * d, i * d + (o - 1) * s + 1, s) for i, d, o, s in
                           zip(q, self.g.dilation, self.y_size, self.g.stride))

    def padded(self, x):
        groups = self.g.groups
        buffer = np.zeros((x.shape[0], groups, x.shape[1] // groups, *self.extent))
        buffer[(Ellipsis, *self.inside())] = x.reshape(x.shape[0], groups, x.shape[1] // groups, *self.x_size)
        return buffer

    def inside(self):
        return tuple(slice(p, p + i) for p, i in zip(self.g.padding, self.x_size))

    def y(self, x, w):
        x, w = self.padded(x), self.split(w)
        result = 0
        for q, window in self.positions():
            result = result + np.einsum('ngc...,gkc->ngk...', x[(Ellipsis, *window)], w[(Ellipsis, *q)])
        return result.reshape(x.shape[0], w.shape[0] * w.shape[1], *self.y_size)

    def x(self, w, y):
        w, y = self.split(w), self.grouped(y)
        buffer = np.zeros((y.shape[0], self.g.groups, w.shape[2], *self.extent))
        for q, window in self.positions():
            buffer[(Ellipsis, *window)] += np.einsum('ngk...,gkc->ngc...', y, w[(Ellipsis, *q)])
        return buffer[(Ellipsis, *self.inside())].reshape(y.shape[0], w.shape[0] * w.shape[2], *self.x_size)

    def w(self, x, y):
        x, y = self.padded(x), self.grouped(y)
        result = np.zeros((self.g.groups, y.shape[2], x.shape[2], *self.g.kernel))
        for q, window in self.positions():
            xs, ys = x[(Ellipsis, *window)], y
            flat = lambda a: a.reshape(*a.shape[:3], math.prod(self.y_size))
            result[(Ellipsis, *q)] = np.einsum('ngcp,ngkp->gkc', flat(xs), flat(ys))
        return result.reshape(-1, x.shape[2], *self.g.kernel)

    def split(self, w):
        return w.reshape(self.g.groups, -1, *w.shape[1:])

    def grouped(self, y):
        return y.reshape(y.shape[0], self.g.groups, y.shape[1] // self.g.groups, *self.y_size)
