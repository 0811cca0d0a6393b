/** What an outlier study runs unless it is told otherwise: plain data for the page and the command line. */
import { STANDARD_MX } from '../formats/quantizer'
import type { OutlierStudyRequest } from './outlier-study'

/**
 * Eight of 768 channels, weight columns times k^−1/2: where rotation helps INT4 and hurts MXFP4. The shape is that of the
 * recorded sweeps (docs/activations.md), which had no pre-scale; here it is 3/4, as everywhere else. A point takes about
 * 0.3 s on a software adapter of two cores.
 */
export const DEFAULT_OUTLIER_STUDY: OutlierStudyRequest = {
  layer: {
    outDim: 256,
    inDim: 768,
    tokens: 256,
    outlierChannels: 8,
    correlation: 0.5,
    tailDegrees: null,
    clustered: false,
  },
  strengths: [1, 2, 4, 8, 16, 32, 64, 128],
  formats: ['mxfp4', 'nvfp4', 'int4'],
  methods: ['rtn', 'quarot', 'block-hadamard'].map((id) => ({ id, options: {} })),
  repeats: 1,
  seed: 0,
  ...STANDARD_MX,
  preScale: { factor: 0.75, variant: 'exact' },
}
