"""conv1d, conv2d, conv3d: args (input, weight, bias or null), weight (out, in/groups, ...kernel), bias (out)."""
import numpy as np
import torch.nn.functional as F

from .geometries import ONE, THREE, TWO, random_geometry
from .geometry import Geometry, Trilinear

OPTIONS = ('stride', 'padding', 'dilation')
FUNCTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
RANDOM = {1: 12, 2: 20, 3: 8}


def record(recorder):
    for rank, listed in ((1, ONE), (2, TWO), (3, THREE)):
        for given in listed:
            add(recorder, rank, Geometry(**given), '')
        for number in range(RANDOM[rank]):
            source = recorder.draw('geometry', str(rank), str(number)).random
            add(recorder, rank, random_geometry(rank, source, transposed=False), 'random %d: ' % number)


def add(recorder, rank, g, prefix):
    arguments = lambda d: [d.coarse([*g.lead(), g.groups * g.cin, *g.size]),
                           d.coarse([g.groups * g.cout, g.cin, *g.kernel]),
                           d.coarse([g.groups * g.cout]) if g.bias else None]
    case = recorder.case('conv%dd' % rank, prefix + g.name(*OPTIONS), FUNCTIONS[rank], arguments, g.options(*OPTIONS), exact=True)
    verify(case, Trilinear(g, g.size, g.conv_output()), rank, transposed=False)


def verify(case, form, rank, *, transposed):
    """Compare value, gradients and second gradients with the trilinear form written as loops."""
    batched = lambda tensor: tensor.numpy() if tensor.dim() == rank + 2 else tensor.numpy()[None]
    first, weight, bias = case['args']
    # y is what the weight's first axis counts: conv's output, convTranspose's input.
    forward, backward = ((form.y, form.x) if not transposed else
                         ((lambda y, w: form.x(w, y)), (lambda w, x: form.y(x, w))))
    of_weight = form.w if not transposed else (lambda y, x: form.w(x, y))
    a, w, v = batched(first), weight.numpy(), batched(case['cotangent'])
    column = lambda b: b.numpy().reshape(1, -1, *[1] * rank)
    total = lambda y: y.sum(axis=(0, *range(2, rank + 2)))
    u = {key: batched(t) if key == '0' else t for key, t in case['secondCotangents'].items()}
    ua, uw = u['0'], u['1'].numpy()
    expected = {
        'output': forward(a, w) + (column(bias) if bias is not None else 0),
        'grads.0': backward(w, v), 'grads.1': of_weight(a, v),
        'secondGrads.0': backward(uw, v), 'secondGrads.1': of_weight(ua, v),
        'secondGrads.cotangent': forward(ua, w) + forward(a, uw) + (column(u['2']) if bias is not None else 0),
    }
    if bias is not None:
        expected['grads.2'] = total(v)
    for path, array in expected.items():
        kind, _, key = path.partition('.')
        actual = case[kind][key] if key else case[kind]
        # Where nothing depends on an argument (N = 0), PyTorch finds no path and the closed form is 0.
        found = np.zeros(array.size) if actual is None else actual.numpy()
        np.testing.assert_allclose(found.reshape(-1), array.reshape(-1), rtol=1e-12, atol=1e-12,
                                   err_msg='PyTorch against the trilinear form: %s %s %s' % (case['op'], case['name'], path))
