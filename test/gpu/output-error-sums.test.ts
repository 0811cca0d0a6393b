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
