"""Writes numpy-files.json: npy and npz files as NumPy writes them.

    /usr/bin/python3 test/core/io/numpy-files.py > test/core/io/numpy-files.json
"""
import base64
import io
import json

import numpy as np

TYPES = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1']


def case(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return base64.b64encode(file.getvalue()).decode('ascii')


def described(array, **options):
    values = [float(value) for value in array.reshape(-1).tolist()]
    return {'descr': array.dtype.str, 'shape': list(array.shape), 'fortran': not array.flags['C_CONTIGUOUS'], 'values': values,
            'file': case(array, **options)}


def main():
    rng = np.random.default_rng(0)
    read = []
    for type in TYPES:
        for order in '<>':
            for shape in [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 3, 2)]:
                values = rng.integers(0, 2, shape) if type[0] == 'b' else rng.integers(0 if type[0] == 'u' else -100, 100, shape)
                array = np.asarray(values).astype(order + type)
                read.append(described(array))
                if len(shape) > 1 and type in ('f4', 'i8'):
                    read.append(described(np.asfortranarray(array)))
    read.append(described(np.arange(6, dtype='<f4').reshape(2, 3), version=(2, 0)))
    read.append(described(np.arange(6, dtype='<f4').reshape(2, 3), version=(3, 0)))
    # An extent of every length, for the padding of the header.
    for digits in range(1, 17):
        read.append(described(np.zeros((0, 10 ** (digits - 1)), '<f4')))
        read.append(described(np.zeros((10 ** (digits - 1), 0), '<f4')))
    refused = {
        'complex numbers': case(np.zeros(2, 'c8')),
        'text': case(np.array(['a', 'b'])),
        'bytes': case(np.array([b'a', b'b'])),
        'objects': case(np.array([None, {}], dtype=object)),
        'records': case(np.zeros(2, dtype=[('a', 'f4'), ('b', 'i4')])),
        'records of version 3': case(np.zeros(2, dtype=[('é', 'f4'), ('\u4e00', 'i4')]), version=(3, 0)),
        'dates': case(np.zeros(2, 'M8[s]')),
        'float128': case(np.zeros(2, 'f16')),
        'int64 beyond int32': case(np.array([2 ** 31])),
        'uint64 beyond int32': case(np.array([2 ** 64 - 1], dtype='u8')),
    }
    files = {}
    for name, save in [('stored', np.savez), ('deflated', np.savez_compressed)]:
        file = io.BytesIO()
        save(file, weight=np.arange(12, dtype='f4').reshape(3, 4), count=np.int64(7), empty=np.zeros((0, 2)), flags=np.array([True, False]),
             long=np.zeros(500, 'f8'))
        files[name] = base64.b64encode(file.getvalue()).decode('ascii')
    lines = ',\n'.join(json.dumps(case) for case in read)
    print('{"version":"%s","read":[\n%s\n],"refused":%s,"npz":%s}' % (np.__version__, lines, json.dumps(refused), json.dumps(files)))


if __name__ == '__main__':
    main()
