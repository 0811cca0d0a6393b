import { expect, test } from 'vitest'
import { checkProduct } from '../../src/experiment/export-product'
import { outputErrors } from '../../src/experiment/metrics'
import { mxfp4 } from '../../src/formats/mxfp4'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { quantize } from '../../src/gpu/kernels/quantize'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()
const quantizer = makeQuantizer({ format: mxfp4, options: {} }, STANDARD_MX)
const NAME = 'layer.weight'

test('codes give the output SQNR of their weight, and those of another weight are refused with both numbers', async () => {
  const w = gaussian(48, 96, 1)
  const [weight, x] = [uploadMatrix(t.gpu, t.arena, w, 'w'), uploadMatrix(t.gpu, t.arena, gaussian(20, 96, 2), 'x')]
  const reference = matmulNt(t.recorder, t.arena, x, weight)
  const rounded = fakeQuantize(t.recorder, t.arena, x, quantizer)
  const product = matmulNt(t.recorder, t.arena, rounded, fakeQuantize(t.recorder, t.arena, weight, quantizer))
  const sums = outputErrorSums(t.recorder, t.arena, reference, product)
  const packed = quantize(t.recorder, t.arena, weight, quantizer)
  // One row of 48 with the other sign.
  const changed = { ...w, data: w.data.map((value, i) => (Math.floor(i / 96) === 10 ? -value : value)) }
  const others = quantize(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, changed, 'w'), quantizer)
  t.recorder.submit()
  const errors = outputErrors(await readOutputErrors(t.gpu, sums), 20)
  const rows = { reference, transformed: x, rounded, errors }
  const sentence = await checkProduct(NAME, { packed, correction: null }, rows, t)
  expect(sentence).toContain(`give an output SQNR of ${errors.outputSqnrDb.toFixed(2)} dB, as the weight does.`)
  const wrong = checkProduct(NAME, { packed: others, correction: null }, rows, t)
  await expect(wrong).rejects.toMatchObject({ code: 'EX-04' })
  await expect(wrong).rejects.toThrow(
    `"layer.weight": expected codes with an output SQNR of ${errors.outputSqnrDb.toFixed(2)} dB`,
  )
})
