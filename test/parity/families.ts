// The names of the fixture files that hold values and derivatives; generate.py has the same list.

export const families = [
  'conv',
  'convTranspose',
  'convPadding',
  'elementwise',
  'corners',
  'activations',
  'comparison',
  'reductions',
  'matmul',
  'shape',
  'indexing',
  'softmax',
  'losses',
  'normalisation',
  'pooling',
  'resample',
  'attention',
  'promotion',
] as const;
