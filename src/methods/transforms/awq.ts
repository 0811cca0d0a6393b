import type { Transform } from '../method'

/**
 * A scale per channel like SmoothQuant's, its strength r found by search: s = mean|x|^r, and the r with the smallest
 * output error of the rounded weight is kept. Then weights are clipped block by block where that helps; the clip is no
 * part of the change of basis. Dead channels keep s = 1 and are left out of the common factor.
 * Source: AWQ, arXiv 2306.00978; mit-han-lab/llm-awq. Duo scaling: vllm-project/llm-compressor; quantized activations in
 * the loss: ModelTC/LightCompress.
 */
export const awq: Transform = {
  id: 'awq',
  label: 'Activation-aware scale',
  source: 'AWQ, arXiv 2306.00978',
  options: [
    {
      key: 'points',
      label: 'Grid points',
      help: 'How many strengths r the search tries, from 0 (no scale) to just below 1. The published code tries 20.',
      kind: 'number',
      default: 20,
      min: 5,
      max: 100,
      integer: true,
    },
    {
      key: 'variant',
      label: 'Search',
      help:
        'plain: as published. duo: the scale follows the weights too. activation-aware: rounded activations count in ' +
        'the error; takes longer.',
      kind: 'choice',
      default: 'plain',
      choices: ['plain', 'duo', 'activation-aware'],
    },
    {
      key: 'clip',
      label: 'Clip search',
      help:
        'Cuts the largest weights of a block where its output error falls. The published code leaves q and k ' +
        'projections unclipped: turn off for those.',
      kind: 'choice',
      default: 'on',
      choices: ['on', 'off'],
    },
  ],
  fit: async (...parameters) => (await import('../channel-scaling/awq')).fitAwq(...parameters),
  dependsOn: async ({ config: { weight, activation }, options }) => [
    weight,
    options.variant === 'activation-aware' ? activation : null,
  ],
  memory: async (...parameters) => (await import('../channel-scaling/memory')).awqMemory(...parameters),
}
