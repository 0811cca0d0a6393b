import type { Transform } from '../method'

/**
 * Random rotation of the reduction axis, X' = X T, W' = W T: T = diag(signs) · H_n / √n, the same in blocks, or a random
 * orthogonal matrix. Nothing is learned. W' stays in f32 until it is quantized. Throws InputError MD-01 for widths
 * without a matrix, MD-08 for blocks that do not fill the channels.
 * Source: QuaRot, arXiv 2404.00456.
 */
export const quarot: Transform = {
  id: 'quarot',
  label: 'Random Hadamard rotation',
  source: 'QuaRot, arXiv 2404.00456',
  options: [
    {
      key: 'matrix',
      label: 'Matrix',
      help:
        'hadamard: entries ±1, a fast transform. orthogonal: drawn at random among all rotations, a full product per ' +
        'token, up to 2048 channels; above a few hundred it takes seconds to draw.',
      kind: 'choice',
      default: 'hadamard',
      choices: ['hadamard', 'orthogonal'],
    },
    {
      key: 'span',
      label: 'Channels mixed',
      help:
        'full: all of them. 32, 64, 128: blocks of so many. head: the channels of one attention head, as set for the ' +
        'output format, else 128 where that divides the channels, else 64.',
      kind: 'choice',
      default: 'full',
      choices: ['full', '32', '64', '128', 'head'],
    },
    {
      key: 'signs',
      label: 'Random signs',
      help:
        'Flips channels at random (from the seed) before the Hadamard matrix. Turn off to see why: a common offset of ' +
        'all channels then ends up in one rotated channel. An orthogonal matrix needs none.',
      kind: 'choice',
      default: 'on',
      choices: ['on', 'off'],
    },
  ],
  fit: async (...parameters) => (await import('../rotation/quarot')).fitQuarot(...parameters),
  dependsOn: async ({ options, headDim }, seed) => [options.span === 'head' ? headDim : null, seed],
  rotation: async (...parameters) => (await import('../rotation/quarot')).quarotRotation(...parameters),
  memory: async (...parameters) => (await import('../rotation/memory')).quarotMemory(...parameters),
}
