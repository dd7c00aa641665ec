"""PyTorch's snake_case options from Adjoint's camelCase ones."""
import re


def snake(options):
    renamed = {'axes': 'dim', 'axis': 'dim'}
    return {renamed.get(key, re.sub('([A-Z])', lambda m: '_' + m[1].lower(), key)): value for key, value in options.items()}


def torch_call(function):
    """function, taking camelCase options and axis/axes for dim."""
    return lambda *args, **options: function(*args, **snake(options))
