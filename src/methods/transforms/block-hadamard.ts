import type { Transform } from '../method'

/**
 * A Hadamard rotation inside every block of channels: T = I ⊗ H_g / √g with the plain Sylvester matrix, X' = X T,
 * W' = W T. Nothing is random and nothing learned. Throws InputError MD-08 for a width that is no multiple of g.
 * Source: MR-GPTQ, arXiv 2509.23202 (IST-DASLab/FP-Quant).
 */
export const blockHadamard: Transform = {
  id: 'block-hadamard',
  label: 'Block Hadamard rotation',
  source: 'MR-GPTQ, arXiv 2509.23202',
  options: [
    {
      key: 'size',
      label: 'Block size',
      help:
        'Channels that are mixed. scale-block: those that share a scale in the weight, 32 where none do. Published ' +
        'checkpoints use 32 and 128.',
      kind: 'choice',
      default: 'scale-block',
      choices: ['scale-block', '16', '32', '64', '128'],
    },
  ],
  fit: async (...parameters) => (await import('../rotation/block')).fitBlockHadamard(...parameters),
  dependsOn: async ({ config, options }) => [
    (await import('../rotation/block')).hadamardSize(config, String(options.size)),
  ],
  rotation: async (channels, { config, options }) =>
    (await import('../rotation/block')).blockRotation(channels, config, String(options.size)),
  memory: async (...parameters) => (await import('../rotation/memory')).blockHadamardMemory(...parameters),
}
