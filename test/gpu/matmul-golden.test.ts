import { expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { uploadMatrix } from '../../src/gpu/transfer'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'
import { readChecked } from '../support/matrices'

const t = gpuFixture()
const golden = goldenTensors('matmul/products.safetensors')

const ROWS = 5
const COLS = 12
const DEPTH = 96

const quantizer = (id: string, preScale: number | null = null): Quantizer =>
  makeQuantizer(parseFormat(id), {
    ...STANDARD_MX,
    preScale: preScale === null ? null : { factor: preScale, variant: 'exact' },
  })

const PAIRS: [string, Quantizer | null, Quantizer][] = [
  ['fp4_e2m1xfp4_e2m1', quantizer('mxfp4'), quantizer('mxfp4')],
  ['fp8_e4m3xfp4_e2m1', quantizer('mxfp8_e4m3'), quantizer('mxfp4')],
  ['fp8_e4m3xfp8_e4m3', quantizer('mxfp8_e4m3'), quantizer('mxfp8_e4m3')],
  ['fp8_e5m2xfp8_e5m2', quantizer('mxfp8_e5m2'), quantizer('mxfp8_e5m2')],
  ['fp6_e2m3xfp6_e2m3', quantizer('mxfp6_e2m3'), quantizer('mxfp6_e2m3')],
  ['int8xint8', quantizer('mxint8'), quantizer('mxint8')],
  ['f32xfp4_e2m1', null, quantizer('mxfp4')],
  ['mxfp4_34xmxfp4_34', quantizer('mxfp4', 0.75), quantizer('mxfp4', 0.75)],
]

test.each(PAIRS)('%s: the product of rounded operands is the recorded one', async (pair, left, right) => {
  const operand = (name: string, rows: number, round: Quantizer | null): GpuMatrix => {
    const data = Float32Array.from(golden(name))
    const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols: DEPTH, data }, name)
    return round ? fakeQuantize(t.recorder, t.arena, matrix, round) : matrix
  }
  const y = matmulNt(t.recorder, t.arena, operand('a', ROWS, left), operand('b', COLS, right))
  t.recorder.submit()
  const found = await readChecked(t.gpu, y)
  const [exact, magnitudes] = [golden(`${pair}.y`), golden(`${pair}.absdot`)]
  expect(found.length).toBe(exact.length)
  const worst = Math.max(...found.map((x, i) => Math.abs(x - exact[i]) / (DEPTH * 2 ** -23 * magnitudes[i])))
  expect(worst).toBeLessThanOrEqual(1)
})
