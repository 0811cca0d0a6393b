import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { mxfp8E4m3 } from '../../src/formats/mxfp8-e4m3'
import type { Quantizer } from '../../src/formats/number-format'
import { Arena } from '../../src/gpu/arena'
import { straightThroughRule } from '../../src/gpu/kernels/straight-through'
import { readFloats, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { type Blocks, inverseTransposed } from '../../src/methods/block-affine/blocks'
import { backwardPass, forwardPass } from '../../src/methods/block-affine/gradients'
import { followBlocks, largestRate, uploadState } from '../../src/methods/block-affine/learner'
import type { BlockAffineParameters as Uploaded } from '../../src/methods/block-affine/start'
import { type BlockAffineParameters, blockAffineOracle, type OracleClip } from '../oracle/block-affine'
import type { OracleProblem, Table } from '../oracle/flatquant'
import { randomProblem, type Sizes } from '../support/block-affine'
import { quantizerCalled, recordedProblem, recordedQuantizer, relativeError } from '../support/flatquant'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/**
 * f32 sums of at most 24 · 32 terms that partly cancel: about 1e-4 of the terms' size at worst, with some room for
 * cancellation.
 */
const GRADIENT_TOLERANCE = 1e-3

const toMatrix = ({ rows, cols, data }: Table) => ({ rows, cols, data: Float32Array.from(data) })

function upload(problem: OracleProblem, parameters: BlockAffineParameters) {
  const { gpu, arena } = t
  const layer = {
    weight: uploadMatrix(gpu, arena, toMatrix(problem.w), 'w'),
    calibration: uploadMatrix(gpu, arena, toMatrix(problem.x), 'x'),
    reference: uploadMatrix(gpu, arena, toMatrix(problem.y), 'y'),
    config: { weight: problem.weight, activation: problem.activation },
  }
  const blocks: Blocks = {
    size: parameters.blocks[0].rows,
    data: Float64Array.from(parameters.blocks.flatMap(({ data }) => [...data])),
  }
  const clip = (given: OracleClip | null) => given && { width: given.width, logits: Float32Array.from(given.logits) }
  const start: Uploaded = {
    scale: parameters.scale,
    blocks,
    activationClip: clip(parameters.activationClip),
    weightClip: clip(parameters.weightClip),
  }
  return { layer, state: uploadState(gpu, arena, layer, start) }
}

/** Energy and gradients of ½‖E‖² on the GPU. */
async function gpuGradients(problem: OracleProblem, parameters: BlockAffineParameters) {
  const { gpu, arena, recorder } = t
  const { layer, state } = upload(problem, parameters)
  const forward = forwardPass(recorder, arena, layer, state)
  const found = backwardPass(recorder, arena, forward, state)
  recorder.submit()
  const read = async (buffer: GPUBuffer | null, count: number | undefined) =>
    buffer && readFloats(gpu, buffer, count ?? 0)
  return {
    energy: (await readFloats(gpu, forward.energySums, 64)).reduce((total, value) => total + value, 0),
    blocks: await readFloats(gpu, found.blocks, problem.x.cols * parameters.blocks[0].rows),
    activationClip: await read(found.activationClip, parameters.activationClip?.logits.length),
    weightClip: await read(found.weightClip, parameters.weightClip?.logits.length),
  }
}

test('loss and gradient of W4A4 without clips equal the recorded ones', async () => {
  const golden = goldenTensors('transform/gradcheck.safetensors')
  const { problem } = recordedProblem()
  const p = golden('block.P')
  const parameters: BlockAffineParameters = {
    scale: new Float64Array(96).fill(1),
    blocks: [0, 1, 2].map((block) => ({ rows: 32, cols: 32, data: p.slice(1024 * block, 1024 * (block + 1)) })),
    activationClip: null,
    weightClip: null,
  }
  const { energy, blocks, activationClip, weightClip } = await gpuGradients(problem, parameters)
  const referenceEnergy = problem.y.data.reduce((sum, value) => sum + value * value, 0)
  expect(energy / referenceEnergy / golden('block.loss')[0]).toBeCloseTo(1, 5)
  const found = blocks.map((value) => (2 * value) / referenceEnergy)
  expect(relativeError(found, golden('block.grad_sat'))).toBeLessThan(GRADIENT_TOLERANCE)
  expect([activationClip, weightClip]).toEqual([null, null])
})

const fp4 = recordedQuantizer
const fp8: Quantizer = { ...fp4, format: mxfp8E4m3 }
const preScaled: Quantizer = { ...fp4, preScale: { factor: 0.75, variant: 'exact' } }
const nvfp4 = quantizerCalled('NVFP4')
const int4 = quantizerCalled('INT4')
const THIRTY_TWO: Sizes = { channels: 96, size: 32, activationWidth: 32, weightWidth: 32 }

test.each<[string, Sizes, Pick<OracleProblem, 'weight' | 'activation'>]>([
  ['MXFP4', THIRTY_TWO, { weight: fp4, activation: fp4 }],
  ['W4A8', THIRTY_TWO, { weight: fp4, activation: fp8 }],
  ['W4A16', THIRTY_TWO, { weight: fp4, activation: null }],
  ['W16A4', THIRTY_TWO, { weight: null, activation: fp4 }],
  ['MXFP4 pre-scaled', THIRTY_TWO, { weight: preScaled, activation: preScaled }],
  ['NVFP4', { ...THIRTY_TWO, activationWidth: 16, weightWidth: 16 }, { weight: nvfp4, activation: nvfp4 }],
  ['INT4 per row', { ...THIRTY_TWO, activationWidth: 96, weightWidth: 96 }, { weight: int4, activation: int4 }],
  ['MXFP4 with blocks of 64', { ...THIRTY_TWO, channels: 128, size: 64 }, { weight: fp4, activation: fp4 }],
  [
    'NVFP4 in 48 channels, which end inside a stride',
    { channels: 48, size: 16, activationWidth: 16, weightWidth: 16 },
    { weight: nvfp4, activation: nvfp4 },
  ],
])('loss and gradients of %s equal the float64 oracle', async (_, sizes, quantizers) => {
  const { problem, parameters } = randomProblem(sizes, quantizers)
  const rule = (quantizer: Quantizer | null) => (quantizer ? straightThroughRule(quantizer) : 'pass')
  const expected = blockAffineOracle(problem, parameters, {
    weight: rule(quantizers.weight),
    activation: rule(quantizers.activation),
  })
  const found = await gpuGradients(problem, parameters)
  expect(found.energy / expected.energy).toBeCloseTo(1, 4)
  for (const name of ['blocks', 'activationClip', 'weightClip'] as const) {
    const [values, exact] = [found[name], expected.gradients[name]]
    if (!values || !exact) expect([name, values]).toEqual([name, exact])
    else expect(relativeError(values, exact), name).toBeLessThan(GRADIENT_TOLERANCE)
  }
})

test.each([
  [96, 32],
  [48, 16],
  [256, 128],
])('inverses of %i channels in blocks of %i follow the largest steps allowed', async (channels, size) => {
  const { gpu, arena, recorder } = t
  const sizes = { channels, size, activationWidth: size, weightWidth: size }
  const { problem, parameters } = randomProblem(sizes, { weight: null, activation: null })
  // Each block a rotation, as at the start.
  const identity = parameters.blocks.map((block) => ({
    ...block,
    data: block.data.map((_, i) => Number(i % (size + 1) === 0)),
  }))
  const { state } = upload(problem, { ...parameters, blocks: identity })
  let values = await readFloats(gpu, state.blocks.value, channels * size)
  const random = createRandom(8)
  for (let step = 0; step < 3; step++) {
    // A first step of Adam moves every entry by the rate; directions agree more than at random, so here by half as much again.
    values = values.map((entry) => entry + (random.normal() > 0 ? 1.5 : -1.5) * largestRate(size))
    recorder.copy(uploadWords(gpu, arena, Float32Array.from(values), 'stepped'), state.blocks.value, 4 * values.length)
    const scratch = new Arena(gpu)
    followBlocks(recorder, scratch, state)
    recorder.submit()
    scratch.release()
  }
  const found = await readFloats(gpu, state.inverses.value, channels * size)
  const expected = inverseTransposed({ size, data: Float64Array.from(values) })
  // f32 sums of `size` terms, condition numbers of a few.
  expect(relativeError(found, expected.data)).toBeLessThan(1e-4)
  const padding = await readFloats(gpu, state.inverses.value, state.inverses.count)
  expect(padding.subarray(channels * size).every((value) => value === 0)).toBe(true)
})
