"""Writes what PyTorch's layers give: for each case the parameters, inputs, outputs, and the gradients of sum(output * cotangent) with
respect to inputs and parameters, in float64.

    /usr/bin/python3 test/nn/layers/oracle.py > test/nn/layers/oracle.json
"""
import json
import random

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
CASES = []


def encode(t):
    dtype = 'bool' if t.dtype == torch.bool else 'int32' if t.dtype == torch.int64 else 'float64'
    return {'dtype': dtype, 'shape': list(t.shape), 'data': [int(x) if dtype != 'float64' else x for x in t.detach().reshape(-1).tolist()]}


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value if v is not None for t in flat(v)]


def case(layer, args, options, module, inputs, call=None, keywords=None, note=''):
    """call(module, *inputs); keywords: what Adjoint's forward gets after the inputs."""
    rng = random.Random(len(CASES))
    for p in module.parameters():
        p.data = torch.tensor([rng.randint(-64, 64) / 64 for _ in range(p.numel())]).reshape(p.shape)
    for b in module.buffers():
        if b.dtype == torch.float64:
            b.copy_(torch.tensor([rng.randint(16, 64) / 64 for _ in range(b.numel())]).reshape(b.shape))
    state = {k: encode(v) for k, v in module.state_dict().items()}
    leaves = [x for x in inputs if x.dtype == torch.float64]
    for x in leaves:
        x.requires_grad_(True)
    outputs = flat((call or (lambda m, *xs: m(*xs)))(module, *inputs))
    cotangents = [torch.tensor([rng.randint(-64, 64) / 64 for _ in range(o.numel())]).reshape(o.shape) for o in outputs]
    parameters = dict(module.named_parameters())
    grads = torch.autograd.grad(sum((o * c).sum() for o, c in zip(outputs, cotangents)), leaves + list(parameters.values()), allow_unused=True)
    CASES.append({
        'layer': layer, 'args': args, 'options': options, 'keywords': {k: encode(v) if isinstance(v, torch.Tensor) else v for k, v in (keywords or {}).items()},
        'note': note, 'state': state, 'inputs': [encode(x) for x in inputs], 'outputs': [encode(o) for o in outputs], 'cotangents': [encode(c) for c in cotangents],
        'inputGrads': [encode(torch.zeros_like(v) if g is None else g) for v, g in zip(leaves, grads)],
        'parameterGrads': {name: None if g is None else encode(g) for name, g in zip(parameters, grads[len(leaves):])},
    })


def x(*shape):
    rng = random.Random(str(shape) + str(len(CASES)))
    n = 1
    for s in shape:
        n *= s
    return torch.tensor([rng.randint(-64, 64) / 32 for _ in range(n)]).reshape(shape)


def simple():
    case('Linear', [3, 2], {}, nn.Linear(3, 2), [x(2, 4, 3)])
    case('Linear', [3, 2], {'bias': False}, nn.Linear(3, 2, bias=False), [x(3)])
    case('Bilinear', [2, 3, 4], {}, nn.Bilinear(2, 3, 4), [x(5, 2), x(5, 3)])
    case('Embedding', [5, 3], {'paddingIdx': 1}, nn.Embedding(5, 3, padding_idx=1), [torch.tensor([[0, 1, 4], [4, 4, 1]])])
    case('Conv2d', [4, 6, [2, 3]], {'groups': 2, 'stride': [2, 1], 'padding': 1, 'dilation': [1, 2]},
         nn.Conv2d(4, 6, (2, 3), groups=2, stride=(2, 1), padding=1, dilation=(1, 2)), [x(2, 4, 5, 6)])
    case('Conv1d', [2, 3, 2], {}, nn.Conv1d(2, 3, 2), [x(2, 5)])
    case('Conv3d', [2, 3, 2], {'bias': False}, nn.Conv3d(2, 3, 2, bias=False), [x(1, 2, 3, 2, 4)])
    case('Conv1d', [2, 3, 4], {'padding': 'same'}, nn.Conv1d(2, 3, 4, padding='same'), [x(2, 2, 5)])
    case('Conv2d', [4, 6, [2, 3]], {'padding': 'same', 'dilation': [3, 2], 'groups': 2}, nn.Conv2d(4, 6, (2, 3), padding='same', dilation=(3, 2), groups=2), [x(1, 4, 5, 6)])
    case('Conv2d', [2, 3, 3], {'padding': 'same'}, nn.Conv2d(2, 3, 3, padding='same'), [x(1, 2, 4, 3)])
    case('Conv2d', [2, 3, 2], {'padding': 'valid', 'stride': 2}, nn.Conv2d(2, 3, 2, 2, padding='valid'), [x(1, 2, 4, 5)])
    case('ConvTranspose2d', [4, 6, [2, 3]], {'groups': 2, 'stride': [2, 3], 'padding': [0, 1], 'outputPadding': [1, 0]},
         nn.ConvTranspose2d(4, 6, (2, 3), groups=2, stride=(2, 3), padding=(0, 1), output_padding=(1, 0)), [x(2, 4, 2, 3)])
    case('ConvTranspose2d', [2, 3, 3], {'stride': 2}, nn.ConvTranspose2d(2, 3, 3, stride=2), [x(1, 2, 3, 3)],
         lambda m, v: m(v, output_size=[8, 7]), {'outputSize': [8, 7]}, 'outputSize')
    case('ConvTranspose1d', [2, 3, 3], {'dilation': 3, 'outputPadding': 2}, nn.ConvTranspose1d(2, 3, 3, dilation=3, output_padding=2), [x(2, 2, 4)])
    case('ConvTranspose3d', [2, 2, 2], {'stride': 2}, nn.ConvTranspose3d(2, 2, 2, stride=2), [x(1, 2, 1, 2, 2)])
    case('PReLU', [], {'numParameters': 3}, nn.PReLU(3), [x(2, 3, 2)])
    case('MaxPool2d', [2], {'stride': 1, 'padding': 1}, nn.MaxPool2d(2, 1, 1), [x(1, 2, 3, 4) + torch.arange(24).reshape(1, 2, 3, 4) / 1000])
    case('AvgPool2d', [[2, 3]], {'padding': 1, 'countIncludePad': False}, nn.AvgPool2d((2, 3), padding=1, count_include_pad=False), [x(1, 2, 4, 5)])
    case('AdaptiveAvgPool2d', [[2, 3]], None, nn.AdaptiveAvgPool2d((2, 3)), [x(1, 2, 5, 4)])
    case('Upsample', [], {'scaleFactor': 2, 'mode': 'bilinear'}, nn.Upsample(scale_factor=2, mode='bilinear'), [x(1, 2, 3, 2)])
    case('PixelShuffle', [2], None, nn.PixelShuffle(2), [x(1, 8, 2, 3)])
    case('PixelUnshuffle', [2], None, nn.PixelUnshuffle(2), [x(1, 2, 4, 6)])
    case('Unfold', [[2, 2]], {'stride': 2}, nn.Unfold((2, 2), stride=2), [x(1, 2, 4, 4)])
    case('Fold', [[4, 4], [2, 2]], {'stride': 1}, nn.Fold((4, 4), (2, 2), stride=1), [x(1, 8, 9)])
    case('GroupNorm', [2, 4], {}, nn.GroupNorm(2, 4), [x(3, 4, 2)])
    case('BatchNorm2d', [3], {}, nn.BatchNorm2d(3).eval(), [x(2, 3, 2, 2)], note='eval')


def padding():
    sizes = {1: (2, 3, 5), 2: (2, 3, 5, 4), 3: (1, 2, 4, 3, 5)}
    amounts = {1: [2, 1], 2: [1, 2, 0, 3], 3: [1, 2, 0, 1, 2, 1]}
    cut = {1: [-1, 2], 2: [1, -1, -2, 0], 3: [0, -1, 1, 0, -1, 1]}
    for d in (1, 2, 3):
        case(f'ConstantPad{d}d', [amounts[d], 0.5], None, getattr(nn, f'ConstantPad{d}d')(tuple(amounts[d]), 0.5), [x(*sizes[d])])
        case(f'ConstantPad{d}d', [cut[d], -2], None, getattr(nn, f'ConstantPad{d}d')(tuple(cut[d]), -2.0), [x(*sizes[d])], note='cuts')
        # ZeroPad1d and ZeroPad3d came after this version of PyTorch; they are this.
        case(f'ZeroPad{d}d', [2], None, getattr(nn, f'ConstantPad{d}d')(2, 0.0), [x(*sizes[d][1:])], note='unbatched')
        for kind in ('Reflection', 'Replication', 'Circular'):
            if kind == 'Circular':
                module = lambda p: Circular(p)
            else:
                module = getattr(nn, f'{kind}Pad{d}d')
            case(f'{kind}Pad{d}d', [amounts[d]], None, module(tuple(amounts[d])), [x(*sizes[d])])
            case(f'{kind}Pad{d}d', [1], None, module((1,) * (2 * d)), [x(*sizes[d])])


class Circular(nn.Module):
    def __init__(self, amounts):
        super().__init__()
        self.amounts = amounts

    def forward(self, v):
        return nn.functional.pad(v, self.amounts, mode='circular')


def unpooling():
    for d, size in ((1, (2, 3, 7)), (2, (2, 2, 5, 7)), (3, (1, 2, 4, 5, 3))):
        F, M = nn.functional, getattr(nn, f'MaxUnpool{d}d')
        pool = getattr(F, f'max_pool{d}d')
        # Of distinct numbers, so that no window has two largest elements.
        n = torch.tensor(size).prod().item()
        image = torch.tensor(random.Random(d).sample(range(n), n)).double().reshape(size) / 32
        v, i = pool(image, 2, return_indices=True)
        even = image[(..., *[slice(0, extent - extent % 2) for extent in size[2:]])]
        case(f'MaxUnpool{d}d', [2], {}, M(2), list(pool(even, 2, return_indices=True)))
        case(f'MaxUnpool{d}d', [2], {}, M(2), [v.clone(), i], lambda m, v, i: m(v, i, output_size=image.shape[2:]), {'outputSize': list(size[2:])}, 'outputSize')
        v, i = pool(image, 3, stride=3, padding=1, return_indices=True)
        case(f'MaxUnpool{d}d', [3], {'stride': 3, 'padding': 1}, M(3, stride=3, padding=1), [v[0].clone(), i[0]],
             lambda m, v, i: m(v, i, output_size=image.shape[2:]), {'outputSize': list(size[2:])}, 'unbatched')


def activations():
    for name, options, module in [
            ('ReLU', None, nn.ReLU()), ('ReLU6', None, nn.ReLU6()), ('LeakyReLU', {'negativeSlope': 0.2}, nn.LeakyReLU(0.2)), ('ELU', {'alpha': 0.5}, nn.ELU(0.5)),
            ('CELU', {'alpha': 2}, nn.CELU(2.0)), ('SELU', None, nn.SELU()), ('GELU', {'approximate': 'tanh'}, nn.GELU(approximate='tanh')), ('SiLU', None, nn.SiLU()),
            ('Mish', None, nn.Mish()), ('Sigmoid', None, nn.Sigmoid()), ('LogSigmoid', None, nn.LogSigmoid()), ('Tanh', None, nn.Tanh()),
            ('Softplus', {'beta': 2, 'threshold': 1}, nn.Softplus(2, 1)), ('Softsign', None, nn.Softsign()), ('Hardtanh', {'minVal': -0.5, 'maxVal': 0.75}, nn.Hardtanh(-0.5, 0.75)),
            # Not Hardsigmoid: PyTorch's gradient of it takes 1/6 in float32.
            ('Hardswish', None, nn.Hardswish()), ('Softmax', {'axis': 0}, nn.Softmax(0)), ('LogSoftmax', {'axis': 1}, nn.LogSoftmax(1)),
            ('GLU', {'axis': 1}, nn.GLU(1)), ('Softmin', {'axis': 0}, nn.Softmin(0)), ('Hardshrink', {'lambda': 0.75}, nn.Hardshrink(0.75)), ('Softshrink', None, nn.Softshrink()),
            ('Tanhshrink', None, nn.Tanhshrink())]:
        case(name, [], options, module, [x(3, 4)])
    case('Softmax2d', [], None, nn.Softmax2d(), [x(1, 3, 2, 2)])
    case('Threshold', [0.25, -3], None, nn.Threshold(0.25, -3), [x(3, 4)])
    case('Flatten', [], {'startAxis': 0, 'endAxis': 1}, nn.Flatten(0, 1), [x(2, 3, 4)])
    case('Identity', [], None, nn.Identity(), [x(2)])


def losses():
    target = (x(3, 4) + 2) / 4
    signs = torch.tensor([1, -1, 1]).double()
    classes = torch.tensor([2, 0, 3])
    weights = torch.tensor([0.5, 1.0, 2.0, 0.25])
    tensors = lambda **t: {k: encode(v) for k, v in t.items()}
    fixed = lambda *more: lambda m, v, *xs: m(v, *xs[:len(xs) - len(more)], *more)
    for name, options, module, inputs in [
            ('MSELoss', {}, nn.MSELoss(), [x(3, 4), target]), ('L1Loss', {'reduction': 'sum'}, nn.L1Loss(reduction='sum'), [x(3, 4), target]),
            ('SmoothL1Loss', {'beta': 0.5}, nn.SmoothL1Loss(beta=0.5), [x(3, 4), target]), ('HuberLoss', {'delta': 0.5}, nn.HuberLoss(delta=0.5), [x(3, 4), target]),
            ('BCEWithLogitsLoss', tensors(posWeight=weights), nn.BCEWithLogitsLoss(pos_weight=weights.clone()), [x(3, 4), target]),
            ('NLLLoss', {'ignoreIndex': 0}, nn.NLLLoss(ignore_index=0), [x(3, 4), classes]),
            ('CrossEntropyLoss', {'labelSmoothing': 0.25, **tensors(weight=weights)}, nn.CrossEntropyLoss(weights.clone(), label_smoothing=0.25), [x(3, 4), classes]),
            ('HingeEmbeddingLoss', {'margin': 0.5}, nn.HingeEmbeddingLoss(0.5), [x(3), signs.clone()]),
            ('CosineEmbeddingLoss', {'margin': 0.25}, nn.CosineEmbeddingLoss(0.25), [x(3, 4), x(3, 4) + 1, signs.clone()]),
            ('TripletMarginLoss', {'margin': 2, 'swap': True}, nn.TripletMarginLoss(2.0, swap=True), [x(3, 4), x(3, 4) + 1, x(3, 4) - 0.5])]:
        case(name, [], options, module, inputs)


def recurrent():
    for name, layer in (('RNN', nn.RNN), ('LSTM', nn.LSTM), ('GRU', nn.GRU)):
        states = 2 if name == 'LSTM' else 1
        run = lambda m, v, *s: m(v) if not s else m(v, s if len(s) == 2 else s[0])
        case(name, [3, 2], {}, layer(3, 2), [x(4, 2, 3)], run)
        case(name, [3, 2], {'numLayers': 2, 'bidirectional': True}, layer(3, 2, 2, bidirectional=True), [x(4, 2, 3), *[x(4, 2, 2) for _ in range(states)]], run, note='states')
        case(name, [3, 2], {'batchFirst': True, 'bias': False}, layer(3, 2, batch_first=True, bias=False), [x(2, 5, 3), *[x(1, 2, 2) for _ in range(states)]], run, note='states')
        case(name, [3, 2], {'bidirectional': True, 'batchFirst': True}, layer(3, 2, bidirectional=True, batch_first=True), [x(3, 3)], run, note='unbatched')
    case('RNN', [3, 2], {'nonlinearity': 'relu'}, nn.RNN(3, 2, nonlinearity='relu'), [x(4, 2, 3)])
    case('LSTM', [3, 4], {'projSize': 2}, nn.LSTM(3, 4, proj_size=2), [x(4, 2, 3)], run)
    case('LSTM', [3, 4], {'projSize': 3, 'numLayers': 2, 'bidirectional': True, 'batchFirst': True}, nn.LSTM(3, 4, 2, proj_size=3, bidirectional=True, batch_first=True),
         [x(2, 5, 3), x(4, 2, 3), x(4, 2, 4)], run, note='states')
    case('LSTM', [3, 4], {'projSize': 1, 'bias': False}, nn.LSTM(3, 4, proj_size=1, bias=False), [x(3, 3)], run, note='unbatched')
    for name, cell in (('RNNCell', nn.RNNCell), ('LSTMCell', nn.LSTMCell), ('GRUCell', nn.GRUCell)):
        states = 2 if name == 'LSTMCell' else 1
        run = lambda m, v, *s: m(v) if not s else m(v, s if len(s) == 2 else s[0])
        case(name, [3, 2], {}, cell(3, 2), [x(4, 3), *[x(4, 2) for _ in range(states)]], run, note='states')
        case(name, [3, 2], {'bias': False}, cell(3, 2, bias=False), [x(3)], run, note='unbatched')


def attention():
    M = nn.MultiheadAttention
    run = lambda m, q, k, v: m(q, k, v)
    case('MultiheadAttention', [4, 2], {}, M(4, 2), [x(3, 2, 4), x(5, 2, 4), x(5, 2, 4)], run)
    case('MultiheadAttention', [4, 2], {'batchFirst': True, 'kdim': 3, 'vdim': 5}, M(4, 2, batch_first=True, kdim=3, vdim=5),
         [x(2, 3, 4), x(2, 4, 3), x(2, 4, 5)], lambda m, q, k, v: m(q, k, v, average_attn_weights=False), {'averageAttnWeights': False})
    case('MultiheadAttention', [4, 2], {'bias': False}, M(4, 2, bias=False), [x(3, 4), x(5, 4), x(5, 4)], run, note='unbatched')
    padding = torch.tensor([[False, True, False, False], [False, False, False, True]])
    mask = torch.tensor([[False, True, False, False], [False, False, False, False], [True, False, False, False]])
    case('MultiheadAttention', [4, 2], {'addBiasKv': True, 'addZeroAttn': True}, M(4, 2, add_bias_kv=True, add_zero_attn=True), [x(3, 2, 4), x(4, 2, 4), x(4, 2, 4)],
         lambda m, q, k, v: m(q, k, v, key_padding_mask=padding, attn_mask=mask), {'keyPaddingMask': padding, 'attnMask': mask}, 'masks')
    additive = x(4, 3, 4)
    case('MultiheadAttention', [4, 2], {}, M(4, 2), [x(3, 2, 4), x(4, 2, 4), x(4, 2, 4)],
         lambda m, q, k, v: m(q, k, v, attn_mask=additive, need_weights=False)[0], {'attnMask': additive, 'needWeights': False}, 'a mask per head, added')
    causal = torch.triu(torch.ones(4, 4), 1).bool()
    case('MultiheadAttention', [4, 1], {}, M(4, 1), [x(4, 2, 4), x(4, 2, 4), x(4, 2, 4)], lambda m, q, k, v: m(q, k, v, attn_mask=causal), {'isCausal': True}, 'causal')
    E, D = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    case('TransformerEncoderLayer', [4, 2], {'dimFeedforward': 3, 'dropout': 0}, E(4, 2, 3, 0.0), [x(3, 2, 4)])
    case('TransformerEncoderLayer', [4, 2], {'dimFeedforward': 3, 'dropout': 0, 'activation': 'gelu', 'batchFirst': True, 'normFirst': True, 'layerNormEps': 0.01},
         E(4, 2, 3, 0.0, activation='gelu', batch_first=True, norm_first=True, layer_norm_eps=0.01), [x(2, 3, 4)],
         lambda m, v: m(v, src_mask=causal[:3, :3], src_key_padding_mask=padding[:, :3]), {'mask': causal[:3, :3], 'keyPaddingMask': padding[:, :3]}, 'masks')
    case('TransformerDecoderLayer', [4, 2], {'dimFeedforward': 3, 'dropout': 0}, D(4, 2, 3, 0.0), [x(4, 2, 4), x(3, 2, 4)],
         lambda m, t, v: m(t, v, tgt_mask=causal), {'tgtIsCausal': True}, 'causal')
    case('TransformerDecoderLayer', [4, 2], {'dimFeedforward': 3, 'dropout': 0, 'normFirst': True}, D(4, 2, 3, 0.0, norm_first=True), [x(3, 2, 4), x(4, 2, 4)],
         lambda m, t, v: m(t, v, memory_key_padding_mask=padding), {'memoryKeyPaddingMask': padding}, 'memory mask')


def norms():
    case('weightNorm Linear', [3, 2], {}, nn.utils.weight_norm(nn.Linear(3, 2)), [x(4, 3)])
    case('weightNorm Conv2d', [2, 3, 2], {}, nn.utils.weight_norm(nn.Conv2d(2, 3, 2)), [x(1, 2, 3, 3)])
    case('weightNorm Conv2d', [4, 6, 2], {'layer': {'groups': 2}}, nn.utils.weight_norm(nn.Conv2d(4, 6, 2, groups=2)), [x(1, 4, 3, 3)], note='groups')
    case('weightNorm ConvTranspose2d', [4, 6, 2], {'layer': {'groups': 2}, 'axis': 1}, nn.utils.weight_norm(nn.ConvTranspose2d(4, 6, 2, groups=2), dim=1), [x(1, 4, 2, 2)], note='groups')
    case('weightNorm LSTM', [2, 3], {'name': 'weightHhL0'}, nn.utils.weight_norm(nn.LSTM(2, 3), 'weight_hh_l0'), [x(3, 1, 2)])
    case('spectralNorm Conv2d', [4, 6, 2], {'layer': {'groups': 2}}, nn.utils.spectral_norm(nn.Conv2d(4, 6, 2, groups=2)), [x(1, 4, 3, 3)], note='groups')
    case('spectralNorm ConvTranspose2d', [4, 6, 2], {'layer': {'groups': 2}}, nn.utils.spectral_norm(nn.ConvTranspose2d(4, 6, 2, groups=2)), [x(1, 4, 2, 2)], note='groups')
    for training in (True, False):
        layer = nn.utils.spectral_norm(nn.Linear(3, 4), n_power_iterations=2)
        layer.train(training)
        case('spectralNorm Linear', [3, 4], {'nPowerIterations': 2}, layer, [x(5, 3)], note='train' if training else 'eval')


def transformers():
    causal = torch.triu(torch.ones(4, 4), 1).bool()
    padding = torch.tensor([[False, False, True], [False, False, False]])
    sizes = {'numEncoderLayers': 2, 'numDecoderLayers': 1, 'dimFeedforward': 3, 'dropout': 0}
    case('Transformer', [4, 2], sizes, nn.Transformer(4, 2, 2, 1, 3, 0.0), [x(3, 2, 4), x(4, 2, 4)],
         lambda m, s, t: m(s, t, src_mask=causal[:3, :3], tgt_mask=causal), {'srcIsCausal': True, 'tgtIsCausal': True}, 'causal')
    case('Transformer', [4, 2], {**sizes, 'batchFirst': True, 'normFirst': True, 'layerNormEps': 0.01, 'activation': 'gelu'},
         nn.Transformer(4, 2, 2, 1, 3, 0.0, 'gelu', batch_first=True, norm_first=True, layer_norm_eps=0.01), [x(2, 3, 4), x(2, 4, 4)],
         lambda m, s, t: m(s, t, src_key_padding_mask=padding, tgt_mask=causal, memory_key_padding_mask=padding),
         {'srcKeyPaddingMask': padding, 'tgtMask': causal, 'memoryKeyPaddingMask': padding}, 'masks')


simple()
padding()
unpooling()
activations()
losses()
recurrent()
attention()
norms()
transformers()
print('[\n%s\n]' % ',\n'.join(json.dumps(c, separators=(',', ':')) for c in CASES))
