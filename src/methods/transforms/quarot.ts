import type { Transform } from '../method'

/**
 * Randomized Hadamard rotation of the reduction axis: T = diag(signs) · H_n / √n, X' = X T, W' = W T. Nothing is
 * learned. W' stays in f32 until it is quantized. Throws InputError MD-01 for widths without a matrix.
 * Source: QuaRot, arXiv 2404.00456.
 */
export const quarot: Transform = {
  id: 'quarot',
  label: 'Random Hadamard rotation',
  source: 'QuaRot, arXiv 2404.00456',
  options: [
    {
      key: 'signs',
      label: 'Random signs',
      help:
        'Flips channels at random (from the seed) before the Hadamard matrix. Turn off to see why: a common offset of ' +
        'all channels then ends up in one rotated channel.',
      kind: 'choice',
      default: 'on',
      choices: ['on', 'off'],
    },
  ],
  fit: async (...parameters) => (await import('../rotation/fit')).fitHadamard(...parameters),
}
