import type { Transform } from '../method'

/**
 * Divides every channel of the activations by s and multiplies the weights by it, s = max|x|^α / max|w|^(1−α): outliers
 * move from the activations, where they are hard to round, into the weights. s is used as defined, not brought to a
 * power of two. A channel that no calibration row uses keeps s = 1.
 * Source: SmoothQuant, arXiv 2211.10438; the floors of mit-han-lab/smoothquant.
 */
export const smoothquant: Transform = {
  id: 'smoothquant',
  label: 'Channel smoothing',
  source: 'SmoothQuant, arXiv 2211.10438',
  options: [
    {
      key: 'alpha',
      label: 'Migration strength α',
      help:
        'How much of the outliers goes to the weights: 0 none of it, 1 all. Published: 0.5 by default, 0.85 for ' +
        'Llama-2-7B and Llama-3-8B.',
      kind: 'number',
      default: 0.5,
      min: 0,
      max: 1,
      integer: false,
    },
  ],
  fit: async (...parameters) => (await import('../channel-scaling/smoothing')).fitSmoothing(...parameters),
  dependsOn: async () => [],
  memory: async (size) => (await import('../channel-scaling/memory')).smoothingMemory(size),
}
