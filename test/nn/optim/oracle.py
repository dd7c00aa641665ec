"""Writes what PyTorch does (or, where it lacks the optimiser, what the paper's formula gives on its tensors): optimiser runs that the
parity fixtures lack, and learning rates of schedulers.

    /usr/bin/python3 test/nn/optim/oracle.py > test/nn/optim/oracle.json

Gradients and parameters are short dyadic numbers; everything is float64.
"""
import json
import math
import random

import torch

torch.set_default_dtype(torch.float64)


class Paper(torch.optim.Optimizer):
    """An optimiser from the formula of its paper."""

    def __init__(self, params, **options):
        super().__init__(params, options)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group['params']:
                if p.grad is not None:
                    self.rule(p, p.grad, self.state[p], group)


class Lion(Paper):
    def rule(self, p, g, s, o):
        m = s.setdefault('m', torch.zeros_like(p))
        b1, b2 = o['betas']
        c = torch.lerp(g, m, b1)
        p.copy_(p - o['lr'] * (torch.sign(c) + o['weight_decay'] * p))
        m.copy_(torch.lerp(g, m, b2))


class LAMB(Paper):
    def rule(self, p, g, s, o):
        b1, b2 = o['betas']
        s['t'] = s.get('t', 0) + 1
        m = s.setdefault('m', torch.zeros_like(p))
        v = s.setdefault('v', torch.zeros_like(p))
        m.copy_(torch.lerp(g, m, b1))
        v.copy_(torch.lerp(g.square(), v, b2))
        r = (m / (1 - b1 ** s['t'])) / ((v / (1 - b2 ** s['t'])).sqrt() + o['eps']) + o['weight_decay'] * p
        trust = p.norm() / r.norm() if p.norm() > 0 and r.norm() > 0 else 1.0
        p.copy_(p - o['lr'] * trust * r)


class Muon(Paper):
    def rule(self, p, g, s, o):
        m = s.setdefault('m', torch.zeros_like(p))
        m.lerp_(g, 1 - o['momentum'])
        u = g.lerp(m, o['momentum']) if o['nesterov'] else m
        a, b, c = 3.4445, -4.7750, 2.0315
        x = u.T if u.size(0) > u.size(1) else u
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        x = x.T if u.size(0) > u.size(1) else x
        rows, columns = p.shape
        ratio = math.sqrt(max(1, rows / columns)) if o['adjust'] == 'original' else 0.2 * math.sqrt(max(rows, columns))
        p.mul_(1 - o['lr'] * o['weight_decay'])
        p.sub_(o['lr'] * ratio * x)


OPTIMISERS = [
    # foreach: the other path of PyTorch 1.13 multiplies the momentum twice into its product, which its documentation and later releases do not.
    ('NAdam', torch.optim.NAdam, {}, {'foreach': True}),
    ('NAdam', torch.optim.NAdam, {'lr': 0.1, 'betas': [0.5, 0.75], 'momentumDecay': 0.01, 'weightDecay': 0.25},
     {'lr': 0.1, 'betas': (0.5, 0.75), 'momentum_decay': 0.01, 'weight_decay': 0.25, 'foreach': True}),
    ('Rprop', torch.optim.Rprop, {}, {}),
    ('Rprop', torch.optim.Rprop, {'lr': 0.1, 'etas': [0.25, 2.0], 'stepSizes': [0.05, 0.3]},
     {'lr': 0.1, 'etas': (0.25, 2.0), 'step_sizes': (0.05, 0.3)}),
    ('Lion', Lion, {}, {'lr': 1e-4, 'betas': (0.9, 0.99), 'weight_decay': 0.0}),
    ('Lion', Lion, {'lr': 0.1, 'betas': [0.5, 0.75], 'weightDecay': 0.25}, {'lr': 0.1, 'betas': (0.5, 0.75), 'weight_decay': 0.25}),
    ('LAMB', LAMB, {}, {'lr': 1e-3, 'betas': (0.9, 0.999), 'eps': 1e-6, 'weight_decay': 0.0}),
    ('LAMB', LAMB, {'lr': 0.1, 'betas': [0.5, 0.75], 'eps': 0.01, 'weightDecay': 0.25},
     {'lr': 0.1, 'betas': (0.5, 0.75), 'eps': 0.01, 'weight_decay': 0.25}),
    ('Muon', Muon, {}, {'lr': 1e-3, 'momentum': 0.95, 'nesterov': True, 'weight_decay': 0.1, 'adjust': 'original'}),
    ('Muon', Muon, {'lr': 0.1, 'momentum': 0.5, 'nesterov': False, 'weightDecay': 0.25, 'adjustLr': 'matchRmsAdamW'},
     {'lr': 0.1, 'momentum': 0.5, 'nesterov': False, 'weight_decay': 0.25, 'adjust': 'matchRmsAdamW'}),
]


def grid(rng, *shape):
    return (torch.tensor([rng.randint(-16, 16) for _ in range(math.prod(shape))]) / 8.0).double().reshape(shape)


def trajectories():
    for number, (op, optimiser, options, snake) in enumerate(OPTIMISERS):
        rng = random.Random('%s %d' % (op, number))
        initial = [grid(rng, 2, 3), grid(rng, 4, 2)]
        params = [t.clone().requires_grad_(True) for t in initial]
        run = optimiser(params, **snake)
        gradients, states = [], []
        for _ in range(10):
            fed = [grid(rng, 2, 3), grid(rng, 4, 2)]
            for p, g in zip(params, fed):
                p.grad = g.clone()
            run.step()
            gradients.append([g.tolist() for g in fed])
            states.append([p.detach().tolist() for p in params])
        yield {'op': op, 'options': options, 'initial': [t.tolist() for t in initial], 'gradients': gradients, 'trajectory': states}


def lbfgs():
    """Rosenbrock's function in four variables, in two parameters."""
    for options in ({}, {'lr': 0.5, 'historySize': 2, 'maxIter': 5}, {'lineSearch': 'strongWolfe'},
                    {'lineSearch': 'strongWolfe', 'historySize': 3, 'maxIter': 4, 'maxEval': 30}, {'lr': 0.001},
                    # Each ends a step by another tolerance.
                    {'lr': 0.5, 'toleranceGrad': 2.0}, {'lr': 0.5, 'toleranceChange': 0.5}, {'lineSearch': 'strongWolfe', 'toleranceGrad': 0.25, 'toleranceChange': 0.01},
                    # First steps that are far too long and far too short: the search must narrow a bracket, and look for one.
                    {'lineSearch': 'strongWolfe', 'lr': 40.0, 'maxIter': 6}, {'lineSearch': 'strongWolfe', 'lr': 0.001, 'maxIter': 6}):
        snake = {'lr': 'lr', 'historySize': 'history_size', 'maxIter': 'max_iter', 'maxEval': 'max_eval', 'toleranceGrad': 'tolerance_grad', 'toleranceChange': 'tolerance_change', 'lineSearch': 'line_search_fn'}
        given = {snake[k]: 'strong_wolfe' if v == 'strongWolfe' else v for k, v in options.items()}
        a = torch.tensor([-1.5, 0.5]).requires_grad_(True)
        b = torch.tensor([2.0, -0.75]).requires_grad_(True)
        run = torch.optim.LBFGS([a, b], **given)
        losses, states = [], []

        def closure():
            run.zero_grad()
            x = torch.cat([a, b])
            loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
            loss.backward()
            return loss
        for _ in range(4):
            losses.append(run.step(closure).item())
            states.append([a.detach().tolist(), b.detach().tolist()])
        yield {'options': options, 'losses': losses, 'trajectory': states}


S = torch.optim.lr_scheduler


def schedule(name, options, make, steps=30, lr=0.5, optimiser=None, momentum=None):
    p = torch.nn.Parameter(torch.zeros(1))
    run = torch.optim.SGD([p], lr=lr, momentum=0.9) if optimiser is None else optimiser([p])
    scheduler = make(run)
    rates, momenta = [run.param_groups[0]['lr']], []
    for step in range(steps):
        p.grad = torch.ones(1)
        run.step()
        scheduler.step()
        rates.append(run.param_groups[0]['lr'])
    record = {'name': name, 'options': options, 'lr': lr, 'rates': rates}
    if momentum is not None:
        record['momentum'] = run.param_groups[0]['momentum']
    return record


def schedulers():
    yield schedule('StepLR', {'stepSize': 4, 'gamma': 0.5}, lambda o: S.StepLR(o, 4, 0.5))
    yield schedule('MultiStepLR', {'milestones': [3, 8, 8, 20], 'gamma': 0.25}, lambda o: S.MultiStepLR(o, [3, 8, 8, 20], 0.25))
    yield schedule('ExponentialLR', {'gamma': 0.9}, lambda o: S.ExponentialLR(o, 0.9))
    yield schedule('LinearLR', {}, lambda o: S.LinearLR(o))
    yield schedule('LinearLR', {'startFactor': 0.25, 'endFactor': 0.75, 'totalIters': 10}, lambda o: S.LinearLR(o, 0.25, 0.75, 10))
    yield schedule('ConstantLR', {}, lambda o: S.ConstantLR(o))
    yield schedule('ConstantLR', {'factor': 0.25, 'totalIters': 7}, lambda o: S.ConstantLR(o, 0.25, 7))
    yield schedule('PolynomialLR', {'totalIters': 12, 'power': 2}, lambda o: S.PolynomialLR(o, 12, 2.0))
    yield schedule('PolynomialLR', {}, lambda o: S.PolynomialLR(o))
    yield schedule('CosineAnnealingLR', {'tMax': 10}, lambda o: S.CosineAnnealingLR(o, 10))
    yield schedule('CosineAnnealingLR', {'tMax': 25, 'etaMin': 0.1}, lambda o: S.CosineAnnealingLR(o, 25, 0.1))
    yield schedule('CosineAnnealingWarmRestarts', {'t0': 5}, lambda o: S.CosineAnnealingWarmRestarts(o, 5))
    yield schedule('CosineAnnealingWarmRestarts', {'t0': 3, 'tMult': 2, 'etaMin': 0.05}, lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.05))
    yield schedule('OneCycleLR', {'maxLr': 2, 'totalSteps': 31}, lambda o: S.OneCycleLR(o, 2.0, 31), momentum=True)
    yield schedule('OneCycleLR', {'maxLr': 2, 'totalSteps': 31, 'pctStart': 0.4, 'annealStrategy': 'linear', 'divFactor': 10, 'finalDivFactor': 100, 'threePhase': True},
                   lambda o: S.OneCycleLR(o, 2.0, 31, pct_start=0.4, anneal_strategy='linear', div_factor=10.0, final_div_factor=100.0, three_phase=True), momentum=True)
    yield schedule('CyclicLR', {'baseLr': 0.1, 'maxLr': 1, 'stepSizeUp': 4}, lambda o: S.CyclicLR(o, 0.1, 1.0, 4), momentum=True)
    yield schedule('CyclicLR', {'baseLr': 0.1, 'maxLr': 1, 'stepSizeUp': 4, 'stepSizeDown': 7, 'mode': 'triangular2'},
                   lambda o: S.CyclicLR(o, 0.1, 1.0, 4, 7, mode='triangular2'), momentum=True)
    yield schedule('CyclicLR', {'baseLr': 0.1, 'maxLr': 1, 'stepSizeUp': 5, 'mode': 'expRange', 'gamma': 0.95, 'cycleMomentum': False},
                   lambda o: S.CyclicLR(o, 0.1, 1.0, 5, mode='exp_range', gamma=0.95, cycle_momentum=False))
    yield schedule('SequentialLR', {'of': 'constant 3, milestones from 0'}, lambda o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.5, 3), S.MultiStepLR(o, [0, 2, 5], 0.5)], [3]))
    yield schedule('SequentialLR', {'of': 'linear 4, multiplicative'}, lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 1.0, 0.5, 4), S.MultiplicativeLR(o, lambda step: 0.9)], [4]))
    yield schedule('SequentialLR', {'of': 'exponential 6, restarts'}, lambda o: S.SequentialLR(
        o, [S.ExponentialLR(o, 0.5), S.CosineAnnealingWarmRestarts(o, 4)], [6]))
    yield schedule('SequentialLR', {'of': 'exponential 6, polynomial'}, lambda o: S.SequentialLR(
        o, [S.ExponentialLR(o, 0.5), S.PolynomialLR(o, 10, 2.0)], [6]))
    yield schedule('LambdaLR', {'lambda': 'step => 1 / (1 + step)'}, lambda o: S.LambdaLR(o, lambda step: 1 / (1 + step)))
    yield schedule('MultiplicativeLR', {'lambda': 'step => 1 - 1 / (step + 2)'}, lambda o: S.MultiplicativeLR(o, lambda step: 1 - 1 / (step + 2)))
    yield schedule('SequentialLR', {'of': 'constant 5, exponential 10, cosine'}, lambda o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.1, 5), S.ExponentialLR(o, 0.9), S.CosineAnnealingLR(o, 10)], [5, 15]))
    yield schedule('SequentialLR', {'of': 'linear warm-up 4, step 6'}, lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, 1.0, 4), S.StepLR(o, 6, 0.5)], [4]))
    yield schedule('ChainedScheduler', {'of': 'constant 4, exponential'}, lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.9)]))


def plateau():
    rng = random.Random('plateau')
    metrics = [rng.randint(0, 12) / 4 for _ in range(40)]
    for options, given in (({}, {}), ({'patience': 2, 'factor': 0.5}, {'patience': 2, 'factor': 0.5}),
                           ({'mode': 'max', 'patience': 1, 'cooldown': 2, 'minLr': 0.01}, {'mode': 'max', 'patience': 1, 'cooldown': 2, 'min_lr': 0.01}),
                           ({'patience': 0, 'threshold': 0.5, 'thresholdMode': 'abs', 'factor': 0.75}, {'patience': 0, 'threshold': 0.5, 'threshold_mode': 'abs', 'factor': 0.75}),
                           ({'patience': 0, 'eps': 0.05}, {'patience': 0, 'eps': 0.05})):
        p = torch.nn.Parameter(torch.zeros(1))
        run = torch.optim.SGD([p], lr=0.5)
        scheduler = S.ReduceLROnPlateau(run, **given)
        rates = []
        for metric in metrics:
            scheduler.step(metric)
            rates.append(run.param_groups[0]['lr'])
        yield {'options': options, 'metrics': metrics, 'rates': rates}


print(json.dumps({'trajectories': list(trajectories()), 'lbfgs': list(lbfgs()), 'schedulers': list(schedulers()), 'plateau': list(plateau())}, indent=None, separators=(',', ':')).replace('},{"', '},\n{"'))
