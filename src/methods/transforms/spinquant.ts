import type { Transform } from '../method'

/**
 * A learned rotation: X' = X R, W' = W R with an orthogonal R that starts as QuaRot's and takes Cayley steps on this
 * layer's own output error (the paper trains one R1 for the whole network by cross-entropy). Dense, or R_a ⊗ R_b for
 * wide layers. The best R seen is kept, so the calibration error never exceeds that of the start.
 *
 * Throws InputError MD-01 for a width without usable factors, MD-12 where a dense R does not fit a buffer; AbortError
 * when cancelled. Source: SpinQuant, arXiv 2405.16406; deviations in docs/methods.md.
 */
export const spinquant: Transform = {
  id: 'spinquant',
  label: 'Learned rotation',
  source: 'SpinQuant, arXiv 2405.16406',
  options: [
    {
      key: 'start',
      label: 'Start',
      help:
        'hadamard: the random Hadamard rotation of QuaRot with the same seed. identity: no rotation; with block formats ' +
        'it can end lower where outliers stay in few channels.',
      kind: 'choice',
      default: 'hadamard',
      choices: ['hadamard', 'identity'],
    },
    {
      key: 'form',
      label: 'Form of the rotation',
      help:
        'dense: all of R, n x n. kronecker: two small rotations R_a ⊗ R_b, much cheaper to learn and to apply. ' +
        'auto: dense up to 2048 channels, kronecker above.',
      kind: 'choice',
      default: 'auto',
      choices: ['auto', 'dense', 'kronecker'],
    },
    {
      key: 'objective',
      label: 'Learned with',
      help:
        'both: weights and activations quantized. activations: weights left as they are while R is learned, as published ' +
        'where GPTQ quantizes them afterwards; without quantized activations it is the same as both.',
      kind: 'choice',
      default: 'both',
      choices: ['both', 'activations'],
    },
    {
      key: 'steps',
      label: 'Steps',
      help: 'Cayley steps over all calibration rows. 60 is enough for one layer; 200 changes it by 2 % or less. 0 keeps the start.',
      kind: 'number',
      default: 60,
      min: 0,
      max: 5000,
      integer: true,
    },
    {
      key: 'learningRate',
      label: 'Learning rate',
      help:
        'Largest step length at the start, falling along a cosine to 0. It is a cap: early steps are shorter, set by the ' +
        'size of the gradient.',
      kind: 'number',
      default: 1.5,
      min: 1e-3,
      max: 10,
      integer: false,
    },
  ],
  fit: async (...parameters) => (await import('../spinquant/fit')).fitSpinQuant(...parameters),
  memory: async (...parameters) => (await import('../spinquant/memory')).spinquantMemory(...parameters),
}
