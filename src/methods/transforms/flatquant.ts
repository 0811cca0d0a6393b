import type { Transform } from '../method'

/**
 * A learned affine transform: X' = (X · d)(P1 ⊗ P2), W' = (W / d)(P1 ⊗ P2)⁻ᵀ with learned row clips, trained on this
 * layer's own output error (the paper trains on the decoder block's). P1 and P2 are learned as U diag(σ) Vᵀ with
 * Cayley rotations, the paper's default, or entry by entry. The rates are twice the paper's 5e-3 and, for clips, 5e-2.
 *
 * W' comes from inverses in float64 and is not clipped, so X' W'ᵀ = X Wᵀ up to f32 rounding. Throws InputError MD-01
 * for a width without usable factors, MD-13 for a factor that does not divide it; AbortError when cancelled.
 * Source: FlatQuant, arXiv 2410.09426; straight-through rule and θ = log d: docs/methods.md.
 */
export const flatquant: Transform = {
  id: 'flatquant',
  label: 'Learned affine transform',
  source: 'FlatQuant, arXiv 2410.09426',
  options: [
    {
      key: 'parametrisation',
      label: 'Form of the matrices',
      help:
        'svd: two rotations and a diagonal between them, as the paper learns them. ' +
        'inverse: all entries of the matrix, free to stretch more.',
      kind: 'choice',
      default: 'svd',
      choices: ['svd', 'inverse'],
    },
    {
      key: 'factor',
      label: 'Size of the left factor',
      help:
        'P1 is factor x factor, P2 channels / factor; the number must divide the channels. 0 takes the two divisors ' +
        'closest to each other, which cost least per token.',
      kind: 'number',
      default: 0,
      min: 0,
      max: 2048,
      integer: true,
    },
    {
      key: 'steps',
      label: 'Steps',
      help: 'Training steps over all calibration rows. 120 is enough for one layer; 480 gains a few percent at most. 0 keeps the start.',
      kind: 'number',
      default: 120,
      min: 0,
      max: 5000,
      integer: true,
    },
    {
      key: 'learningRate',
      label: 'Learning rate',
      help:
        'Of the two matrices at the first step, falling along a cosine; the channel scale learns at 4 times, the clips at ' +
        '10 times this rate. Wide matrices learn at 1 / width (svd) or 0.5 / width (inverse) where that is less. Twice the ' +
        'published rate, because few steps are taken. Lower it when the curve jumps.',
      kind: 'number',
      default: 1e-2,
      min: 1e-5,
      max: 0.1,
      integer: false,
    },
    {
      key: 'alpha',
      label: 'Start of the channel scale',
      help:
        'Exponent α of d = w^(1−α) / x^α, from channel maxima of weights and activations. 0 ignores the activations, ' +
        '1 the weights.',
      kind: 'number',
      default: 0.3,
      min: 0,
      max: 1,
      integer: false,
    },
  ],
  fit: async (...parameters) => (await import('../flatquant/fit')).fitFlatQuant(...parameters),
  memory: async (...parameters) => (await import('../flatquant/memory')).flatquantMemory(...parameters),
}
