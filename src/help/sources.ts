/** Sources that several entries name. */
export const PAPER = 'arXiv 2601.09555'
export const OCP = 'OCP Microscaling Formats (MX) v1.0'
export const METHODS_PAGE = 'docs/methods.md'
export const METRICS_PAGE = 'docs/metrics.md'
export const FIGURES_PAGE = 'docs/figures.md'
export const FORMATS_PAGE = 'docs/formats.md'
export const ACTIVATIONS_PAGE = 'docs/activations.md'
