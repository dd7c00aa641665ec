"""Losses: args (input, target, ...), tensor weights among the positional args (null where absent), reduction an option."""
import math

import torch
import torch.nn.functional as F

from .draw import f64, i64
from .names import torch_call

INF, NAN = math.inf, math.nan
REDUCTIONS = ('none', 'mean', 'sum')


def weighted(function):
    """PyTorch takes weight by name; the record has it third."""
    return lambda input, target, weight=None, **options: torch_call(function)(input, target, weight=weight, **options)


def binary_by_formula(input, target, weight=None, reduction='mean'):
    loss = -(target * input.log() + (1 - target) * (-input).log1p())
    if weight is not None:
        loss = loss * weight
    return {'mean': loss.mean, 'sum': loss.sum, 'none': lambda: loss}[reduction]()


def record(recorder):
    pairwise(recorder)
    classes(recorder)
    binary(recorder)
    embeddings(recorder)
    ctc(recorder)
    likelihoods(recorder)
    margins(recorder)


def pairwise(recorder):
    for op, function, option_sets in (('mseLoss', F.mse_loss, [{}]), ('l1Loss', F.l1_loss, [{}]),
                                      ('smoothL1Loss', F.smooth_l1_loss, [{}, {'beta': 0.5}, {'beta': 0}]),
                                      ('huberLoss', F.huber_loss, [{}, {'delta': 0.5}])):
        for options in option_sets:
            for reduction in REDUCTIONS:
                recorder.case(op, '%s %s' % (reduction, options), torch_call(function), lambda d: [d.grid([2, 3]), d.grid([2, 3])],
                              {**options, 'reduction': reduction})
        recorder.case(op, 'kinks', torch_call(function), lambda d: [f64([0.0, 1.0, -1.0, 2.0, -0.0]), f64([0.0, 0.0, 0.0, 1.5, 0.0])], {'reduction': 'none'})
        recorder.case(op, 'mean of nothing', torch_call(function), lambda d: [d.grid([0, 2]), d.grid([0, 2])], second=False)
    for log_target in (False, True):
        target = lambda d: d.grid([2, 3], -2, 0) if log_target else d.probabilities([2, 3], 1)
        for reduction in REDUCTIONS + ('batchmean',):
            recorder.case('klDiv', '%s, logTarget %s' % (reduction, log_target), torch_call(F.kl_div), lambda d: [d.grid([2, 3], -3, 0), target(d)],
                          {'reduction': reduction, 'logTarget': log_target})
    recorder.case('klDiv', 'a target of 0 gives 0', torch_call(F.kl_div), lambda d: [d.grid([3], -2, 0), f64([0.0, 0.5, 0.0])],
                  {'reduction': 'sum'}, constant=('1',))


def classes(recorder):
    weights, targets = f64([0.5, 1.5, 2.0]), i64([2, 0, 1, 2])
    for op, function, scores in (('crossEntropy', F.cross_entropy, lambda d, *shape: d.grid(shape)),
                                 ('nllLoss', F.nll_loss, lambda d, *shape: d.grid(shape, -3, 0))):
        call = weighted(function)
        add = lambda name, arguments, options=None, **more: recorder.case(op, name, call, arguments, options, constant=('2',), **more)
        for reduction in REDUCTIONS:
            add(reduction, lambda d: [scores(d, 4, 3), targets.clone()], {'reduction': reduction})
            add('%s, weight' % reduction, lambda d: [scores(d, 4, 3), targets.clone(), weights.clone()], {'reduction': reduction})
            add('%s, ignoreIndex' % reduction, lambda d: [scores(d, 4, 3), i64([2, -100, 1, -100])], {'reduction': reduction})
            add('%s, weight and ignoreIndex 1' % reduction, lambda d: [scores(d, 4, 3), i64([2, 1, 1, 0]), weights.clone()], {'reduction': reduction, 'ignoreIndex': 1})
        add('spatial', lambda d: [scores(d, 2, 3, 2, 2), i64([[[0, 1], [2, 0]], [[1, 1], [0, 2]]])])
        add('spatial, weight, ignoreIndex', lambda d: [scores(d, 2, 3, 2), i64([[0, -1], [2, 1]]), weights.clone()], {'ignoreIndex': -1})
        add('unbatched', lambda d: [scores(d, 3), i64(1)])
        add('everything ignored: mean is NaN', lambda d: [scores(d, 2, 3), i64([-100, -100])], second=False, gradient=False)
        add('everything ignored: sum is 0', lambda d: [scores(d, 2, 3), i64([-100, -100])], {'reduction': 'sum'})
        add('no rows: mean is NaN', lambda d: [scores(d, 0, 3), i64([])], second=False)
    call = weighted(F.cross_entropy)
    for smoothing in (0.1, 1.0):
        for reduction in REDUCTIONS:
            for weight in (None, weights):
                name = '%s, labelSmoothing %s%s' % (reduction, smoothing, '' if weight is None else ', weight')
                arguments = lambda d: [d.grid([4, 3]), i64([2, 0, -100, 1]), None if weight is None else weight.clone()]
                recorder.case('crossEntropy', name + ', ignoreIndex', call, arguments, {'labelSmoothing': smoothing, 'reduction': reduction}, constant=('2',))
    for reduction in REDUCTIONS:
        for weight in (None, weights):
            for smoothing in (0.0, 0.2):
                recorder.case('crossEntropy', 'probabilities, %s, labelSmoothing %s%s' % (reduction, smoothing, '' if weight is None else ', weight'), call,
                              lambda d: [d.grid([2, 3]), d.probabilities([2, 3], 1), None if weight is None else weight.clone()],
                              {'labelSmoothing': smoothing, 'reduction': reduction}, constant=('2',))
    recorder.case('crossEntropy', 'probabilities, spatial', call, lambda d: [d.grid([2, 3, 2]), d.probabilities([2, 3, 2], 1), None])
    recorder.case('crossEntropy', 'large logits', call, lambda d: [f64([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 999.0]]), i64([1, 2]), None], {'reduction': 'none'})


def binary(recorder):
    for reduction in REDUCTIONS:
        for name, weight in (('', None), (', weight', [2, 3]), (', broadcast weight', [3])):
            # PyTorch adds 1e-12 to the denominators of the second derivatives: those come from the formula.
            for label, function, second in (('', weighted(F.binary_cross_entropy), False), (', by its formula', binary_by_formula, True)):
                recorder.case('binaryCrossEntropy', reduction + name + label, function,
                              lambda d: [d.grid([2, 3], 0.125, 0.875), d.grid([2, 3], 0, 1), None if weight is None else d.grid(weight, 0.25, 2)],
                              {'reduction': reduction}, constant=('1', '2'), second=second)
            for pos in (False, True):
                # args: input, target, weight, posWeight
                call = lambda x, y, w, p, **o: torch_call(F.binary_cross_entropy_with_logits)(x, y, weight=w, pos_weight=p, **o)
                recorder.case('bceWithLogits', reduction + name + (', posWeight' if pos else ''), call,
                              lambda d: [d.grid([2, 3]), d.grid([2, 3], 0, 1), None if weight is None else d.grid(weight, 0.25, 2),
                                         d.grid([3], 0.25, 3) if pos else None], {'reduction': reduction}, constant=('2', '3'))
    recorder.case('binaryCrossEntropy', 'certain and wrong: the logarithm stops at -100', weighted(F.binary_cross_entropy),
                  lambda d: [f64([0.0, 0.0, 1.0, 1.0, 1e-300]), f64([0.0, 1.0, 0.0, 1.0, 1.0])], {'reduction': 'none'}, constant=('1',), second=False)
    call = lambda x, y, **o: F.binary_cross_entropy_with_logits(x, y, **o)
    recorder.case('bceWithLogits', 'far out', call, lambda d: [f64([800.0, -800.0, 800.0, -800.0, 0.0, 40.0, -40.0]), f64([0.0, 0.0, 1.0, 1.0, 0.5, 1.0, 0.0])], {'reduction': 'none'})


def embeddings(recorder):
    signs = lambda d, *shape: d.integers(shape, 0, 2).double() * 2 - 1
    for reduction in REDUCTIONS:
        for options in ({}, {'margin': 0.5}):
            recorder.case('hingeEmbeddingLoss', '%s %s' % (reduction, options), torch_call(F.hinge_embedding_loss), lambda d: [d.grid([2, 4]), signs(d, 2, 4)],
                          {**options, 'reduction': reduction}, constant=('1',))
            recorder.case('cosineEmbeddingLoss', '%s %s' % (reduction, options), torch_call(F.cosine_embedding_loss),
                          lambda d: [d.grid([4, 3]), d.grid([4, 3]), f64([1.0, -1.0, -1.0, 1.0])], {**options, 'reduction': reduction}, constant=('2',))
        for options in ({}, {'margin': 0.25, 'p': 1}, {'swap': True, 'p': 2}, {'p': 3}):
            recorder.case('tripletMarginLoss', '%s %s' % (reduction, options), torch_call(F.triplet_margin_loss),
                          lambda d: [d.grid([3, 4]), d.grid([3, 4]), d.grid([3, 4])], {**options, 'reduction': reduction})
    recorder.case('hingeEmbeddingLoss', 'at the margin and at zero', torch_call(F.hinge_embedding_loss),
                  lambda d: [f64([1.0, 0.0, 1.0, 0.0, 2.0]), f64([-1.0, -1.0, 1.0, 1.0, -1.0])], {'reduction': 'none'}, constant=('1',))
    for p in (1, 2, 3, math.inf):
        for shapes in (([3, 4], [2, 4]), ([2, 3, 2], [4, 2])):
            # PyTorch has no second derivative of it but for p = 2.
            recorder.case('cdist', '%s and %s, p %s' % (*shapes, p), lambda a, b, p: torch.cdist(a, b, float(p), 'donot_use_mm_for_euclid_dist'),
                          lambda d: [d.grid(shape) for shape in shapes], {'p': 'Infinity' if p == math.inf else p}, second=False)
    recorder.case('cdist', 'equal rows', lambda a, b: torch.cdist(a, b, compute_mode='donot_use_mm_for_euclid_dist'), lambda d: [f64([[1.0, 2.0], [0.0, 1.0]]), f64([[1.0, 2.0]])], second=False)
    for axis in (0, 1):
        recorder.case('cosineSimilarity', 'axis %d' % axis, torch_call(F.cosine_similarity), lambda d: [d.grid([3, 2]), d.grid([3, 2])], {'axis': axis})


def ctc(recorder):
    """args: logits (T, N, C), targets (N, S), inputLengths, targetLengths; the loss is ctc of logSoftmax(logits, axis 2).

    Through logSoftmax, because PyTorch's gradient of ctc by itself is right only for what logSoftmax passes on (it adds a constant along
    the classes). PyTorch has no second derivative of it.
    """
    call = lambda logits, *rest, **options: torch_call(F.ctc_loss)(torch.log_softmax(logits, 2), *rest, **options)
    for name, options in (('mean', {}), ('sum', {'reduction': 'sum'}), ('none', {'reduction': 'none'}), ('blank 2', {'blank': 2, 'reduction': 'none'})):
        targets = i64([[1, 1], [3, 1]]) if options.get('blank') else i64([[1, 2], [2, 2]])
        recorder.case('ctcOfLogits', name, call, lambda d: [d.grid([4, 2, 4]), targets.clone(), i64([4, 3]), i64([2, 1])], options, second=False)


def likelihoods(recorder):
    for reduction in REDUCTIONS:
        for full in (False, True):
            options = {'reduction': reduction, 'full': full}
            for name, shape in (('', [3, 4]), (', one variance per row', [3, 1])):
                recorder.case('gaussianNllLoss', '%s, full %s%s' % (reduction, full, name), torch_call(F.gaussian_nll_loss),
                              lambda d: [d.grid([3, 4]), d.grid([3, 4]), d.grid(shape, 0.25, 2)], options)
            for log_input in (True, False):
                recorder.case('poissonNllLoss', '%s, full %s, logInput %s' % (reduction, full, log_input), torch_call(F.poisson_nll_loss),
                              lambda d: [d.grid([2, 5], 0.25, 2), f64([[0.0, 1.0, 2.0, 3.0, 7.0], [4.0, 1.5, 1.0, 0.0, 30.0]])],
                              {**options, 'logInput': log_input}, constant=('1',))
    recorder.case('gaussianNllLoss', 'a variance below eps', torch_call(F.gaussian_nll_loss),
                  lambda d: [d.grid([4]), d.grid([4]), f64([0.0, 0.25, 0.5, 1.0])], {'reduction': 'none', 'eps': 0.5})
    recorder.case('poissonNllLoss', 'a rate of 0', torch_call(F.poisson_nll_loss),
                  lambda d: [f64([0.0, 0.0, 1.0]), f64([0.0, 2.0, 0.0])], {'reduction': 'none', 'logInput': False, 'eps': 0.125}, constant=('1',))


def margins(recorder):
    signs = lambda d, *shape: d.integers(shape, 0, 2).double() * 2 - 1
    for reduction in REDUCTIONS:
        for options in ({}, {'margin': 0.5}):
            recorder.case('marginRankingLoss', '%s %s' % (reduction, options), torch_call(F.margin_ranking_loss),
                          lambda d: [d.grid([2, 4]), d.grid([2, 4]), signs(d, 2, 4)], {**options, 'reduction': reduction}, constant=('2',))
        recorder.case('softMarginLoss', reduction, torch_call(F.soft_margin_loss), lambda d: [d.grid([2, 4]), signs(d, 2, 4)],
                      {'reduction': reduction}, constant=('1',))
    recorder.case('marginRankingLoss', 'at the margin', torch_call(F.margin_ranking_loss),
                  lambda d: [f64([1.0, 2.0, 0.0]), f64([1.0, 1.0, 1.0]), f64([1.0, 1.0, -1.0])], {'reduction': 'none', 'margin': 1}, constant=('2',))
