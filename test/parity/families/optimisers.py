"""Optimiser trajectories: the gradients fed in at each step and the parameters after it, so that no model is needed.

Each record: op (the optimiser's class), options, args [initial parameter, ...], gradients [step][parameter], trajectory
[step][parameter]. A null gradient means the parameter has none in that step and must be left alone.

NAdam takes the path foreach: the other one of PyTorch 1.13 multiplies the momentum twice into its product, against the formula in its own
documentation (Dozat 2016) and against all later releases. That product is kept in the default dtype, which is float64 here.
"""
import torch

from .names import snake

STEPS = 8
OPTIMISERS = [
    ('SGD', torch.optim.SGD, [
        {'lr': 0.1}, {'lr': 0.1, 'momentum': 0.9}, {'lr': 0.1, 'momentum': 0.9, 'nesterov': True}, {'lr': 0.1, 'momentum': 0.9, 'dampening': 0.5},
        {'lr': 0.1, 'weightDecay': 0.25}, {'lr': 0.1, 'momentum': 0.5, 'weightDecay': 0.25, 'nesterov': True}, {'lr': 0.1, 'momentum': 0.5, 'maximize': True}]),
    ('Adam', torch.optim.Adam, [
        {}, {'lr': 0.1}, {'lr': 0.1, 'betas': [0.5, 0.75]}, {'lr': 0.1, 'eps': 0.01}, {'lr': 0.1, 'weightDecay': 0.25}, {'lr': 0.1, 'amsgrad': True},
        {'lr': 0.1, 'betas': [0.0, 0.5], 'amsgrad': True, 'weightDecay': 0.125}, {'lr': 0.1, 'maximize': True}]),
    ('AdamW', torch.optim.AdamW, [{}, {'lr': 0.1}, {'lr': 0.1, 'weightDecay': 0.25}, {'lr': 0.1, 'weightDecay': 0.0}, {'lr': 0.1, 'amsgrad': True},
                                      {'lr': 0.1, 'betas': [0.5, 0.75], 'eps': 0.01}]),
    ('RMSprop', torch.optim.RMSprop, [{}, {'lr': 0.1, 'alpha': 0.5}, {'lr': 0.1, 'momentum': 0.5}, {'lr': 0.1, 'centered': True, 'weightDecay': 0.25},
                                          {'lr': 0.1, 'centered': True, 'momentum': 0.5, 'eps': 0.01}]),
    ('Adagrad', torch.optim.Adagrad, [{}, {'lr': 0.1, 'lrDecay': 0.25}, {'lr': 0.1, 'weightDecay': 0.25, 'initialAccumulatorValue': 0.5}]),
    ('Adadelta', torch.optim.Adadelta, [{}, {'lr': 0.5, 'rho': 0.5, 'weightDecay': 0.25}]),
    ('Adamax', torch.optim.Adamax, [{}, {'lr': 0.1, 'betas': [0.5, 0.75], 'weightDecay': 0.25}]),
    ('NAdam', lambda p, **options: torch.optim.NAdam(p, foreach=True, **options), [{}, {'lr': 0.1, 'momentumDecay': 0.01, 'weightDecay': 0.25}]),
    ('RAdam', torch.optim.RAdam, [{}, {'lr': 0.1, 'betas': [0.5, 0.75], 'weightDecay': 0.25}]),
]


def record(recorder):
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        trajectories(recorder)
    finally:
        torch.set_default_dtype(before)


def trajectories(recorder):
    for op, optimiser, option_sets in OPTIMISERS:
        for options in option_sets:
            name = ' '.join('%s=%s' % item for item in options.items()) or 'defaults'
            trajectory(recorder, op, name, lambda p: optimiser(p, **snake(options)), options, skip=False)
        trajectory(recorder, op, 'a parameter without a gradient in some steps', lambda p: optimiser(p, lr=0.1), {'lr': 0.1}, skip=True)


def trajectory(recorder, op, name, make, options, *, skip):
    draw = recorder.draw(op, name)
    initial = [draw.grid([2, 2]), draw.grid([3])]
    parameters = [t.clone().requires_grad_(True) for t in initial]
    optimiser = make(parameters)
    gradients, states = [], []
    for step in range(STEPS):
        # A zero gradient in the first step is where eps matters.
        fed = [draw.grid([2, 2]), draw.grid([3]) * (step > 0)]
        if skip and step in (0, 3):
            fed[1] = None
        for parameter, gradient in zip(parameters, fed):
            parameter.grad = None if gradient is None else gradient.clone()
        optimiser.step()
        gradients.append(fed)
        states.append([parameter.detach().clone() for parameter in parameters])
    recorder.add({'op': op, 'name': name, 'options': options, 'args': initial, 'gradients': gradients, 'trajectory': states})
