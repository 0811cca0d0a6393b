import type { Transform } from '../method'

/**
 * SmoothQuant's scale per channel, then a Hadamard rotation: where training an affine transform starts, without the
 * training. Scaling first keeps outlier channels from being spread over all others. Throws InputError MD-01 or MD-08 for
 * widths the rotation cannot have. Source: ours; scale as SmoothQuant, rotation as QuaRot or MR-GPTQ.
 */
export const scaledHadamard: Transform = {
  id: 'scaled-hadamard',
  label: 'Channel scale, then Hadamard',
  source: 'ours, untrained',
  options: [
    {
      key: 'alpha',
      label: 'Migration strength α',
      help:
        'How much of the outliers goes to the weights before the rotation: 0 none of it, 1 all. FlatQuant starts its ' +
        'training from 0.3.',
      kind: 'number',
      default: 0.3,
      min: 0,
      max: 1,
      integer: false,
    },
    {
      key: 'rotation',
      label: 'Rotation',
      help:
        'full: all channels with random signs, as QuaRot. block: inside blocks that share a scale, as MR-GPTQ, with ' +
        'fewer operations per token.',
      kind: 'choice',
      default: 'full',
      choices: ['full', 'block'],
    },
  ],
  fit: async (...parameters) => (await import('../rotation/scaled')).fitScaledRotation(...parameters),
  dependsOn: async ({ config, options }, seed) => [
    options.rotation === 'block' ? (await import('../rotation/block')).hadamardSize(config, 'scale-block') : seed,
  ],
  memory: async (...parameters) => (await import('../rotation/memory')).scaledHadamardMemory(...parameters),
}
