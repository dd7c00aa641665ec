"""The geometries that the convolution families record: a list of cornered ones, then seeded random ones."""
from .geometry import Geometry

# Two spatial dimensions carry the full list; h differs from w in every option, alone and together.
TWO = [
    dict(size=[4, 5], kernel=[1, 1], cin=2, cout=3),
    dict(size=[4, 5], kernel=[1, 1], cin=2, cout=2, bias=False),
    dict(size=[4, 5], kernel=[3, 2]),
    dict(size=[3, 4], kernel=[3, 4], cin=2, cout=2),
    dict(size=[4, 3], kernel=[2, 2], cin=2, cout=3, batch=1),
    dict(size=[4, 3], kernel=[2, 2], cin=1, cout=2, batch=None),
    dict(size=[4, 3], kernel=[2, 2], cin=2, cout=1, batch=None, bias=False),
    dict(size=[4, 3], kernel=[2, 2], cin=2, cout=3, batch=0),
    dict(size=[5, 4], kernel=[3, 2], stride=2, padding=1),
    dict(size=[6, 4], kernel=[3, 2], stride=[2, 1]),
    dict(size=[4, 6], kernel=[2, 3], stride=[1, 2]),
    dict(size=[5, 7], kernel=[2, 2], stride=[2, 3], cin=2),
    dict(size=[7, 5], kernel=[1, 2], stride=[3, 2], cout=2),
    dict(size=[7, 6], kernel=[2, 1], stride=[4, 3]),
    dict(size=[4, 5], kernel=[3, 2], padding=[1, 0]),
    dict(size=[4, 5], kernel=[3, 2], padding=[0, 2]),
    dict(size=[2, 3], kernel=[2, 1], padding=[2, 3]),
    dict(size=[5, 5], kernel=[2, 2], dilation=[2, 1]),
    dict(size=[4, 7], kernel=[2, 3], dilation=[1, 3]),
    dict(size=[5, 5], kernel=[2, 3], dilation=2, padding=1, cin=2, cout=2, batch=1),
    dict(size=[6, 7], kernel=[3, 2], stride=[2, 3], padding=[1, 2], dilation=[2, 3], cin=2, cout=2),
    dict(size=[6, 5], kernel=[2, 3], stride=[3, 1], padding=[0, 1], dilation=[1, 2]),
    dict(size=[2, 1], kernel=[4, 3], padding=[1, 1]),
    dict(size=[1, 2], kernel=[3, 4], padding=[2, 2], stride=[2, 3], cin=2),
    dict(size=[2, 2], kernel=[3, 2], padding=[2, 1], dilation=[2, 3], stride=[1, 2]),
    dict(size=[1, 1], kernel=[1, 1], stride=[5, 2]),
    dict(size=[4, 3], kernel=[2, 2], groups=2, cin=1, cout=1),
    dict(size=[4, 3], kernel=[2, 2], groups=2, cin=2, cout=3, stride=[2, 1], padding=[1, 0], batch=1),
    dict(size=[3, 4], kernel=[3, 2], groups=3, cin=1, cout=1, padding=1),
    dict(size=[3, 4], kernel=[2, 3], groups=3, cin=1, cout=2, stride=[1, 2], padding=[0, 1], bias=False),
    dict(size=[4, 4], kernel=[2, 2], groups=2, cin=2, cout=1, dilation=[1, 2], stride=2, batch=None),
    dict(size=[3, 3], kernel=[2, 2], groups=2, cin=1, cout=2, batch=0),
]

# Transposes only: what outputPadding adds. Legal while it is below max(stride, dilation) in its dimension.
TWO_OUTPUT_PADDING = [
    dict(size=[2, 3], kernel=[3, 2], stride=2, outputPadding=1, padding=1),
    dict(size=[2, 3], kernel=[2, 2], stride=[2, 3], outputPadding=[1, 0]),
    dict(size=[2, 3], kernel=[2, 2], stride=[2, 3], outputPadding=[0, 2]),
    dict(size=[3, 2], kernel=[3, 3], stride=[2, 1], padding=[1, 1], outputPadding=[1, 0], cin=2, cout=2),
    dict(size=[2, 2], kernel=[1, 2], stride=[4, 3], outputPadding=[3, 1]),
    dict(size=[2, 3], kernel=[2, 2], stride=1, dilation=[3, 2], outputPadding=[2, 0]),
    dict(size=[2, 3], kernel=[2, 2], stride=1, dilation=2, outputPadding=1),
    dict(size=[2, 2], kernel=[2, 3], stride=2, dilation=[4, 1], outputPadding=[3, 1], padding=[1, 2]),
    dict(size=[2, 2], kernel=[2, 2], stride=[2, 1], dilation=[3, 4], outputPadding=[2, 3], padding=[2, 1], cin=2, cout=1, batch=1),
    dict(size=[1, 2], kernel=[1, 1], stride=1, dilation=[3, 5], outputPadding=[2, 4]),
    dict(size=[2, 2], kernel=[2, 2], stride=2, outputPadding=[0, 1], groups=2, cin=1, cout=2),
    dict(size=[2, 2], kernel=[2, 2], stride=[2, 3], outputPadding=[1, 2], groups=3, cin=1, cout=1, bias=False),
    dict(size=[2, 2], kernel=[3, 2], stride=2, outputPadding=1, batch=None, cin=1, cout=2),
    dict(size=[2, 2], kernel=[3, 2], stride=2, outputPadding=1, batch=0),
]

ONE = [
    dict(size=[5], kernel=[1], cin=2, cout=2),
    dict(size=[5], kernel=[3], cin=2, cout=3),
    dict(size=[6], kernel=[3], stride=2, batch=1),
    dict(size=[8], kernel=[2], stride=[3], bias=False),
    dict(size=[8], kernel=[1], stride=3),
    dict(size=[4], kernel=[3], padding=1, batch=None),
    dict(size=[3], kernel=[2], padding=[3]),
    dict(size=[7], kernel=[3], dilation=3),
    dict(size=[7], kernel=[3], dilation=2, stride=2, padding=3, cin=2),
    dict(size=[2], kernel=[5], padding=2),
    dict(size=[1], kernel=[4], padding=3, stride=2),
    dict(size=[5], kernel=[2], groups=2, cin=2, cout=1),
    dict(size=[5], kernel=[2], groups=3, cin=1, cout=1, stride=2),
    dict(size=[5], kernel=[3], groups=2, cin=1, cout=2, padding=1, batch=None),
    dict(size=[5], kernel=[3], cin=2, cout=2, batch=0),
]

ONE_OUTPUT_PADDING = [
    dict(size=[3], kernel=[3], stride=2, outputPadding=1, padding=1),
    dict(size=[3], kernel=[2], stride=3, outputPadding=[2]),
    dict(size=[3], kernel=[1], stride=4, outputPadding=3),
    dict(size=[3], kernel=[2], stride=1, dilation=3, outputPadding=2),
    dict(size=[2], kernel=[3], stride=2, dilation=4, outputPadding=3, padding=2, cin=2),
    dict(size=[2], kernel=[2], stride=2, outputPadding=1, groups=2, cin=1, cout=2, batch=None),
]

THREE = [
    dict(size=[2, 3, 2], kernel=[1, 1, 1], cin=2),
    dict(size=[2, 3, 3], kernel=[2, 1, 2]),
    dict(size=[3, 2, 4], kernel=[1, 2, 2], stride=[2, 1, 3]),
    dict(size=[2, 2, 3], kernel=[2, 2, 1], padding=[1, 0, 1], batch=1),
    dict(size=[3, 3, 3], kernel=[2, 2, 2], dilation=[1, 2, 1], bias=False),
    dict(size=[3, 2, 4], kernel=[2, 1, 2], stride=[2, 1, 1], padding=[1, 0, 1], dilation=[2, 1, 3]),
    dict(size=[1, 2, 1], kernel=[2, 3, 2], padding=1, batch=1),
    dict(size=[2, 3, 2], kernel=[1, 2, 1], batch=None, cout=2),
    dict(size=[2, 2, 2], kernel=[1, 2, 2], groups=2, cin=1, cout=1, stride=[2, 1, 1]),
    dict(size=[2, 2, 2], kernel=[2, 2, 1], groups=2, cin=1, cout=2, batch=1),
    dict(size=[2, 2, 2], kernel=[2, 1, 1], batch=0),
]

THREE_OUTPUT_PADDING = [
    dict(size=[2, 1, 2], kernel=[2, 2, 1], stride=2, outputPadding=1, batch=1),
    dict(size=[1, 2, 2], kernel=[1, 2, 2], stride=[2, 1, 3], outputPadding=[1, 0, 2], batch=1),
    dict(size=[2, 2, 1], kernel=[2, 1, 2], stride=[1, 2, 1], dilation=[3, 1, 2], outputPadding=[2, 0, 1], padding=[1, 0, 1], batch=1),
    dict(size=[1, 2, 2], kernel=[1, 2, 1], stride=[1, 2, 2], outputPadding=[0, 1, 0], groups=2, batch=None),
]


def random_geometry(rank, source, *, transposed):
    """Any legal geometry of small extents."""
    while True:
        pick = lambda low, high: [source.randint(low, high) for _ in range(rank)]
        largest = {1: 6, 2: 4, 3: 2}[rank]
        stride, dilation = pick(1, 3), pick(1, 3)
        groups = source.choice([1, 1, 1, 2, 3])
        geometry = Geometry(
            size=pick(1, largest if transposed else largest + 2), kernel=pick(1, 2 if rank == 3 else 3), stride=stride,
            padding=pick(0, 2), dilation=dilation,
            outputPadding=[source.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)] if transposed else 0,
            groups=groups, cin=source.randint(1, 3 - (groups > 1)), cout=source.randint(1, 3 - (groups > 1)),
            batch=source.choice([None, 1, 1, 2]), bias=source.random() < 0.7)
        output = geometry.transpose_output() if transposed else geometry.conv_output()
        volume = 1
        for extent in output:
            volume *= extent
        if min(output) >= 1 and volume <= 80:
            return geometry
