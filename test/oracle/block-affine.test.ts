import { expect, test } from 'vitest'
import { randomProblem } from '../support/block-affine'
import { recordedQuantizer, relativeError } from '../support/flatquant'
import { type BlockAffineParameters, blockAffineOracle, frozenRounding, objective } from './block-affine'
import type { OracleRules } from './flatquant'

const preScaled = { ...recordedQuantizer, preScale: { factor: 0.75, variant: 'exact' } } as const
const STEP = 1e-6

test.each([
  ['saturation', recordedQuantizer, { weight: 'saturation', activation: 'saturation' }],
  ['scale', preScaled, { weight: 'scale', activation: 'scale' }],
] as const)("gradients equal central differences where rounding acts as rule '%s' says", (_, quantizer, rules) => {
  const sizes = { channels: 64, size: 32, activationWidth: 32, weightWidth: 32 }
  const { problem, parameters } = randomProblem(sizes, { weight: quantizer, activation: quantizer })
  const { gradients } = blockAffineOracle(problem, parameters, rules satisfies OracleRules)
  const round = frozenRounding(problem, parameters, rules, 32)
  const difference = (change: (step: number) => BlockAffineParameters) =>
    (objective(problem, change(STEP), round) - objective(problem, change(-STEP), round)) / (2 * STEP)
  const moved = (values: Float64Array, at: number, step: number) =>
    values.map((value, i) => value + Number(i === at) * step)

  const entries = Array.from({ length: 60 }, (_, i) => 34 * i)
  const ofBlocks = entries.map((at) =>
    difference((step) => ({
      ...parameters,
      blocks: parameters.blocks.map((block, index) => ({ ...block, data: moved(block.data, at - 1024 * index, step) })),
    })),
  )
  expect(
    relativeError(
      ofBlocks,
      entries.map((at) => gradients.blocks[at]),
    ),
  ).toBeLessThan(1e-6)
  for (const name of ['activationClip', 'weightClip'] as const) {
    const clip = parameters[name]
    const expected = gradients[name]
    if (!clip || !expected) throw new Error('expected clips on both sides')
    const found = Array.from(clip.logits, (__, at) =>
      difference((step) => ({ ...parameters, [name]: { ...clip, logits: moved(clip.logits, at, step) } })),
    )
    expect(relativeError(found, expected), name).toBeLessThan(1e-6)
  }
})
