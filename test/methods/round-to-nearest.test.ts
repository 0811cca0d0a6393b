import { expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import type { FittedTransform } from '../../src/methods/method'
import { roundToNearest } from '../../src/methods/mitigations/round-to-nearest'
import { identity } from '../../src/methods/transforms/identity'
import { oracleBlock } from '../oracle/mx'
import { gpuFixture } from '../support/gpu'
import { roundMatrix } from '../support/layer-codec'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const weight = gaussianMatrix(3, 40, 5)
const layer = { weight, calibration: gaussianMatrix(2, 40, 6) }

/** Row by row, blocks of 32 and a short one. */
function expectedRows(data: Float32Array): Float32Array {
  const expected = new Float32Array(data.length)
  for (let row = 0; row < 3; row++) {
    for (const [start, end] of [
      [0, 32],
      [32, 40],
    ]) {
      const block = data.subarray(row * 40 + start, row * 40 + end)
      expected.set(oracleBlock('mxfp4', block, 'floor', 'half-even', null), row * 40 + start)
    }
  }
  return expected
}

async function quantize(weightQuantizer: Quantizer | null, clip: FittedTransform['clip']) {
  const input = fitInput(t, identity, { ...layer, config: { weight: weightQuantizer, activation: null } })
  const context = fitContext(t, 0)
  const fitted = await identity.fit(input, context)
  const quantized = await roundToNearest.quantizeWeight({ ...fitted, clip }, input, context)
  return (await readMatrix(t.gpu, quantized.weight)).data
}

test('every weight becomes the nearest code of its block', async () => {
  expect(await quantize(quantizer, null)).toEqual(expectedRows(weight.data))
})

test.each(['nvfp4', 'int8', 'int4(group=32)', 'bf16'])('%s weights become what its definition says', async (format) => {
  const each = makeQuantizer(parseFormat(format), STANDARD_MX)
  expect(await quantize(each, null)).toEqual(roundMatrix(weight, each).data)
})

test('clips rows first where the transform asks for it', async () => {
  const bounds = uploadWords(t.gpu, t.arena, new Float32Array(6).fill(0.5), 'bounds')
  const clipped = weight.data.map((value, i) => {
    const row = weight.data.subarray(i - (i % 40), i - (i % 40) + 40)
    return Math.min(Math.max(value, 0.5 * Math.min(...row)), 0.5 * Math.max(...row))
  })
  expect(clipped).not.toEqual(weight.data)
  expect(
    await quantize(quantizer, { activation: null, weight: bounds, activationBlocks: null, weightBlocks: null }),
  ).toEqual(expectedRows(clipped))
})

test('leaves full precision alone, clip included', async () => {
  const bounds = uploadWords(t.gpu, t.arena, new Float32Array(6).fill(0.5), 'bounds')
  expect(
    await quantize(null, { activation: null, weight: bounds, activationBlocks: null, weightBlocks: null }),
  ).toEqual(weight.data)
})

test('a weight on the GPU that needs no rounding comes back as it is', async () => {
  const exact = { rows: 1, cols: 32, data: Float32Array.from({ length: 32 }, (_, i) => [0, 1, 2, 3, 4, 6][i % 6]) }
  const matrix = uploadMatrix(t.gpu, t.arena, exact, 'exact')
  const input = {
    ...fitInput(t, identity, { ...layer, config: { weight: quantizer, activation: null } }),
    weight: matrix,
  }
  const fitted = await identity.fit(input, fitContext(t, 0))
  const { weight: quantized } = await roundToNearest.quantizeWeight(fitted, input, fitContext(t, 0))
  expect((await readMatrix(t.gpu, quantized)).data).toEqual(exact.data)
})
