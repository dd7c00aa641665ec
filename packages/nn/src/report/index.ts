// @adjoint/nn/report: what a run looks like, as SVG, PNG and one HTML file. For browsers and Node.
export { type CaptionedPicture, htmlReport, type ReportContent } from './html.ts';
export { type ImageGridOptions, imageGrid, type Picture } from './image-grid.ts';
export { type LossCurveOptions, type LossPoint, lossCurveSvg } from './loss-curve.ts';
