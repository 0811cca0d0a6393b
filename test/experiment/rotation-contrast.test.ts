import { expect, test } from 'vitest'
import { quantizersOf, settingOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import type { Transform } from '../../src/methods/method'
import { identity } from '../../src/methods/transforms/identity'
import { quarot } from '../../src/methods/transforms/quarot'
import { fitContext, fitInput, outputError } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

const SEEDS = [0, 1, 2]
/** Each error takes seconds on a software adapter that other work keeps busy. */
const TIMEOUT_MS = 180_000

/** Held-out error of QuaRot over that of RTN, mean over the seeds of the rotation; one format for both operands. */
async function meanRatio(name: string, format: string): Promise<number> {
  const tensors = readGolden(`layers/${name}.safetensors`)
  const [weight, evaluation] = ['layer.weight', 'eval.input'].map((key) => {
    const tensor = tensors.get(key)
    if (!tensor) throw new Error(`${name}: no ${key}`)
    return uploadMatrix(t.gpu, t.arena, { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }, key)
  })
  // Neither method learns from rows.
  const unused = { rows: 1, cols: weight.cols, data: new Float32Array(weight.cols) }
  const calibration = uploadMatrix(t.gpu, t.arena, unused, 'calibration')
  const setting = settingOf({ weightFormat: format, activationFormat: format, outputFormat: null })
  const config = quantizersOf(setting, STANDARD_MX)
  const errorOf = async (transform: Transform, seed: number) => {
    const input = fitInput(t.gpu, t.arena, { layer: { weight, calibration, evaluation }, config, transform })
    const fitted = await transform.fit(input, fitContext(t.gpu, t.arena, { seed }))
    return outputError(t.gpu, { fitted, rows: evaluation, weight, config })
  }
  let sum = 0
  for (const seed of SEEDS) sum += await errorOf(quarot, seed)
  return sum / SEEDS.length / (await errorOf(identity, 0))
}

// The rule for a verdict: above 1.02 the rotation hurts, below 0.98 it helps, between them it cannot be told.
test.each(['layer-b', 'layer-r'])(
  '%s: rotation hurts MXFP4 (W4A4)',
  async (layer) => {
    expect(await meanRatio(layer, 'mxfp4')).toBeGreaterThan(1.02)
  },
  TIMEOUT_MS,
)

test.each(['layer-b', 'layer-r'])(
  '%s: rotation helps INT4 (W4A4)',
  async (layer) => {
    expect(await meanRatio(layer, 'int4')).toBeLessThan(0.98)
  },
  TIMEOUT_MS,
)

test(
  'layer-a: on Gaussian data rotation changes MXFP4 by less than can be told',
  async () => {
    expect(Math.abs((await meanRatio('layer-a', 'mxfp4')) - 1)).toBeLessThan(0.02)
  },
  TIMEOUT_MS,
)
