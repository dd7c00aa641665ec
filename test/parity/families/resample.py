"""interpolate, pixelShuffle and pixelUnshuffle. bicubic uses a = -0.75 and may overshoot."""
import torch
import torch.nn.functional as F

from .names import torch_call

MODES = {
    'nearest': [([1, 2, 3], {'size': 5}), ([1, 1, 5], {'size': [2]}), ([1, 1, 3], {'scaleFactor': 2.5}), ([1, 2, 2, 3], {'size': [3, 5]}),
                ([1, 1, 3, 4], {'scaleFactor': [2.0, 0.5]}), ([1, 1, 3, 3], {'scaleFactor': 1.7}), ([1, 1, 2, 1, 2], {'size': [3, 2, 3]})],
    'nearest-exact': [([1, 1, 3], {'size': 5}), ([1, 1, 3, 4], {'size': [2, 7]}), ([1, 1, 3, 3], {'scaleFactor': 1.7})],
    'area': [([1, 1, 5], {'size': 3}), ([1, 1, 3, 4], {'size': [2, 3]})],
    'linear': [([1, 2, 3], {'size': 5}), ([1, 1, 5], {'size': 2}), ([1, 1, 3], {'scaleFactor': 2.5}), ([1, 1, 4], {'size': 1}), ([1, 1, 1], {'size': 3})],
    'bilinear': [([1, 2, 2, 3], {'size': [3, 5]}), ([1, 1, 4, 5], {'size': [2, 3]}), ([1, 1, 3, 3], {'scaleFactor': 1.7}), ([1, 1, 3, 2], {'scaleFactor': [2.0, 1.5]}),
                 ([1, 1, 3, 3], {'size': [1, 4]}), ([1, 1, 3, 3], {'size': [3, 3]}),
                 ([1, 1, 3, 3], {'scaleFactor': 1.7, 'recomputeScaleFactor': True})],
    'bicubic': [([1, 1, 3, 4], {'size': [5, 3]}), ([1, 1, 2, 2], {'scaleFactor': 2.0}), ([1, 1, 3, 3], {'scaleFactor': 1.7}), ([1, 2, 4, 2], {'size': [2, 5]})],
    'trilinear': [([1, 1, 2, 2, 2], {'size': [3, 1, 3]}), ([1, 1, 2, 1, 2], {'scaleFactor': 2.0})],
}


def record(recorder):
    for mode, cases in MODES.items():
        for shape, options in cases:
            for align in ((False, True) if 'linear' in mode or mode == 'bicubic' else (None,)):
                given = {**options, 'mode': mode} | ({} if align is None else {'alignCorners': align})
                name = '%s %s %s%s' % (mode, shape, options, '' if align is None else ' alignCorners %s' % align)
                recorder.case('interpolate', name, torch_call(F.interpolate), lambda d: [d.coarse(shape)], given)
    for shape, factor in (([1, 4, 2, 3], 2), ([2, 9, 1, 2], 3), ([8, 2, 1], 2), ([1, 2, 2], 1)):
        recorder.case('pixelShuffle', '%s by %d' % (shape, factor), torch_call(F.pixel_shuffle), lambda d: [d.coarse(shape)], {'upscaleFactor': factor}, exact=True)
    for shape, factor in (([1, 2, 4, 2], 2), ([1, 3, 6], 3)):
        recorder.case('pixelUnshuffle', '%s by %d' % (shape, factor), torch_call(F.pixel_unshuffle), lambda d: [d.coarse(shape)], {'downscaleFactor': factor}, exact=True)
