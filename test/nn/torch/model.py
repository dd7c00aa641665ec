"""Writes model.safetensors: a network of PyTorch's as its users save one, beside an input and what the network makes of it.

    /usr/bin/python3 test/nn/torch/model.py write test/nn/torch/model.safetensors

and reads a file that Adjoint wrote of the same network, loads it with load_state_dict(strict=True) and compares the outputs:

    /usr/bin/python3 test/nn/torch/model.py check FILE

The format is written by hand (https://huggingface.co/docs/safetensors): 8 bytes of header length, the header as JSON, the data.
"""
import json
import struct
import sys

import torch
from torch import nn

NAMES = {torch.float64: 'F64', torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64', torch.int32: 'I32'}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 32)
        self.down = nn.Sequential(nn.Conv2d(4, 8, (3, 2), groups=2, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 6, 3, groups=2, stride=2, output_padding=1), nn.ConvTranspose1d(6, 4, 2, groups=2)])
        self.solid = nn.ConvTranspose3d(4, 2, (1, 2, 2), groups=2)
        self.lstm = nn.LSTM(12, 5, num_layers=2, bidirectional=True, proj_size=2)
        self.attention = nn.MultiheadAttention(4, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, tokens):
        x = self.embed(tokens).reshape(-1, 4, 4, 8)
        x = self.up[0](self.down(x))
        n, c = x.shape[:2]
        x = self.up[1](x.reshape(n, c, -1))[:, :, :12]
        x = self.solid(x.reshape(n, 4, 1, 3, 4))
        x = x.reshape(-1)[:36].reshape(3, 1, 12)
        x = self.lstm(x)[0]
        x = self.attention(x, x, x)[0]
        return self.head(x)


def read(path):
    with open(path, 'rb') as file:
        content = file.read()
    (size,) = struct.unpack('<Q', content[:8])
    header = json.loads(content[8:8 + size])
    data = content[8 + size:]
    header.pop('__metadata__', None)
    dtypes = {name: dtype for dtype, name in NAMES.items()}
    return {name: torch.frombuffer(bytearray(data[slice(*e['data_offsets'])]), dtype=dtypes[e['dtype']]).reshape(e['shape']) for name, e in header.items()}


def write(path, tensors):
    header, data = {'__metadata__': {'format': 'pt'}}, b''
    for name, tensor in tensors.items():
        raw = bytes(tensor.detach().contiguous().view(-1).view(torch.uint8).tolist())
        header[name] = {'dtype': NAMES[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    encoded = json.dumps(header).encode()
    encoded += b' ' * (-len(encoded) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(encoded)) + encoded + data)


def main(task, path):
    torch.manual_seed(0)
    net = Net().double()
    tokens = torch.tensor([[1, 0, 6, 3], [2, 5, 5, 4]])
    if task == 'write':
        # A few passes in training mode, so that the running statistics are not those of the start.
        for _ in range(3):
            net(torch.randint(0, 7, (2, 4)))
        net.eval()
        tensors = {f'model.{name}': tensor for name, tensor in net.state_dict().items()}
        # The head as networks are often published, and what its numbers are then.
        for dtype, name in ((torch.bfloat16, 'bfloat16'), (torch.float16, 'float16')):
            short = {'weight': net.head.weight.to(dtype), 'bias': net.head.bias.to(dtype)}
            tensors.update({f'{name}.{key}': value for key, value in short.items()})
            tensors.update({f'{name}.expected.{key}': value.double() for key, value in short.items()})
        write(path, {**tensors, 'tokens': tokens.int(), 'output': net(tokens)})
        return
    tensors = read(path)
    net.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith('model.')}, strict=True)
    net.eval()
    difference = (net(tensors['tokens'].long()) - tensors['output']).abs().max().item()
    print(json.dumps({'difference': difference}))


main(*sys.argv[1:])
