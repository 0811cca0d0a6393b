import type { Transform } from '../method'

/**
 * A learned matrix for every block of channels: X' = X P, W' = W P⁻ᵀ with P block-diagonal, with learned clips of the
 * blocks of both, trained on this layer's own output error. P starts as a channel scale and a Hadamard rotation.
 *
 * W' comes from inverses in float64 and is not clipped, so X' W'ᵀ = X Wᵀ up to f32 rounding. Throws InputError MD-08 for a
 * width that is no multiple of the block size; AbortError when cancelled.
 * Source: the idea of BATQuant, arXiv 2603.16590, of which we know the abstract only: docs/methods.md.
 */
export const blockAffine: Transform = {
  id: 'block-affine',
  label: 'Learned block affine transform',
  source:
    'The idea of BATQuant, arXiv 2603.16590, of which only the abstract was read; start, rates and sizes are ours',
  options: [
    {
      key: 'size',
      label: 'Block size',
      help:
        'Channels that are mixed. scale-block: those that share a scale in the weight, 32 where none do. Larger blocks ' +
        'have more to learn from the same rows.',
      kind: 'choice',
      default: 'scale-block',
      choices: ['scale-block', '16', '32', '64', '128'],
    },
    {
      key: 'steps',
      label: 'Steps',
      help: 'Training steps over all calibration rows. 0 keeps the start.',
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
        'Of the matrices at the first step, falling along a cosine; the clips learn at twice this rate. Blocks learn ' +
        'at 0.16 / √size where that is less. Lower it when the curve jumps.',
      kind: 'number',
      default: 2.5e-2,
      min: 1e-5,
      max: 0.1,
      integer: false,
    },
    {
      key: 'alpha',
      label: 'Channel scale',
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
  fit: async (...parameters) => (await import('../block-affine/fit')).fitBlockAffine(...parameters),
  memory: async (...parameters) => (await import('../block-affine/memory')).blockAffineMemory(...parameters),
}
