"""Writes reference.json: safetensors files as the reference implementation writes them, and its verdict on flawed ones.

    pip install safetensors==0.8.0
    python3 test/core/io/reference.py > test/core/io/reference.json

With --count N --seed S it writes as many mutated files, for a longer comparison than the one that is kept.
"""
import argparse
import base64
import ctypes
import json
import random
import re
import struct

import safetensors

WIDTH = {'F64': 8, 'F32': 4, 'F16': 2, 'BF16': 2, 'I64': 8, 'I32': 4, 'I16': 2, 'I8': 1, 'U64': 8, 'U32': 4, 'U16': 2, 'U8': 1, 'BOOL': 1}
LONG = {'F64': 'float64', 'F32': 'float32', 'F16': 'float16', 'BF16': 'bfloat16', 'I32': 'int32', 'U8': 'uint8', 'BOOL': 'bool'}
NAMES = ['w', 'weight', 'a.b.c', '', 'é', '\uffff', '\U0001f600', '"\\/\b\f\n\r\t', '\x00\x1f\x7f', '\u2028', '__proto__', '10', '9']


def drawn(rng):
    tensors = []
    for name in rng.sample(NAMES, rng.randrange(0, 6)):
        tag = rng.choice(list(LONG))
        shape = [rng.randrange(0, 4) for _ in range(rng.randrange(0, 4))]
        size = WIDTH[tag]
        for extent in shape:
            size *= extent
        tensors.append((name, tag, shape, bytes(rng.randrange(2 if tag == 'BOOL' else 256) for _ in range(size))))
    return tensors


def written(rng, tensors):
    # The reference gives metadata in an order of its own; with one entry there is one order.
    metadata = rng.choice([None, {'format': 'pt'}, {'x\u2028\x1f': '"\\\U0001f600'}])
    buffers = [ctypes.create_string_buffer(data, len(data) + 1) for _, _, _, data in tensors]
    specs = {name: safetensors.TensorSpec(dtype=LONG[tag], shape=shape, data_ptr=ctypes.addressof(buffer), data_len=len(data))
             for (name, tag, shape, data), buffer in zip(tensors, buffers)}
    file = bytes(safetensors.serialize(specs, metadata))
    return {'tensors': [{'name': name, 'tag': tag, 'shape': shape, 'hex': data.hex()} for name, tag, shape, data in tensors],
            'metadata': metadata or {}, 'file': file}


def file_of(header, data=b''):
    encoded = header if isinstance(header, bytes) else header.encode('utf-8')
    return struct.pack('<Q', len(encoded)) + encoded + data


def entry(tag='U8', shape='[1]', offsets='[0,1]', more=''):
    return '{"dtype":"%s","shape":%s,"data_offsets":%s%s}' % (tag, shape, offsets, more)


def curated():
    one = b'\x01'
    yield from (b'', b'\0' * 7, b'\0' * 8, b'\xff' * 8, struct.pack('<Q', 3) + b'{}', struct.pack('<Q', 100_000_001) + b'{}')
    for header in ['{}', '', ' ', '{} ', ' {}', '{}\n\t\r ', '{}\0', '{}{}', '[]', 'null', '1', '"a"', '{', '}', '{]', '{,}', '{"a"}',
                   b'\xef\xbb\xbf{}', b'{"\xff":1}', b'{"\xc0\x80":1}', b'{"\xed\xa0\x80":1}',
                   '{"__metadata__":null}', '{"__metadata__":{}}', '{"__metadata__":{"a":"b"}}', '{"__metadata__":{"a":1}}',
                   '{"__metadata__":{"a":null}}', '{"__metadata__":{"a":"b","a":"c"}}', '{"__metadata__":[]}', '{"__metadata__":"a"}',
                   '{"__metadata__":{},"__metadata__":{}}', '{"__metadata__":{"a":"b",}}', '{"__metadata__":{"\\ud83d\\ude00":"\\u0000"}}',
                   '{"__metadata__":{"\\ud83d":""}}', '{"__metadata__":{"\\ude00":""}}', '{"__metadata__":{"\\ud83d\\ud83d":""}}',
                   '{"__metadata__":{"\\ud83dx":""}}', '{"__metadata__":{"\\u12g4":""}}', '{"__metadata__":{"\\x41":""}}',
                   '{"__metadata__":{"\t":""}}', '{"__metadata__":{"a":"b"}', '{"__metadata__":{a:"b"}}', "{'__metadata__':{}}"]:
        yield file_of(header)
        yield file_of(header, one)
    for shape in ['[1]', '[]', '[1,1]', '[2]', '[0]', '[1.0]', '[1e0]', '[-1]', '[-0]', '[01]', '[+1]', '["1"]', '[null]', '[1,]', '[,1]', '[1 1]',
                  '1', 'null', '{}', '[[1]]', '[18446744073709551616]', '[18446744073709551615,0]', '[1099511627776,1099511627776,0]',
                  '[0,1099511627776,1099511627776]', '[4294967296,0]', '[ 1 ]', '[true]']:
        yield file_of('{"t":%s}' % entry(shape=shape), one)
        yield file_of('{"t":%s}' % entry(shape=shape, offsets='[0,0]'))
    for offsets in ['[0,1]', '[1,1]', '[1,2]', '[1,0]', '[0,2]', '[0]', '[0,1,1]', '[]', '[-1,0]', '[0,1.0]', '[0,1e0]', '"0,1"', 'null', '[0,18446744073709551616]',
                    '[18446744073709551615,0]', '{"0":0,"1":1}', '[ 0 , 1 ]', '[0,"1"]']:
        for data in (b'', one, b'\x01\x01'):
            yield file_of('{"t":%s}' % entry(offsets=offsets), data)
    for tag in [*WIDTH, 'f32', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F4', 'F6_E2M3', 'C64', 'X', '']:
        for size in (0, 1, 2, 4, 8, 16):
            yield file_of('{"t":%s}' % entry(tag=tag, offsets='[0,%d]' % size), b'\x01' + b'\0' * (size - 1) if size else b'')
    yield file_of('{"t":%s}' % entry(tag='BOOL'), b'\x02')
    for member in ['{}', '[]', '["U8",[1],[0,1]]', 'null', '1', '"t"', entry(more=',"x":1'), entry(more=',"x":[1e400]'), entry(more=',"x":[1e308,{"a":1,"a":2}]'),
                   entry(more=',"x":nul'), entry(more=',"x":-'), entry(more=',"x":1.'), entry(more=',"x":.1'), entry(more=',"x":1e'), entry(more=',"x":01'),
                   entry(more=',"x":tru'), entry(more=',"x":true'), entry(more=',"x":false'), entry(more=',"x":null'), entry(more=',"x":-0.5E+2'),
                   entry(more=',"x":"\\ud800"'), entry(more=',"x":{"a":[{}]}'), entry(more=',"x":{"a":[{}}'), entry(more=','), entry(more=',"dtype":"U8"'),
                   entry(more=',"shape":[1]'), entry(more=',"data_offsets":[0,1]'), '{"dtype":"U8","shape":[1]}', '{"dtype":"U8","data_offsets":[0,1]}',
                   '{"shape":[1],"data_offsets":[0,1]}', '{"dtype":8,"shape":[1],"data_offsets":[0,1]}', '{"dtype":null,"shape":[1],"data_offsets":[0,1]}']:
        yield file_of('{"t":%s}' % member, one)
    for depth in (100, 124, 125, 126, 127, 128, 129):
        yield file_of('{"t":%s}' % entry(more=',"x":' + '[' * depth + ']' * depth), one)
        yield file_of('{"t":%s}' % entry(more=',"x":' + '{"a":' * depth + '1' + '}' * depth), one)
    two = ['[0,1]', '[1,2]', '[0,2]', '[1,1]', '[0,0]', '[2,3]']
    for a in two:
        for b in two:
            yield file_of('{"a":%s,"b":%s}' % (entry(offsets=a), entry(offsets=b)), b'\x01\x01')
    yield file_of('{"a":%s,"a":%s}' % (entry(), entry()), one)
    yield file_of('{"a":%s,"\\u0061":%s}' % (entry(), entry()), one)
    yield file_of('{"a":%s,"e":%s,"b":%s}' % (entry(), entry(shape='[0]', offsets='[1,1]'), entry(offsets='[1,2]')), b'\x01\x01')
    # Bytes of the data that would go on with the header's JSON where it stops too early.
    yield file_of('{"t":%s' % entry(), b'}')
    yield file_of('{"__metadata__":{"\\ud83d', b'\\ude00":""}}')
    yield file_of('{"__metadata__":{"a', b'":""}}')


TOKEN = re.compile(r'"[^"]*"|-?[0-9.eE+]+|[\[\]{}:,]|\s+')
PIECES = ['0', '1', '2', '3', '8', '16', '-1', '1.5', '[', ']', '{', '}', ',', ':', '"', '"shape"', '"dtype"', '"data_offsets"', '"F32"', '"U8"', '"w"', 'null', ' ', '\\', '"__metadata__"']


def mutated(rng, file):
    length = struct.unpack('<Q', file[:8])[0]
    header, data = file[8:8 + length].decode('utf-8'), file[8 + length:]
    kind = rng.randrange(5)
    if kind <= 2:
        tokens = TOKEN.findall(header)
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(tokens))
            action = rng.randrange(4)
            if action == 0:
                tokens[at] = rng.choice(PIECES)
            elif action == 1:
                tokens.insert(at, rng.choice(PIECES))
            elif action == 2:
                tokens.pop(at)
            else:
                other = rng.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            if not tokens:
                break
        return file_of(''.join(tokens), data)
    changed = bytearray(file)
    if kind == 3:
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    elif rng.random() < 0.5:
        del changed[rng.randrange(len(changed)):]
    else:
        at = rng.randrange(len(changed))
        changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4)))
    return bytes(changed)


def accepted(file):
    try:
        safetensors.deserialize(file)
        return True
    except safetensors.SafetensorError:
        return False


def encode(file):
    return base64.b64encode(file).decode('ascii')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--count', type=int, default=150, help='how many mutated files')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    # All names beside each other, for their order.
    files = [written(rng, [(name, 'U8', [1], bytes([i])) for i, name in enumerate(NAMES)])]
    files.extend(written(rng, drawn(rng)) for _ in range(25))
    flawed = [*curated(), *(mutated(rng, rng.choice(files)['file']) for _ in range(options.count))]
    print('{"version":"%s","written":[' % safetensors.__version__)
    print(',\n'.join(json.dumps({**file, 'file': encode(file['file'])}) for file in files))
    print('],"verdicts":[')
    print(',\n'.join(json.dumps([encode(file), accepted(file)]) for file in flawed))
    print(']}')


if __name__ == '__main__':
    main()
