"""Normalisations. batchNorm and instanceNorm: args (input, runningMean, runningVar, weight, bias), null where absent.

With running statistics in training, the output is a list: the normalised tensor, then both statistics after the call (PyTorch updates
them in place, with the unbiased variance).
"""
import torch
import torch.nn.functional as F

from .draw import f64
from .names import torch_call


def batch_norm(x, mean, var, weight, bias, training=False, momentum=0.1, eps=1e-5):
    mean, var = (None if t is None else t.detach().clone() for t in (mean, var))
    y = F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)
    return (y, mean, var) if training and mean is not None else y


def instance_norm(x, mean, var, weight, bias, useInputStats=True, momentum=0.1, eps=1e-5):
    mean, var = (None if t is None else t.detach().clone() for t in (mean, var))
    y = F.instance_norm(x, mean, var, weight, bias, useInputStats, momentum, eps)
    return (y, mean, var) if useInputStats and mean is not None else y


def rms_norm(x, weight=None, normalizedShape=None, eps=None):
    """Closed form (PyTorch 2.4's rms_norm): x / sqrt(mean(x**2) + eps) * weight; eps defaults to the dtype's epsilon."""
    axes = list(range(x.dim() - len(normalizedShape), x.dim()))
    y = x * torch.rsqrt(x.square().mean(axes, keepdim=True) + (torch.finfo(x.dtype).eps if eps is None else eps))
    return y if weight is None else y * weight


def record(recorder):
    affine = lambda d, *shape: [d.grid(shape, 0.5, 1.5), d.grid(shape, -1, 1)]
    for shape, axes in (([2, 4], 1), ([2, 3, 4], 2), ([2, 2, 3], 1), ([3], 1)):
        normalized = shape[-axes:]
        call = lambda x, weight, bias, normalizedShape, eps=1e-5: F.layer_norm(x, normalizedShape, weight, bias, eps)
        recorder.case('layerNorm', '%s over the last %d, affine' % (shape, axes), call, lambda d: [d.grid(shape), *affine(d, *normalized)], {'normalizedShape': normalized})
        recorder.case('layerNorm', '%s over the last %d' % (shape, axes), call, lambda d: [d.grid(shape), None, None], {'normalizedShape': normalized, 'eps': 0.01})
        recorder.case('rmsNorm', '%s over the last %d, weight' % (shape, axes), rms_norm, lambda d: [d.grid(shape), d.grid(normalized, 0.5, 1.5)],
                      {'normalizedShape': normalized, 'eps': 1e-5})
        recorder.case('rmsNorm', '%s over the last %d, default eps' % (shape, axes), rms_norm, lambda d: [d.grid(shape), None], {'normalizedShape': normalized})
    recorder.case('layerNorm', 'equal elements', lambda x, w, b, normalizedShape: F.layer_norm(x, normalizedShape), lambda d: [f64([[2.0, 2.0, 2.0]]), None, None], {'normalizedShape': [3]})
    for shape, groups in (([2, 4], 2), ([2, 4, 3], 4), ([1, 6, 2, 1], 3), ([2, 3, 2], 1)):
        call = lambda x, weight, bias, numGroups, eps=1e-5: F.group_norm(x, numGroups, weight, bias, eps)
        if shape == [2, 4]:
            recorder.case('groupNorm', '%s in %d' % (shape, groups), call, lambda d: [d.grid(shape), None, None], {'numGroups': groups})
            continue
        recorder.case('groupNorm', '%s in %d, affine' % (shape, groups), call, lambda d: [d.grid(shape), *affine(d, shape[1])], {'numGroups': groups})
        recorder.case('groupNorm', '%s in %d, eps' % (shape, groups), call, lambda d: [d.grid(shape), None, None], {'numGroups': groups, 'eps': 0.01})
    batches(recorder, affine)
    for size in (1, 2, 3, 5):
        for shape in ([2, 4, 2], [1, 5, 2, 1]):
            recorder.case('localResponseNorm', 'size %d %s' % (size, shape), torch_call(F.local_response_norm), lambda d: [d.grid(shape)],
                          {'size': size, 'alpha': 0.5, 'beta': 0.75, 'k': 2.0})
    recorder.case('localResponseNorm', 'defaults', torch_call(F.local_response_norm), lambda d: [d.grid([1, 3, 2])], {'size': 2})
    for p, axis in ((2, 1), (1, 0), (3, -1)):
        recorder.case('normalize', 'p %d axis %d' % (p, axis), torch_call(F.normalize), lambda d: [d.distinct([3, 2])], {'p': p, 'axis': axis})
    recorder.case('normalize', 'a zero row stays 0', torch_call(F.normalize), lambda d: [f64([[0.0, 0.0], [3.0, 4.0]])], {'axis': 1}, second=False)


def batches(recorder, affine):
    statistics = lambda d, c: [d.grid([c], -1, 1), d.grid([c], 0.5, 2)]
    nothing = [None, None]
    for shape in ([3, 2], [2, 2, 3], [2, 3, 2, 2], [1, 2, 2, 1, 2]):
        c = shape[1]
        add = lambda name, arguments, options: recorder.case('batchNorm', '%s %s' % (shape, name), batch_norm, arguments, options, constant=('1', '2'))
        add('training, affine', lambda d: [d.grid(shape), *nothing, *affine(d, c)], {'training': True})
        add('training, running statistics', lambda d: [d.grid(shape), *statistics(d, c), *affine(d, c)], {'training': True, 'momentum': 0.25})
        add('evaluation', lambda d: [d.grid(shape), *statistics(d, c), *affine(d, c)], {'training': False})
        add('evaluation, plain, eps', lambda d: [d.grid(shape), *statistics(d, c), *nothing], {'training': False, 'eps': 0.01})
    recorder.case('batchNorm', 'training, plain', batch_norm, lambda d: [d.grid([4, 2]), *nothing, *nothing], {'training': True})
    recorder.case('batchNorm', 'equal elements', batch_norm, lambda d: [f64([[2.0], [2.0], [2.0]]), *nothing, *nothing], {'training': True})
    recorder.case('batchNorm', 'N = 0, evaluation', batch_norm, lambda d: [d.grid([0, 2, 3]), *statistics(d, 2), *affine(d, 2)], {'training': False}, second=False)
    for shape in ([2, 2, 4], [2, 3, 2, 2], [1, 2, 2, 1, 2]):
        c = shape[1]
        add = lambda name, arguments, options: recorder.case('instanceNorm', '%s %s' % (shape, name), instance_norm, arguments, options, constant=('1', '2'))
        add('affine', lambda d: [d.grid(shape), *nothing, *affine(d, c)], {})
        add('plain, eps', lambda d: [d.grid(shape), *nothing, *nothing], {'eps': 0.01})
        add('running statistics', lambda d: [d.grid(shape), *statistics(d, c), *affine(d, c)], {'momentum': 0.25})
        add('evaluation', lambda d: [d.grid(shape), *statistics(d, c), *affine(d, c)], {'useInputStats': False})
