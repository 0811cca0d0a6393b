import { expect, test } from 'vitest'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer } from '../../src/formats/quantizer'
import { formatById } from '../../src/formats/registry'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { operandErrorSums, readOperandErrors } from '../../src/gpu/kernels/operand-error-sums'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { ORACLE_FORMATS, oracleScaleByte } from '../oracle/mx'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

async function measure(data: Float32Array, rows: number, cols: number, quantizer: Quantizer) {
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'input')
  const rounded = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  const sums = operandErrorSums(t.recorder, t.arena, matrix, rounded, quantizer)
  t.recorder.submit()
  return { totals: await readOperandErrors(t.gpu, sums), rounded: (await readMatrix(t.gpu, rounded)).data, sums }
}

/** The definitions, element by element in float64. */
function expected(data: Float32Array, rounded: Float32Array, cols: number, { format, scaleRule, preScale }: Quantizer) {
  const largest = Math.max(...ORACLE_FORMATS[format.id].magnitudes.filter(Number.isFinite))
  const totals = { signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: data.length }
  for (let i = 0; i < data.length; i++) {
    const row = i - (i % cols)
    const start = row + Math.floor((i % cols) / format.blockSize) * format.blockSize
    const block = data.subarray(start, Math.min(start + format.blockSize, row + cols))
    const scale = 2 ** (oracleScaleByte(format.id, scaleRule, Math.max(...block.map(Math.abs))) - 127)
    totals.signalEnergy += data[i] ** 2
    totals.noiseEnergy += (rounded[i] - data[i]) ** 2
    if ((Math.abs(data[i]) / scale) * (preScale ?? 1) > largest) totals.clipped += 1
    if (data[i] !== 0 && rounded[i] === 0) totals.flushed += 1
  }
  return totals
}

const cases = [
  { id: 'mxfp4', scaleRule: 'floor', preScale: null },
  { id: 'mxfp4', scaleRule: 'floor', preScale: 0.75 },
  { id: 'mxfp4', scaleRule: 'even', preScale: null },
  { id: 'mxfp8_e4m3', scaleRule: 'floor', preScale: null },
] as const

test.each(cases)('energies and counts are those of the definition: $id $scaleRule $preScale', async (choice) => {
  const [rows, cols] = [70, 301]
  const quantizer = makeQuantizer(formatById(choice.id), { ...choice, rounding: 'half-even' })
  const data = Float32Array.from({ length: rows * cols }, (_, i) =>
    i % 11 ? Math.sin(i * i) * 2 ** (4 * Math.sin(i)) : 0,
  )
  data[1234] = 2 ** -140 // a subnormal is flushed, not zero
  const { totals, rounded } = await measure(data, rows, cols, quantizer)
  const exact = expected(data, rounded, cols, quantizer)
  expect({ ...totals, signalEnergy: 0, noiseEnergy: 0 }).toEqual({ ...exact, signalEnergy: 0, noiseEnergy: 0 })
  expect(exact.flushed).toBeGreaterThan(0)
  // Each square is rounded twice at most, then passes 8 additions of its vec4 lane, 4 across lanes and 1 per block.
  const additions = 2 + 8 + 4 + 1
  const bound = additions * 2 ** -23
  expect(Math.abs(totals.signalEnergy / exact.signalEnergy - 1)).toBeLessThan(bound)
  expect(Math.abs(totals.noiseEnergy / exact.noiseEnergy - 1)).toBeLessThan(bound)
})

test('a matrix with more blocks than partial sums is summed whole', async () => {
  const [rows, cols] = [300, 1024]
  const quantizer = makeQuantizer(formatById('mxfp4'), { scaleRule: 'floor', rounding: 'half-even', preScale: null })
  // 7 is clipped to 6, an error of 1; 1/8 is flushed; 6 is the largest element and so not clipped.
  const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % 4 === 0 ? 7 : i % 4 === 1 ? 0.125 : 6))
  const { totals, sums } = await measure(data, rows, cols, quantizer)
  const quarter = (rows * cols) / 4
  expect(sums.partialCount).toBeLessThan((rows * cols) / 32)
  expect(totals).toEqual({
    signalEnergy: quarter * (49 + 1 / 64 + 2 * 36),
    noiseEnergy: quarter * (1 + 1 / 64),
    clipped: quarter,
    flushed: quarter,
    count: rows * cols,
  })
})
