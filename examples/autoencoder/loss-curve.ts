// What a training run looks like: the loss over its steps as an SVG.

export { type LossPoint, lossCurveSvg } from '@adjoint/nn/report';
