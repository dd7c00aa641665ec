"""Calls that PyTorch refuses, and Adjoint must refuse with a typed error before doing any work."""
import torch
import torch.nn.functional as F

from .conv import FUNCTIONS as CONV
from .convTranspose import FUNCTIONS as TRANSPOSE
from .draw import f64, i64
from .indexing import gather, index, index_select, scatter
from .names import torch_call
from .pooling import AVG, MAX


def zeros(*shapes):
    return lambda d: [None if shape is None else torch.zeros(shape, dtype=torch.float64) for shape in shapes]


def record(recorder):
    convolutions(recorder)
    add = recorder.illegal
    for op, function in (('add', torch.add), ('mul', torch.mul), ('pow', torch.pow), ('maximum', torch.maximum)):
        add(op, 'shapes do not broadcast', function, zeros([2, 3], [2]))
        add(op, 'empty against 2', function, zeros([0], [2]))
    add('where', 'shapes do not broadcast', torch.where, lambda d: [d.mask([2]), d.grid([3]), d.grid([3])])
    add('matmul', 'inner extents differ', torch.matmul, zeros([2, 3], [2, 3]))
    add('matmul', 'batches do not broadcast', torch.matmul, zeros([2, 2, 3], [3, 3, 2]))
    add('matmul', '0-d operand', torch.matmul, zeros([], [3]))
    add('bmm', 'rank 2', torch.bmm, zeros([2, 3], [3, 2]))
    add('bmm', 'batches differ', torch.bmm, zeros([2, 2, 3], [1, 3, 2]))
    add('dot', 'lengths differ', torch.dot, zeros([2], [3]))
    add('dot', 'rank 2', torch.dot, zeros([2, 2], [2, 2]))
    add('linear', 'features differ', F.linear, zeros([2, 3], [4, 2], None))
    add('trace', 'rank 1', torch.trace, zeros([3]))
    einsum = lambda *operands, equation: torch.einsum(equation, *operands)
    for name, equation, *shapes in (('extents differ', 'ij,jk->ik', [2, 3], [2, 3]), ('too few subscripts', 'i->i', [2, 3]), ('too few operands', 'ij,jk->ik', [2, 3]),
                                    ('unknown output letter', 'ij->k', [2, 3]), ('bad character', 'i1->i', [2, 3])):
        add('einsum', name, einsum, zeros(*shapes), {'equation': equation})
    for op, function in (('sum', torch.sum), ('mean', torch.mean), ('amax', torch.amax), ('var', torch.var), ('logsumexp', torch.logsumexp)):
        add(op, 'axis out of range', torch_call(function), zeros([2, 3]), {'axes': [2]})
        add(op, 'axis twice', torch_call(function), zeros([2, 3]), {'axes': [0, -2]})
    for op, function in (('amax', torch.amax), ('amin', torch.amin)):
        add(op, 'over an empty axis', torch_call(function), zeros([0, 3]), {'axes': [0]})
    for op, function in (('max', torch.max), ('min', torch.min), ('argmax', torch.argmax), ('argmin', torch.argmin)):
        add(op, 'of nothing', function, zeros([0]))
    for op, function in (('cumsum', torch.cumsum), ('cumprod', torch.cumprod), ('softmax', torch.softmax), ('logSoftmax', torch.log_softmax), ('argmax', torch.argmax)):
        add(op, 'axis out of range', torch_call(function), zeros([2, 3]), {'axis': -3})
    reshaping(recorder)
    indices(recorder)
    networks(recorder)


def convolutions(recorder):
    for rank in (1, 2, 3):
        x, w, b = [1, 4] + [5] * rank, [6, 2] + [3] * rank, [6]

        def conv(name, tensors=(x, w, b), **options):
            recorder.illegal('conv%dd' % rank, name, CONV[rank], zeros(*tensors), {'groups': 2, **options})
        conv('stride 0', stride=0)
        conv('negative stride', stride=-1)
        conv('fractional stride', stride=1.5)
        conv('negative padding', padding=-1)
        conv('dilation 0', dilation=0)
        conv('negative dilation', dilation=-1)
        conv('groups 0', groups=0)
        conv('negative groups', groups=-2)
        conv('channels not divisible by groups', groups=3)
        conv('weight for other channels', groups=1)
        conv('wrong number of strides', stride=[1] * (rank + 2))
        conv('kernel larger than the padded input', tensors=(x, [6, 2] + [9] * rank, b))
        conv('dilated kernel larger than the input', dilation=3)
        conv('input of too low rank', tensors=([4] + [5] * (rank - 1), w, b))
        conv('input of too high rank', tensors=([1] + x, w, b))
        conv('weight of wrong rank', tensors=(x, w + [3], b))
        conv('bias of wrong length', tensors=(x, w, [5]))
        conv('string padding with stride', padding='same', stride=2)
        conv('unknown string padding', padding='full')
        transposed(recorder, rank)


def transposed(recorder, rank):
    x, w, b = [1, 4] + [3] * rank, [4, 3] + [2] * rank, [6]

    def call(x, w, b, stride=1, padding=0, outputPadding=0, dilation=1, groups=1):
        return TRANSPOSE[rank](x, w, b, stride, padding, outputPadding, groups, dilation)

    def add(name, tensors=(x, w, b), **options):
        recorder.illegal('convTranspose%dd' % rank, name, call, zeros(*tensors), {'groups': 2, **options})
    add('stride 0', stride=0)
    add('negative padding', padding=-1)
    add('dilation 0', dilation=0)
    add('groups 0', groups=0)
    add('channels not divisible by groups', groups=3)
    add('weight for other channels', tensors=(x, [2, 3] + [2] * rank, b))
    add('bias of wrong length', tensors=(x, w, [3]))
    add('empty output', padding=3)
    add('negative outputPadding', outputPadding=-1)
    add('outputPadding equals stride and dilation', outputPadding=1)
    add('outputPadding equals stride', stride=2, outputPadding=2)
    add('outputPadding equals dilation', dilation=3, outputPadding=3)
    add('outputPadding too large on one axis', stride=[2] * rank, outputPadding=[1] * (rank - 1) + [2])
    add('input of too low rank', tensors=([4] + [3] * (rank - 1), w, b))


def reshaping(recorder):
    add = recorder.illegal
    add('reshape', 'other number of elements', torch.reshape, zeros([2, 3]), {'shape': [4, 2]})
    add('reshape', 'two unknown extents', torch.reshape, zeros([2, 3]), {'shape': [-1, -1]})
    add('reshape', 'unknown extent does not divide', torch.reshape, zeros([2, 3]), {'shape': [4, -1]})
    add('reshape', 'unknown extent of an empty tensor', torch.reshape, zeros([0]), {'shape': [0, -1]})
    add('permute', 'axis twice', lambda x, axes: x.permute(axes), zeros([2, 3]), {'axes': [0, 0]})
    add('permute', 'axis missing', lambda x, axes: x.permute(axes), zeros([2, 3]), {'axes': [0]})
    add('transpose', 'axis out of range', lambda x, axis0, axis1: x.transpose(axis0, axis1), zeros([2, 3]), {'axis0': 0, 'axis1': 2})
    add('expand', 'extent is not 1', lambda x, shape: x.expand(shape), zeros([2]), {'shape': [3]})
    add('expand', 'fewer axes', lambda x, shape: x.expand(shape), zeros([2, 2]), {'shape': [2]})
    add('expand', 'unknown extent in front', lambda x, shape: x.expand(shape), zeros([2]), {'shape': [-1, 2]})
    several = lambda *given: lambda d: [[torch.zeros(shape, dtype=torch.float64) for shape in given]]
    add('cat', 'other extents differ', torch_call(torch.cat), several([2, 3], [2, 2]), {'axis': 0})
    add('cat', 'ranks differ', torch_call(torch.cat), several([2, 3], [2]), {'axis': 0})
    add('cat', 'no tensors', torch_call(torch.cat), several(), {'axis': 0})
    add('cat', '0-d', torch_call(torch.cat), several([], []), {'axis': 0})
    add('stack', 'shapes differ', torch_call(torch.stack), several([2], [3]), {'axis': 0})
    add('split', 'sizes do not sum up', lambda x, size, axis=0: torch.split(x, size, axis), zeros([5]), {'size': [2, 2]})
    add('chunk', 'chunks 0', lambda x, chunks: torch.chunk(x, chunks), zeros([5]), {'chunks': 0})
    add('narrow', 'past the end', lambda x, axis, start, length: torch.narrow(x, axis, start, length), zeros([5]), {'axis': 0, 'start': 3, 'length': 3})
    add('flip', 'axis twice', lambda x, axes: torch.flip(x, axes), zeros([2, 3]), {'axes': [0, 0]})
    add('roll', 'shifts and axes differ in number', lambda x, shifts, axes: torch.roll(x, shifts, axes), zeros([2, 3]), {'shifts': [1, 2], 'axes': [0]})
    add('repeat', 'fewer repeats than axes', lambda x, repeats: x.repeat(repeats), zeros([2, 3]), {'repeats': [2]})
    add('pad', 'odd number of pads', torch_call(F.pad), zeros([3]), {'pad': [1]})
    add('pad', 'more pads than axes', torch_call(F.pad), zeros([3]), {'pad': [1, 1, 1, 1]})
    add('pad', 'cuts below 0', torch_call(F.pad), zeros([3]), {'pad': [-2, -2]})
    add('pad', 'reflect as far as the axis', torch_call(F.pad), zeros([1, 1, 3]), {'pad': [3, 0], 'mode': 'reflect'})
    add('pad', 'circular past the axis', torch_call(F.pad), zeros([1, 1, 3]), {'pad': [4, 0], 'mode': 'circular'})
    add('unfold', 'kernel too large', torch_call(F.unfold), zeros([1, 1, 3, 3]), {'kernelSize': 4})
    add('fold', 'wrong number of blocks', torch_call(F.fold), zeros([1, 4, 3]), {'outputSize': 3, 'kernelSize': 2})
    add('fold', 'channels not divisible', torch_call(F.fold), zeros([1, 3, 4]), {'outputSize': 3, 'kernelSize': 2})
    add('pixelShuffle', 'channels not divisible', torch_call(F.pixel_shuffle), zeros([1, 3, 2, 2]), {'upscaleFactor': 2})


def indices(recorder):
    add, x = recorder.illegal, lambda *shape: torch.zeros(shape, dtype=torch.float64)
    add('gather', 'index out of range', gather, lambda d: [x(3), i64([3])], {'axis': 0})
    add('gather', 'negative index', gather, lambda d: [x(3), i64([-1])], {'axis': 0})
    add('gather', 'ranks differ', gather, lambda d: [x(3, 2), i64([0])], {'axis': 0})
    add('gather', 'index larger off the axis', gather, lambda d: [x(3, 2), i64([[0, 0, 0]])], {'axis': 0})
    add('gather', 'index of floats', gather, lambda d: [x(3), f64([0.0])], {'axis': 0})
    add('scatter', 'index out of range', scatter, lambda d: [x(3), i64([3]), x(1)], {'axis': 0})
    add('scatter', 'source smaller than index', scatter, lambda d: [x(3), i64([0, 1]), x(1)], {'axis': 0})
    add('indexSelect', 'index out of range', index_select, lambda d: [x(3), i64([3])], {'axis': 0})
    add('indexSelect', 'index of rank 2', index_select, lambda d: [x(3), i64([[0]])], {'axis': 0})
    add('take', 'index out of range', torch.take, lambda d: [x(3), i64([3])])
    add('index', 'index out of range', index, lambda d: [x(3), [i64([3])]])
    add('index', 'indices do not broadcast', index, lambda d: [x(3, 3), [i64([0, 1]), i64([0, 1, 2])]])
    add('index', 'mask of other extent', index, lambda d: [x(3), [torch.tensor([True, False])]])
    add('index', 'too many indices', index, lambda d: [x(3), [i64([0]), i64([0])]])
    add('embedding', 'index out of range', F.embedding, lambda d: [i64([4]), x(4, 2)])
    add('topk', 'k too large', torch_call(torch.topk), lambda d: [x(3)], {'k': 4})
    add('oneHot', 'index past numClasses', torch_call(F.one_hot), lambda d: [i64([3])], {'numClasses': 3})
    add('maskedFill', 'mask does not broadcast', lambda t, mask, value: t.masked_fill(mask, value), lambda d: [x(3), torch.tensor([True, False])], {'value': 0.0})


def networks(recorder):
    add, x = recorder.illegal, lambda *shape: torch.zeros(shape, dtype=torch.float64)
    add('crossEntropy', 'class out of range', F.cross_entropy, lambda d: [x(2, 3), i64([0, 3])])
    add('crossEntropy', 'batches differ', F.cross_entropy, lambda d: [x(2, 3), i64([0, 1, 2])])
    add('crossEntropy', 'unknown reduction', F.cross_entropy, lambda d: [x(2, 3), i64([0, 1])], {'reduction': 'average'})
    add('nllLoss', 'class out of range', F.nll_loss, lambda d: [x(2, 3), i64([0, -1])])
    add('binaryCrossEntropy', 'probability above 1', F.binary_cross_entropy, lambda d: [f64([1.5]), f64([1.0])])
    add('binaryCrossEntropy', 'shapes differ', F.binary_cross_entropy, lambda d: [x(2), x(3)])
    add('bceWithLogits', 'shapes differ', F.binary_cross_entropy_with_logits, lambda d: [x(2), x(2, 1)])
    add('layerNorm', 'normalizedShape differs', lambda t, normalizedShape: F.layer_norm(t, normalizedShape), lambda d: [x(2, 3)], {'normalizedShape': [2]})
    add('groupNorm', 'channels not divisible', lambda t, numGroups: F.group_norm(t, numGroups), lambda d: [x(2, 3, 2)], {'numGroups': 2})
    add('batchNorm', 'one value per channel in training', lambda t, training: F.batch_norm(t, None, None, training=training), lambda d: [x(1, 3)], {'training': True})
    add('instanceNorm', 'one value per instance', lambda t: F.instance_norm(t), lambda d: [x(2, 3, 1)])
    for op, functions in (('maxPool', MAX), ('avgPool', AVG)):
        call = torch_call(functions[2])
        add(op + '2d', 'padding above half the kernel', call, zeros([1, 1, 4, 4]), {'kernelSize': 2, 'padding': 2})
        add(op + '2d', 'kernel larger than the input', call, zeros([1, 1, 2, 2]), {'kernelSize': 3})
        add(op + '2d', 'stride 0', call, zeros([1, 1, 4, 4]), {'kernelSize': 2, 'stride': 0})
        add(op + '2d', 'kernel 0', call, zeros([1, 1, 4, 4]), {'kernelSize': 0})
        add(op + '2d', 'rank 2', call, zeros([4, 4]), {'kernelSize': 2})
    add('maxPool2d', 'dilation 0', torch_call(MAX[2]), zeros([1, 1, 4, 4]), {'kernelSize': 2, 'dilation': 0})
    call = torch_call(F.interpolate)
    add('interpolate', 'neither size nor scaleFactor', call, zeros([1, 1, 2, 2]), {'mode': 'bilinear'})
    add('interpolate', 'both size and scaleFactor', call, zeros([1, 1, 2, 2]), {'size': 4, 'scaleFactor': 2.0})
    add('interpolate', 'alignCorners with nearest', call, zeros([1, 1, 2, 2]), {'size': 4, 'alignCorners': True})
    add('interpolate', 'bilinear of rank 3', call, zeros([1, 1, 2]), {'size': 4, 'mode': 'bilinear'})
    add('interpolate', 'unknown mode', call, zeros([1, 1, 2]), {'size': 4, 'mode': 'sinc'})
    add('interpolate', 'size 0', call, zeros([1, 1, 2]), {'size': 0})
