import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { uploadMatrix } from '../../src/gpu/transfer'
import { exactEnergies } from '../oracle/statistics'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

const RELATIVE = 1e-6

function perturbed(m: Matrix, size: number): Matrix {
  const noise = gaussian(m.rows, m.cols, 99).data
  return { ...m, data: m.data.map((x, i) => x + size * noise[i]) }
}

async function measure(reference: Matrix, estimate: Matrix) {
  const upload = (m: Matrix, label: string) => uploadMatrix(t.gpu, t.arena, m, label)
  const sums = outputErrorSums(t.recorder, t.arena, upload(reference, 'y'), upload(estimate, 'ŷ'))
  t.recorder.submit()
  return readOutputErrors(t.gpu, sums)
}

test.each([
  [1, 1],
  [7, 33],
  [65, 100],
  [300, 257],
])('energies of a [%i, %i] estimate agree with float64 to 1e-6', async (rows, cols) => {
  const reference = gaussian(rows, cols, 1)
  const estimate = perturbed(reference, 0.05)
  const exact = exactEnergies(reference, estimate)
  const found = await measure(reference, estimate)
  for (const key of ['referenceEnergy', 'estimateEnergy', 'errorEnergy'] as const) {
    expect(Math.abs(found[key] / exact[key] - 1)).toBeLessThan(RELATIVE)
  }
  const sumAbs = reference.data.reduce((sum, y, i) => sum + Math.abs(y * estimate.data[i]), 0)
  expect(Math.abs(found.inner - exact.inner)).toBeLessThan(RELATIVE * sumAbs)
  // One rounding of the difference.
  expect(Math.abs(found.maxAbsolute / exact.maxAbsolute - 1)).toBeLessThan(2 ** -23)
})

const scaled = (m: Matrix, factor: number): Matrix => ({ ...m, data: m.data.map((x) => x * factor) })

// Squares leave f32 above 1.8e19, fall below its normal numbers under 1.1e-19; differences leave it from 1.7e38 on.
test.each([1e-30, 1e-19, 1e-13, 1e15, 1e19, 1e25, 1e37, 6e37])(
  'energies of values near %s agree with float64 to 1e-6, and so does their ratio',
  async (size) => {
    const reference = scaled(gaussian(65, 100, 1), size)
    for (const estimate of [
      perturbed(reference, 0.05 * size),
      perturbed(reference, 1e-6 * size),
      scaled(reference, -1),
    ]) {
      const exact = exactEnergies(reference, estimate)
      const found = await measure(reference, estimate)
      for (const key of ['referenceEnergy', 'estimateEnergy', 'errorEnergy'] as const) {
        expect(Math.abs(found[key] / exact[key] - 1)).toBeLessThan(RELATIVE)
      }
      const bound = Math.sqrt(exact.referenceEnergy) * Math.sqrt(exact.estimateEnergy)
      expect(Math.abs(found.inner - exact.inner)).toBeLessThan(RELATIVE * bound)
      expect(Math.abs(found.maxAbsolute / exact.maxAbsolute - 1)).toBeLessThan(2 ** -23)
      const [decibels, expected] = [found, exact].map((e) => 10 * Math.log10(e.referenceEnergy / e.errorEnergy))
      expect(Math.abs(decibels - expected)).toBeLessThan(1e-5)
    }
  },
)

test('each thread has its own scale: one huge row among small ones leaves both right', async () => {
  const small = gaussian(300, 257, 4)
  const reference = { ...small, data: small.data.map((x, i) => (i < 257 ? x * 1e37 : x * 1e-30)) }
  const estimate = { ...small, data: reference.data.map((x, i) => (i < 257 ? x : x * 1.25)) }
  const exact = exactEnergies(reference, estimate)
  const found = await measure(reference, estimate)
  expect(Math.abs(found.errorEnergy / exact.errorEnergy - 1)).toBeLessThan(RELATIVE)
  expect(Math.abs(found.referenceEnergy / exact.referenceEnergy - 1)).toBeLessThan(RELATIVE)
})

test('equal matrices have no error and the inner product of the reference', async () => {
  const y = gaussian(40, 50, 2)
  const found = await measure(y, y)
  expect(found.errorEnergy).toBe(0)
  expect(found.maxAbsolute).toBe(0)
  expect(found.inner).toBe(found.referenceEnergy)
})

test('a single wrong element is the whole error', async () => {
  const y = gaussian(129, 97, 3)
  const [reference, estimate] = [y.data.slice(), y.data.slice()]
  reference[reference.length - 1] = 3
  estimate[estimate.length - 1] = 67
  const found = await measure({ ...y, data: reference }, { ...y, data: estimate })
  expect(found.errorEnergy).toBe(64 ** 2)
  expect(found.maxAbsolute).toBe(64)
})

test('shapes that differ are refused with both shapes', async () => {
  await expect(measure(gaussian(2, 3, 1), gaussian(3, 2, 1))).rejects.toThrow(
    'expected equal shapes, found 2 x 3, 3 x 2',
  )
})
