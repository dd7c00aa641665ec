"""Indexing, selection and ordering. Index tensors are positional operands; axes and fills are options."""
import math

import torch
import torch.nn.functional as F

from .draw import f64, i64
from .names import torch_call

INF, NAN = math.inf, math.nan


def gather(x, index, axis):
    return torch.gather(x, axis, index)


def scatter(x, index, source, axis):
    return torch.scatter(x, axis, index, source)


def scatter_add(x, index, source, axis):
    return torch.scatter_add(x, axis, index, source)


def index_select(x, index, axis):
    return torch.index_select(x, axis, index)


def index(x, indices):
    """x[indices]: null stands for a full slice."""
    return x[tuple(slice(None) if i is None else i for i in indices)]


def record(recorder):
    linear(recorder)
    for op, descending in (('sort', False), ('sort', True), ('argsort', False), ('argsort', True)):
        function = lambda x, axis, descending: torch.sort(x, dim=axis, descending=descending, stable=True)
        call = (lambda x, **o: tuple(function(x, **o))) if op == 'sort' else (lambda x, **o: function(x, **o)[1])
        for shape, axis in (([5], 0), ([2, 3], 0), ([2, 4], -1), ([2, 3, 2], 1), ([0], 0)):
            recorder.case(op, '%s axis %d%s' % (shape, axis, ' descending' if descending else ''), call, lambda d: [d.distinct(shape)],
                          {'axis': axis, 'descending': descending}, exact=True)
        recorder.case(op, 'ties keep their order, NaN is greatest%s' % (' descending' if descending else ''), call,
                      lambda d: [f64([2.0, 1, 2, NAN, 1, INF, -INF, 2, NAN])], {'axis': 0, 'descending': descending}, exact=True)
    for shape, options in (([6], {'k': 3}), ([2, 4], {'k': 2, 'axis': 1}), ([4, 2], {'k': 2, 'axis': 0, 'largest': False}), ([3], {'k': 0}), ([3], {'k': 3})):
        recorder.case('topk', '%s %s' % (shape, options), lambda x, **o: tuple(torch_call(torch.topk)(x, **o)), lambda d: [d.distinct(shape)], options, exact=True)
    whole(recorder)
    sums(recorder)


def linear(recorder):
    exact = lambda op, name, call, arguments, options=None: recorder.case(op, name, call, arguments, options, exact=True)
    exact('gather', 'axis 0', gather, lambda d: [d.coarse([3, 2]), i64([[0, 2], [1, 1], [0, 0], [2, 1]])], {'axis': 0})
    exact('gather', 'axis -1, repeats', gather, lambda d: [d.coarse([2, 3]), i64([[0, 0, 2, 2], [1, 1, 1, 1]])], {'axis': -1})
    exact('gather', 'index smaller than the input', gather, lambda d: [d.coarse([3, 3, 2]), i64([[[2], [0]]])], {'axis': 1})
    exact('gather', 'empty index', gather, lambda d: [d.coarse([3, 2]), i64([]).reshape(0, 2)], {'axis': 0})
    exact('gather', '1-d', gather, lambda d: [d.coarse([4]), i64([3, 0, 3])], {'axis': 0})
    exact('scatter', 'axis 0', scatter, lambda d: [d.coarse([3, 2]), i64([[2, 0]]), d.coarse([1, 2])], {'axis': 0})
    exact('scatter', 'axis 1, source larger than index', scatter, lambda d: [d.coarse([2, 4]), i64([[1, 3], [0, 2]]), d.coarse([3, 3])], {'axis': 1})
    exact('scatter', 'scalar source', scatter, lambda d: [d.coarse([2, 3]), i64([[1], [2]]), 1.5], {'axis': 1})
    exact('scatterAdd', 'axis 0, repeats add up', scatter_add, lambda d: [d.coarse([3, 2]), i64([[0, 2], [0, 2], [1, 2]]), d.coarse([3, 2])], {'axis': 0})
    exact('scatterAdd', 'axis -1, source larger than index', scatter_add, lambda d: [d.coarse([2, 3]), i64([[1, 1], [0, 2]]), d.coarse([2, 4])], {'axis': -1})
    exact('indexSelect', 'axis 0, repeats', index_select, lambda d: [d.coarse([3, 2]), i64([2, 0, 2])], {'axis': 0})
    exact('indexSelect', 'axis -1', index_select, lambda d: [d.coarse([2, 3]), i64([1])], {'axis': -1})
    exact('indexSelect', 'empty', index_select, lambda d: [d.coarse([3, 2]), i64([])], {'axis': 0})
    exact('take', 'flat indices of any shape', torch.take, lambda d: [d.coarse([2, 3]), i64([[5, 0], [3, 3]])])
    exact('take', 'negative indices', torch.take, lambda d: [d.coarse([2, 3]), i64([-1, -6])])
    exact('index', 'one index tensor', index, lambda d: [d.coarse([3, 2]), [i64([2, 0, 2])]])
    exact('index', 'two index tensors', index, lambda d: [d.coarse([3, 2]), [i64([2, 0, 2]), i64([1, 1, 0])]])
    exact('index', 'broadcast index tensors', index, lambda d: [d.coarse([3, 4]), [i64([[0], [2]]), i64([1, 3])]])
    exact('index', 'slice, then index', index, lambda d: [d.coarse([2, 3]), [None, i64([2, 2, 0])]])
    exact('index', 'index, slice, index: the indexed axis comes first', index, lambda d: [d.coarse([2, 3, 4]), [i64([0, 1, 1]), None, i64([3, 0, 2])]])
    exact('index', 'slice, index, index: in place', index, lambda d: [d.coarse([2, 3, 4]), [None, i64([0, 2]), i64([3, 1])]])
    exact('index', 'negative indices', index, lambda d: [d.coarse([4]), [i64([-1, -4, 0])]])
    exact('index', 'boolean mask', index, lambda d: [d.coarse([2, 3]), [torch.tensor([[True, False, True], [False, True, False]])]])
    exact('index', 'boolean row mask', index, lambda d: [d.coarse([3, 2]), [torch.tensor([True, False, True])]])
    exact('maskedSelect', 'mask', torch.masked_select, lambda d: [d.coarse([2, 3]), torch.tensor([[True, False, True], [False, True, False]])])
    exact('maskedSelect', 'broadcast mask', torch.masked_select, lambda d: [d.coarse([2, 3]), torch.tensor([True, False, True])])
    exact('maskedSelect', 'none selected', torch.masked_select, lambda d: [d.coarse([3]), torch.tensor([False, False, False])])
    fill = lambda x, mask, value: x.masked_fill(mask, value)
    exact('maskedFill', 'mask', fill, lambda d: [d.coarse([2, 3]), d.mask([2, 3])], {'value': 0.5})
    exact('maskedFill', 'broadcast mask, -Infinity', fill, lambda d: [d.coarse([2, 3]), torch.tensor([True, False, True])], {'value': -INF})
    exact('maskedFill', 'NaN underneath', fill, lambda d: [f64([NAN, 1.0]), torch.tensor([True, False])], {'value': 0.0})
    embedding = lambda indices, weight, paddingIdx=None: F.embedding(indices, weight, paddingIdx)
    exact('embedding', '2-d indices', embedding, lambda d: [i64([[0, 3], [3, 1]]), d.coarse([4, 2])])
    exact('embedding', '0-d index', embedding, lambda d: [i64(2), d.coarse([4, 3])])
    exact('embedding', 'paddingIdx passes no gradient', embedding, lambda d: [i64([1, 0, 1, 2]), d.coarse([3, 2])], {'paddingIdx': 1})
    exact('embedding', 'no indices', embedding, lambda d: [i64([]), d.coarse([3, 2])])


def whole(recorder):
    """Ops on and to integers."""
    one_hot = lambda indices, numClasses=-1: F.one_hot(indices, numClasses)
    recorder.case('oneHot', 'given numClasses', one_hot, lambda d: [i64([[0, 2], [1, 0]])], {'numClasses': 4})
    recorder.case('oneHot', 'numClasses from the largest index', one_hot, lambda d: [i64([0, 2, 1])])
    recorder.case('nonzero', '2-d', torch.nonzero, lambda d: [f64([[0.0, 1.0, -0.0], [NAN, 0.0, 2.0]])])
    recorder.case('nonzero', 'none', torch.nonzero, lambda d: [f64([[0.0, 0.0]])])
    recorder.case('unique', 'sorted', torch.unique, lambda d: [f64([3.0, 1.0, 3.0, -2.0, 1.0])], gradient=False)
    recorder.case('unique', 'inverse and counts', lambda x, returnInverse, returnCounts: torch.unique(x, return_inverse=returnInverse, return_counts=returnCounts),
                  lambda d: [i64([[3, 1], [3, 0]])], {'returnInverse': True, 'returnCounts': True})
    for right in (False, True):
        recorder.case('searchsorted', 'right %s' % right, torch_call(torch.searchsorted),
                      lambda d: [f64([1.0, 3.0, 3.0, 7.0]), f64([[0.0, 1.0, 3.0], [5.0, 7.0, 9.0]])], {'right': right}, gradient=False)
    recorder.case('searchsorted', 'a row for each row', torch.searchsorted, lambda d: [f64([[1.0, 3.0], [0.0, 2.0]]), f64([[2.0], [2.0]])], gradient=False)


def sums(recorder):
    """What is added up where positions say."""
    index_add = lambda x, index, source, axis: torch.index_add(x, axis, index, source)
    recorder.case('indexAdd', 'axis 0, repeats add up', index_add, lambda d: [d.coarse([3, 2]), i64([2, 0, 2, 2]), d.coarse([4, 2])], {'axis': 0}, exact=True)
    recorder.case('indexAdd', 'axis -1', index_add, lambda d: [d.coarse([2, 3, 4]), i64([3, 1]), d.coarse([2, 3, 2])], {'axis': -1}, exact=True)
    recorder.case('indexAdd', 'nothing', index_add, lambda d: [d.coarse([3]), i64([]), d.coarse([0])], {'axis': 0}, exact=True)
    bincount = lambda x, weights, minLength=0: torch.bincount(x, weights, minLength)
    recorder.case('bincount', 'counts', bincount, lambda d: [i64([1, 4, 1, 0, 1]), None])
    recorder.case('bincount', 'weights', bincount, lambda d: [i64([1, 4, 1, 0, 1]), d.coarse([5])], exact=True)
    recorder.case('bincount', 'more bins than numbers', bincount, lambda d: [i64([1, 1]), None], {'minLength': 4})
    recorder.case('bincount', 'nothing', bincount, lambda d: [i64([]), None], {'minLength': 2})
    for shape, options in (([5], {}), ([3, 4], {'axis': 0}), ([2, 5, 2], {'axis': 1, 'n': 3}), ([3], {'n': 3}), ([3], {'n': 5}), ([2, 3], {'n': 0})):
        recorder.case('diff', '%s %s' % (shape, options), torch_call(torch.diff), lambda d: [d.coarse(shape)], options, exact=True)
    recorder.case('countNonzero', 'all', torch.count_nonzero, lambda d: [f64([[0.0, 1.0, -0.0], [NAN, INF, 2.0]])], gradient=False)
    recorder.case('countNonzero', 'axis 1', torch_call(torch.count_nonzero), lambda d: [f64([[0.0, 1.0, -0.0], [NAN, INF, 2.0]])], {'axis': 1}, gradient=False)
    pad_sequence = lambda sequences, batchFirst=False, paddingValue=0.0: torch.nn.utils.rnn.pad_sequence(sequences, batchFirst, paddingValue)
    for options in ({}, {'batchFirst': True}, {'batchFirst': True, 'paddingValue': -1.5}):
        recorder.case('padSequence', 'vectors %s' % options, pad_sequence, lambda d: [[d.coarse([2]), d.coarse([4]), d.coarse([0])]], options, exact=True)
        recorder.case('padSequence', 'matrices %s' % options, pad_sequence, lambda d: [[d.coarse([3, 2]), d.coarse([1, 2])]], options, exact=True)
