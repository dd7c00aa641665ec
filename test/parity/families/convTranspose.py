"""convTranspose1d, 2d, 3d: args (input, weight, bias or null), weight (in, out/groups, ...kernel), bias (out).

A few cases give outputSize (the full spatial extents) in place of outputPadding.
"""
import torch.nn.functional as F

from .conv import verify
from .geometries import ONE, ONE_OUTPUT_PADDING, THREE, THREE_OUTPUT_PADDING, TWO, TWO_OUTPUT_PADDING, random_geometry
from .geometry import Geometry, Trilinear

OPTIONS = ('stride', 'padding', 'outputPadding', 'dilation')
FUNCTIONS = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
RANDOM = {1: 12, 2: 24, 3: 10}


def record(recorder):
    for rank, listed in ((1, ONE + ONE_OUTPUT_PADDING), (2, TWO + TWO_OUTPUT_PADDING), (3, THREE + THREE_OUTPUT_PADDING)):
        for given in listed:
            geometry = Geometry(**given)
            if min(geometry.transpose_output()) >= 1:
                add(recorder, rank, geometry, '')
        for given in listed[-4:]:
            add(recorder, rank, Geometry(**given), 'outputSize: ')
        for number in range(RANDOM[rank]):
            source = recorder.draw('geometry', str(rank), str(number)).random
            add(recorder, rank, random_geometry(rank, source, transposed=True), 'random %d: ' % number)


def add(recorder, rank, g, prefix):
    def call(input, weight, bias, stride, padding, dilation, groups, outputPadding=0, outputSize=None):
        return FUNCTIONS[rank](input, weight, bias, stride, padding, g.outputPadding if outputSize else outputPadding, groups, dilation)
    arguments = lambda d: [d.coarse([*g.lead(), g.groups * g.cin, *g.size]),
                           d.coarse([g.groups * g.cin, g.cout, *g.kernel]),
                           d.coarse([g.groups * g.cout]) if g.bias else None]
    options = g.options(*OPTIONS)
    if prefix == 'outputSize: ':
        del options['outputPadding']
        options['outputSize'] = g.transpose_output()
    case = recorder.case('convTranspose%dd' % rank, prefix + g.name(*OPTIONS), call, arguments, options, exact=True)
    verify(case, Trilinear(g, g.transpose_output(), g.size), rank, transposed=True)
