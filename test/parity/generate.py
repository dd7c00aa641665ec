"""Writes the parity fixtures: calls, values, first and second derivatives as PyTorch computes them in float64.

    /usr/bin/python3 test/parity/generate.py --out test/parity/fixtures --seed 0

One JSON file per family, one case per line. --family NAME (repeatable) restricts the run; --values real gives the data
all their bits (the live suite does), where the committed fixtures use short dyadic numbers.
PyTorch is Debian's python3-torch, which runs under Debian's own Python only.
"""
import argparse
import importlib
import os
import sys
import warnings

sys.dont_write_bytecode = True
FAMILIES = ['conv', 'convTranspose', 'convPadding', 'elementwise', 'corners', 'activations', 'comparison', 'reductions', 'matmul', 'shape',
            'indexing', 'softmax', 'losses', 'normalisation', 'pooling', 'resample', 'attention', 'promotion',
            'optimisers', 'illegal']
# Megabytes: made by name only, never committed.
LIVE_ONLY = ['large']


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', required=True, help='directory for the JSON files')
    parser.add_argument('--seed', default='0', help='any text; the same seed gives the same files')
    parser.add_argument('--family', action='append', choices=FAMILIES + LIVE_ONLY, help='only this family (repeatable)')
    parser.add_argument('--values', choices=['dyadic', 'real'], default='dyadic')
    parser.add_argument('--notes', action='store_true', help='list the derivatives that PyTorch does not have')
    options = parser.parse_args()
    from families.record import Recorder
    warnings.simplefilter('ignore')
    os.makedirs(options.out, exist_ok=True)
    for family in options.family or FAMILIES:
        recorder = Recorder(family, options.seed, options.values)
        importlib.import_module('families.%s' % family).record(recorder)
        path = os.path.join(options.out, '%s.json' % family)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(recorder.json())
        print('%-14s %4d cases %8d bytes' % (family, len(recorder.cases), os.path.getsize(path)))
        if options.notes:
            for note in recorder.notes:
                print('  ' + note)


if __name__ == '__main__':
    main()
