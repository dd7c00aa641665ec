"""Products: matmul in every combination of ranks, bmm, dot, outer, linear, einsum; triangles, diagonals, trace."""
import torch
import torch.nn.functional as F

from .names import torch_call

RANKS = [([3], [3]), ([3], [3, 2]), ([2, 3], [3]), ([2, 3], [3, 2]), ([3], [2, 3, 2]), ([2, 2, 3], [3]), ([2, 3], [2, 3, 2]), ([2, 2, 3], [3, 2]),
         ([2, 2, 3], [2, 3, 2]), ([1, 2, 3], [2, 3, 2]), ([2, 1, 2, 3], [3, 3, 1]), ([2, 2, 1, 2], [2, 2]), ([2, 1, 1, 3], [1, 2, 3, 2]),
         ([3], [2, 1, 3, 2]), ([2, 1, 2, 3], [3]), ([1, 1], [1, 1]), ([2, 0], [0, 3]), ([0, 2], [2, 3]), ([0], [0]), ([2, 3], [3, 0]),
         ([0, 2, 3], [3, 2]), ([2, 2, 0], [2, 0, 2])]
EINSUM = [('ij,jk->ik', [2, 3], [3, 2]), ('ij,kj->ik', [2, 3], [2, 3]), ('ij,jk', [2, 3], [3, 2]), ('ba', [2, 3]), ('ij->ji', [2, 3]), ('ii', [3, 3]),
          ('ii->i', [3, 3]), ('ij->', [2, 3]), ('ij->j', [2, 3]), ('i,i', [3], [3]), ('i,j->ij', [2], [3]), ('ij,ij->', [2, 3], [2, 3]),
          ('bij,bjk->bik', [2, 2, 3], [2, 3, 2]), ('...ij,...jk->...ik', [2, 1, 2, 3], [2, 3, 2]), ('b...i,ij->b...j', [2, 2, 3], [3, 2]),
          ('bn,anm,bm->ba', [2, 3], [2, 3, 2], [2, 2]), ('bhqd,bhkd->bhqk', [1, 2, 2, 3], [1, 2, 2, 3]), ('ij,j->ij', [2, 3], [3]),
          ('ijk,ilm->jklm', [2, 1, 2], [2, 2, 1]), ('i->', [0]), (' i j , j k -> i k ', [2, 2], [2, 2])]


def record(recorder):
    # Two-operand products are bilinear: exact on dyadic data.
    for a, b in RANKS:
        recorder.case('matmul', '%s @ %s' % (a, b), torch.matmul, lambda d: [d.coarse(a), d.coarse(b)], exact=True)
    for shapes in (([2, 2, 3], [2, 3, 2]), ([0, 2, 3], [0, 3, 2]), ([2, 1, 0], [2, 0, 3])):
        recorder.case('bmm', '%s, %s' % shapes, torch.bmm, lambda d: [d.coarse(shape) for shape in shapes], exact=True)
    recorder.case('dot', 'vectors', torch.dot, lambda d: [d.coarse([4]), d.coarse([4])], exact=True)
    recorder.case('dot', 'empty is 0', torch.dot, lambda d: [d.coarse([0]), d.coarse([0])], exact=True)
    recorder.case('outer', 'vectors', torch.outer, lambda d: [d.coarse([2]), d.coarse([3])], exact=True)
    for shape in ([3], [2, 3], [2, 1, 3], [0, 3]):
        recorder.case('linear', '%s with bias' % shape, F.linear, lambda d: [d.coarse(shape), d.coarse([2, 3]), d.coarse([2])], exact=True)
        recorder.case('linear', '%s without bias' % shape, F.linear, lambda d: [d.coarse(shape), d.coarse([2, 3]), None], exact=True)
    for equation, *shapes in EINSUM:
        recorder.case('einsum', equation, lambda *operands, equation: torch.einsum(equation, *operands),
                      lambda d: [d.coarse(shape) for shape in shapes], {'equation': equation}, exact=len(shapes) < 3)
    for op, function in (('triu', torch.triu), ('tril', torch.tril)):
        for diagonal in (0, 1, -1, 5, -5):
            recorder.case(op, 'diagonal %d' % diagonal, torch_call(function), lambda d: [d.coarse([3, 4])], {'diagonal': diagonal}, exact=True)
        recorder.case(op, 'batch', torch_call(function), lambda d: [d.coarse([2, 3, 2])], exact=True)
    for options, shape in (({}, [3, 4]), ({'offset': 1}, [3, 4]), ({'offset': -2}, [3, 4]), ({'offset': 7}, [3, 4]),
                           ({'axis1': 0, 'axis2': 2}, [2, 3, 3]), ({'offset': 1, 'axis1': -1, 'axis2': 0}, [2, 3, 3])):
        call = lambda x, offset=0, axis1=0, axis2=1: torch.diagonal(x, offset, axis1, axis2)
        recorder.case('diagonal', '%s %s' % (shape, options), call, lambda d: [d.coarse(shape)], options, exact=True)
    recorder.case('trace', 'square', torch.trace, lambda d: [d.coarse([3, 3])], exact=True)
    recorder.case('trace', 'not square', torch.trace, lambda d: [d.coarse([2, 3])], exact=True)
