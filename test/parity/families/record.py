"""Runs one call in PyTorch and records arguments, output, first and second derivatives as a JSON case.

For an output (or several) y and seeded cotangents v, `grads` are the derivatives of L = sum(y * v) with respect to every float64
tensor among the arguments. For seeded second cotangents u, `secondGrads` are those of sum_i sum(grads_i * u_i) with
respect to the same arguments and to v (keys 'cotangent', 'cotangent.1', ...). A derivative that PyTorch finds to have no path is null: it
must be zero or absent. Arguments are named by path: '0', '1', '0.2' for the third tensor of a list at position 0.
"""
import math

import torch

from .draw import Draw

torch.set_num_threads(1)

DTYPES = {
    torch.float64: 'float64', torch.float32: 'float32', torch.float16: 'float16', torch.bfloat16: 'bfloat16',
    # PyTorch's indices are int64; Adjoint's are int32.
    torch.int64: 'int32', torch.int32: 'int32', torch.uint8: 'uint8', torch.bool: 'bool',
}


def number_text(value):
    """Shortest JSON text that reads back as the same number; what JSON lacks becomes a string."""
    if isinstance(value, bool) or isinstance(value, int):
        return str(int(value))
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if value == int(value) and abs(value) < 1e15:
        return '-0' if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return repr(value)


def text(value):
    """JSON text of tensors, numbers, strings, lists, dicts and None."""
    if isinstance(value, torch.Tensor):
        flat = value.detach().reshape(-1)
        if flat.dtype in (torch.float16, torch.bfloat16, torch.float32):
            flat = flat.double()
        data = ','.join(number_text(element) for element in flat.tolist())
        shape = ','.join(str(extent) for extent in value.shape)
        return '{"dtype":"%s","shape":[%s],"data":[%s]}' % (DTYPES[value.dtype], shape, data)
    if value is None:
        return 'null'
    if value is True or value is False:
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return '"%s"' % value.replace('\\', '\\\\').replace('"', '\\"')
    if isinstance(value, (list, tuple)):
        return '[%s]' % ','.join(text(element) for element in value)
    if isinstance(value, dict):
        return '{%s}' % ','.join('%s:%s' % (text(key), text(element)) for key, element in value.items())
    raise TypeError('cannot record %r' % (value,))


def float_leaves(value, path):
    """(path, tensor) of every float64 tensor in nested lists."""
    if isinstance(value, torch.Tensor):
        if value.dtype == torch.float64:
            yield path, value
    elif isinstance(value, (list, tuple)):
        for position, element in enumerate(value):
            yield from float_leaves(element, '%s.%d' % (path, position))


class Recorder:
    def __init__(self, family, seed, values):
        self.family, self.seed, self.values = family, seed, values
        self.cases, self.names, self.notes = [], set(), []

    def draw(self, *key):
        return Draw('/'.join([str(self.seed), self.family, *key]), self.values)

    def add(self, record):
        key = (record['op'], record['name'])
        if key in self.names:
            raise ValueError('two cases are named %s: %s' % key)
        self.names.add(key)
        self.cases.append(record)

    def case(self, op, name, call, arguments, options=None, *, constant=(), gradient=True, second=True, exact=False, signed=False, atol=None):
        """Record call(*arguments(draw), **options).

        constant: paths of float arguments that are not differentiated. gradient, second: False leaves first or second
        derivatives out, where PyTorch's own are an accident of a formula and no convention. exact: every number is exact in float64 (dyadic
        data in a multilinear op), compare with ===. signed: the sign of a zero in the output is part of the convention. atol: the
        absolute tolerance of the output, if not the loader's default.
        """
        options = dict(options or {})
        draw = self.draw(op, name)
        args = list(arguments(draw))
        record = {'op': op, 'name': name, 'args': [detached(arg) for arg in args], 'options': options}
        leaves = [(path, tensor) for position, arg in enumerate(args)
                  for path, tensor in float_leaves(arg, str(position)) if gradient and path not in constant]
        for _, tensor in leaves:
            tensor.requires_grad_(True)
        result = call(*args, **options)
        several = isinstance(result, (list, tuple))
        outputs = list(result) if several else [result]
        record['output'] = [detached(output) for output in outputs] if several else detached(outputs[0])
        if exact and self.values == 'dyadic':
            record['exact'] = True
        if signed:
            record['signed'] = True
        if atol is not None:
            record['atol'] = atol
        self._differentiate(record, draw, leaves, outputs, several, second)
        self.add(record)
        return record

    def _differentiate(self, record, draw, leaves, outputs, several, second):
        live = [position for position, output in enumerate(outputs) if output.requires_grad]
        if not live or not leaves:
            return
        cotangents = {position: draw.nonzero(outputs[position].shape).requires_grad_(True) for position in live}
        try:
            grads = torch.autograd.grad([outputs[position] for position in live], [tensor for _, tensor in leaves],
                                        [cotangents[position] for position in live], create_graph=True, allow_unused=True)
        except RuntimeError as error:
            self.notes.append('%s %s: no gradient: %s' % (record['op'], record['name'], str(error).split('\n')[0][:140]))
            return
        record['cotangent'] = ([detached(cotangents[p]) if p in cotangents else None for p in range(len(outputs))]
                               if several else detached(cotangents[0]))
        record['grads'] = {path: detached(grad) for (path, _), grad in zip(leaves, grads)}
        if not second:
            return
        partners = {path: draw.nonzero(grad.shape) for (path, _), grad in zip(leaves, grads) if grad is not None}
        terms = [(grad * partners[path]).sum() for (path, _), grad in zip(leaves, grads) if grad is not None and grad.requires_grad]
        if not terms:
            return
        wanted = leaves + [('cotangent.%d' % p if several else 'cotangent', cotangents[p]) for p in live]
        try:
            seconds = torch.autograd.grad(sum(terms), [tensor for _, tensor in wanted], allow_unused=True)
        except (RuntimeError, NotImplementedError) as error:
            self.notes.append('%s %s: no second gradient: %s' % (record['op'], record['name'], str(error).split('\n')[0][:140]))
            return
        record['secondCotangents'] = partners
        record['secondGrads'] = {path: detached(grad) for (path, _), grad in zip(wanted, seconds)}

    def illegal(self, op, name, call, arguments, options=None):
        """Record a call that PyTorch refuses, and fail if it does not."""
        options = dict(options or {})
        args = list(arguments(self.draw(op, name)))
        try:
            call(*args, **options)
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError, NotImplementedError):
            self.add({'op': op, 'name': name, 'args': args, 'options': options, 'throws': True})
            return
        raise AssertionError('PyTorch accepts %s: %s' % (op, name))

    def json(self):
        return '[\n%s\n]\n' % ',\n'.join(text(case) for case in self.cases)


def detached(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (list, tuple)):
        return [detached(element) for element in value]
    return value
