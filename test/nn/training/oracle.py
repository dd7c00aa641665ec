"""Writes whole training runs of PyTorch in float64: the state that a network starts from, its data, the loss of each step, and the state it
ends in.

    /usr/bin/python3 test/nn/training/oracle.py > test/nn/training/oracle.json
"""
import json

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def encode(t):
    dtype = 'int32' if t.dtype == torch.int64 else 'float64'
    return {'dtype': dtype, 'shape': list(t.shape), 'data': t.detach().reshape(-1).tolist()}


def run(name, seed, model, data, loss_of, optimiser_of, scheduler_of=None, clip=None, steps=8):
    torch.manual_seed(seed)
    for p in model.parameters():
        p.data = torch.randn(p.shape) * 0.3
    start = {k: encode(v.clone()) for k, v in model.state_dict().items()}
    inputs = data()
    optimiser = optimiser_of(model.parameters())
    scheduler = scheduler_of(optimiser) if scheduler_of else None
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = loss_of(model, *inputs)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        evaluated = loss_of(model, *inputs).item()
    return {'name': name, 'start': start, 'inputs': [encode(x) for x in inputs], 'losses': losses,
            'end': {k: encode(v) for k, v in model.state_dict().items()}, 'evaluated': evaluated}


S = torch.optim.lr_scheduler
# No bias before batch norm, and plain SGD for attention: the gradient of such a bias, and of that of the keys, is 0 but for rounding, which
# optimisers that divide by its size would blow up.
autoencoder = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False),
                            nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.ConvTranspose2d(4, 1, 3, padding=1))
classifier = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 4))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 3)
        self.rnn = nn.LSTM(3, 4, 2, batch_first=True)
        self.head = nn.Linear(4, 7)

    def forward(self, x):
        return self.head(self.rnn(self.embedding(x))[0])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True, activation='gelu')
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.encoder(x))


mse = nn.MSELoss()
print('[\n%s\n]' % ',\n'.join(json.dumps(r, separators=(',', ':')) for r in [
    run('autoencoder', 1, autoencoder, lambda: [torch.rand(6, 1, 8, 8)], lambda m, x: nn.BCEWithLogitsLoss()(m(x), x),
        lambda p: torch.optim.Adam(p, lr=0.02), lambda o: S.CosineAnnealingLR(o, 10)),
    run('classifier', 2, classifier, lambda: [torch.randn(5, 1, 6, 6), torch.randint(0, 4, (5,))], lambda m, x, t: nn.CrossEntropyLoss(label_smoothing=0.1)(m(x), t),
        lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5), lambda o: S.StepLR(o, 3, 0.5), clip=1.0),
    run('recurrent', 3, Recurrent(), lambda: [torch.randint(0, 7, (3, 6)), torch.randint(0, 7, (3, 6))],
        lambda m, x, t: nn.CrossEntropyLoss()(m(x).transpose(1, 2), t), lambda p: torch.optim.AdamW(p, lr=0.05), clip=0.5),
    run('attention', 4, Attention(), lambda: [torch.randn(3, 5, 4), torch.randn(3, 5, 1)], lambda m, x, t: mse(m(x), t),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), lambda o: S.OneCycleLR(o, 0.02, 9)),
]))
