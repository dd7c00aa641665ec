"""conv1d, 2d, 3d with padding 'same' and 'valid': an odd total of 'same' padding goes to the end of the axis."""
from .conv import FUNCTIONS


def record(recorder):
    listed = [
        (1, [5], [3], 1, 'same', 1), (1, [5], [2], 1, 'same', 1), (1, [6], [4], 3, 'same', 1), (1, [5], [2], 1, 'valid', 1),
        (1, [6], [3], 2, 'valid', 2), (2, [4, 3], [3, 2], 1, 'same', 1), (2, [4, 5], [2, 3], [3, 2], 'same', 1),
        (2, [3, 3], [4, 5], 1, 'same', 1), (2, [4, 4], [2, 2], [1, 3], 'same', 1), (2, [5, 4], [2, 3], 1, 'valid', [2, 1]),
        (3, [2, 3, 2], [2, 1, 3], 1, 'same', 1), (3, [2, 2, 3], [1, 2, 2], [1, 1, 2], 'valid', 1),
    ]
    for rank, size, kernel, dilation, padding, stride in listed:
        name = "'%s' %s k%s dilation %s stride %s" % (padding, size, kernel, dilation, stride)
        arguments = lambda d: [d.coarse([1, 2, *size]), d.coarse([2, 2, *kernel]), d.coarse([2])]
        recorder.case('conv%dd' % rank, name, FUNCTIONS[rank], arguments,
                      {'padding': padding, 'dilation': dilation, 'stride': stride}, exact=True)
