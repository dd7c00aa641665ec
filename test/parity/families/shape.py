"""Shape ops: everything past the operands is an option. All are linear: exact."""
import torch
import torch.nn.functional as F

from .names import torch_call


def record(recorder):
    for op, function, cases in TABLE:
        for shapes, options in cases:
            several = isinstance(shapes, tuple)
            name = '%s %s' % (list(shapes) if several else shapes, ' '.join('%s=%s' % item for item in options.items()))
            arguments = lambda d: [[d.coarse(shape) for shape in shapes]] if several else [d.coarse(shapes)]
            recorder.case(op, name.strip(), function, arguments, options, exact=True)
    for mode in ('reflect', 'replicate', 'circular'):
        for shape, pad in (([1, 2, 4], [2, 1]), ([2, 4], [1, 2]), ([1, 2, 3, 3], [1, 2, 2, 1]), ([1, 3, 4], [2, 0, 1, 1]), ([1, 1, 2, 2, 3], [1, 0, 0, 1, 1, 1]),
                           ([1, 2, 5], [-1, 2])):
            if mode == 'circular' and (shape in ([2, 4], [1, 3, 4])) and len(pad) != 2 * (len(shape) - 2):
                continue  # PyTorch 1.13 has no unbatched circular padding
            recorder.case('pad', '%s by %s %s' % (shape, pad, mode), torch_call(F.pad), lambda d: [d.coarse(shape)], {'pad': pad, 'mode': mode}, exact=True)
    recorder.case('meshgrid', 'ij', lambda tensors, indexing: torch.meshgrid(*tensors, indexing=indexing),
                  lambda d: [[d.coarse([2]), d.coarse([3])]], {'indexing': 'ij'}, exact=True)
    recorder.case('meshgrid', 'xy', lambda tensors, indexing: torch.meshgrid(*tensors, indexing=indexing),
                  lambda d: [[d.coarse([2]), d.coarse([3]), d.coarse([2])]], {'indexing': 'xy'}, exact=True)


def slice_axis(x, axis=0, start=None, end=None, step=None):
    return x[(slice(None),) * (axis % x.dim()) + (slice(start, end, step),)]


TABLE = [
    ('reshape', torch.reshape, [([2, 3], {'shape': [3, 2]}), ([2, 3], {'shape': [-1]}), ([2, 3, 2], {'shape': [2, -1]}), ([1], {'shape': []}),
                                ([], {'shape': [1, 1]}), ([0, 3], {'shape': [3, 0]}), ([2, 0], {'shape': [0, 4, 2]})]),
    ('flatten', lambda x, startAxis=0, endAxis=-1: torch.flatten(x, startAxis, endAxis),
     [([2, 3, 2], {}), ([2, 3, 2], {'startAxis': 1}), ([2, 1, 3, 2], {'startAxis': 1, 'endAxis': 2}), ([], {})]),
    ('squeeze', torch_call(torch.squeeze), [([1, 2, 1], {}), ([1, 2, 1], {'axis': 0}), ([1, 2, 1], {'axis': 1}), ([2, 1], {'axis': -1}), ([], {})]),
    ('unsqueeze', torch_call(torch.unsqueeze), [([2, 3], {'axis': 0}), ([2, 3], {'axis': -1}), ([2, 3], {'axis': 1}), ([], {'axis': 0})]),
    ('permute', lambda x, axes: x.permute(axes), [([2, 3, 2], {'axes': [2, 0, 1]}), ([2, 3], {'axes': [-1, 0]}), ([], {'axes': []}), ([0, 2, 3], {'axes': [1, 2, 0]})]),
    ('transpose', lambda x, axis0, axis1: torch.transpose(x, axis0, axis1),
     [([2, 3], {'axis0': 0, 'axis1': 1}), ([2, 3, 2], {'axis0': -1, 'axis1': 0}), ([2, 3], {'axis0': 1, 'axis1': 1})]),
    ('expand', lambda x, shape: x.expand(shape), [([3, 1], {'shape': [3, 4]}), ([3], {'shape': [2, 3]}), ([1, 2], {'shape': [3, -1]}), ([], {'shape': [2, 2]}),
                                                  ([1], {'shape': [0]})]),
    ('repeat', lambda x, repeats: x.repeat(repeats), [([2, 3], {'repeats': [2, 1]}), ([3], {'repeats': [2, 2]}), ([2, 2], {'repeats': [1, 2, 3]}), ([2], {'repeats': [0]}),
                                                      ([], {'repeats': [3]})]),
    ('tile', lambda x, repeats: torch.tile(x, repeats), [([2, 3], {'repeats': [2]}), ([2, 3], {'repeats': [2, 1]}), ([2], {'repeats': [2, 3]})]),
    ('cat', torch_call(torch.cat), [(([2, 3], [1, 3]), {'axis': 0}), (([2, 1], [2, 2], [2, 3]), {'axis': 1}), (([2, 2], [2, 1]), {'axis': -1}),
                                    (([2, 0], [2, 3]), {'axis': 1}), (([3],), {'axis': 0})]),
    ('stack', torch_call(torch.stack), [(([2, 3], [2, 3]), {'axis': 0}), (([2, 3], [2, 3], [2, 3]), {'axis': 1}), (([2], [2]), {'axis': -1}), (([], []), {'axis': 0})]),
    ('split', lambda x, size, axis=0: torch.split(x, size, axis), [([5, 2], {'size': 2}), ([2, 5], {'size': [2, 3], 'axis': 1}), ([4], {'size': 4}), ([2, 3], {'size': [0, 3], 'axis': -1})]),
    ('chunk', lambda x, chunks, axis=0: torch.chunk(x, chunks, axis), [([5, 2], {'chunks': 2}), ([2, 6], {'chunks': 3, 'axis': 1}), ([5], {'chunks': 4}), ([2], {'chunks': 3})]),
    ('unbind', lambda x, axis=0: torch.unbind(x, axis), [([2, 3], {}), ([2, 3], {'axis': 1}), ([2, 1, 2], {'axis': -1})]),
    ('narrow', lambda x, axis, start, length: torch.narrow(x, axis, start, length),
     [([5], {'axis': 0, 'start': 1, 'length': 3}), ([2, 4], {'axis': 1, 'start': 2, 'length': 2}), ([2, 4], {'axis': -1, 'start': 4, 'length': 0})]),
    ('slice', slice_axis, [([6], {'start': 1, 'end': 5, 'step': 2}), ([5, 2], {'start': -3}), ([2, 7], {'axis': 1, 'step': 3}), ([4], {'end': -1}), ([4], {'start': 3, 'end': 1}),
                           ([3, 4], {'axis': -1, 'start': -10, 'end': 10, 'step': 2})]),
    ('select', lambda x, axis, index: torch.select(x, axis, index), [([3, 2], {'axis': 0, 'index': 1}), ([3, 2], {'axis': 1, 'index': -1}), ([3], {'axis': 0, 'index': 2})]),
    ('flip', lambda x, axes: torch.flip(x, axes), [([2, 3], {'axes': [0]}), ([2, 3], {'axes': [0, -1]}), ([4], {'axes': [0]}), ([2, 3, 2], {'axes': [1]})]),
    ('roll', lambda x, shifts, axes=(): torch.roll(x, shifts, axes), [([5], {'shifts': 2}), ([2, 3], {'shifts': 1}), ([2, 3], {'shifts': [1, -1], 'axes': [0, 1]}),
                                                                      ([4], {'shifts': [-5], 'axes': [0]}), ([2, 3], {'shifts': 7, 'axes': 1})]),
    ('pad', torch_call(F.pad), [([3], {'pad': [1, 2]}), ([2, 3], {'pad': [1, 0, 0, 2], 'value': 1.5}), ([2, 3], {'pad': [-1, 1]}), ([2, 2, 2], {'pad': [0, 0, 1, 1, 2, 0], 'mode': 'constant'}),
                                ([3, 4], {'pad': [-1, -1, -1, -1]}), ([], {'pad': []}), ([0, 2], {'pad': [0, 0, 1, 1]})]),
    ('unfold', torch_call(F.unfold), [([1, 2, 3, 4], {'kernelSize': [2, 3]}), ([2, 1, 4, 4], {'kernelSize': 2, 'stride': 2}), ([1, 1, 4, 3], {'kernelSize': [2, 2], 'dilation': [2, 1], 'padding': [1, 0], 'stride': [1, 2]}),
                                      ([1, 3, 3], {'kernelSize': 2})]),
    ('fold', torch_call(F.fold), [([1, 8, 4], {'outputSize': [3, 3], 'kernelSize': 2}), ([2, 4, 4], {'outputSize': 4, 'kernelSize': 2, 'stride': 2}),
                                  ([1, 4, 4], {'outputSize': [4, 3], 'kernelSize': [2, 2], 'dilation': [2, 1], 'padding': [1, 0], 'stride': [2, 1]}), ([4, 4], {'outputSize': 3, 'kernelSize': 2})]),
]
