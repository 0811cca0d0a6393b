import { expect, test } from 'vitest'
import { type DenseMatrix, multiply, randomOrthogonal, transpose } from '../../src/core/linear-algebra'
import { createRandom } from '../../src/core/random'
import { readFloats, uploadWords } from '../../src/gpu/transfer'
import { conditionNumber, type FactorParameters, factorMatrices } from '../../src/methods/flatquant/factor'
import { uploadInverseForm } from '../../src/methods/flatquant/inverse-form'
import { uploadSvdForm } from '../../src/methods/flatquant/svd-form'
import { relativeError } from '../support/flatquant'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

function start(size: number, form: FactorParameters['form']): FactorParameters {
  const random = createRandom(11)
  const [u, v] = [randomOrthogonal(size, random), randomOrthogonal(size, random)]
  if (form === 'inverse') return { form, p: u }
  return { form, u, sigma: Float32Array.from({ length: size }, () => 1 + 0.1 * random.normal()), v }
}

function upload(parameters: FactorParameters) {
  const { gpu, arena } = t
  return parameters.form === 'svd' ? uploadSvdForm(gpu, arena, parameters) : uploadInverseForm(gpu, arena, parameters.p)
}

const distance = (found: Float32Array, expected: DenseMatrix) => relativeError(found, expected.data)

test.each([
  ['svd', 16],
  ['svd', 128],
  ['inverse', 128],
] as const)('%s form of width %i: P and A follow the largest steps allowed', async (form, size) => {
  const { gpu, arena, recorder } = t
  const factor = upload(start(size, form))
  let values = await Promise.all(factor.learned.map(({ value, count }) => readFloats(gpu, value, count)))
  for (let step = 0; step < 3; step++) {
    // A first step of Adam moves every entry by the rate; all in one direction is the longest way for a matrix.
    values = values.map((value) => value.map((entry) => entry + factor.largestRate))
    for (const [index, { value, count }] of factor.learned.entries()) {
      recorder.copy(uploadWords(gpu, arena, Float32Array.from(values[index]), 'stepped'), value, 4 * count)
    }
    factor.follow(recorder, arena)
  }
  recorder.submit()
  const square = (data: Float32Array) => ({ rows: size, cols: size, data: Float64Array.from(data) })
  const [first, sigma, v] = values
  const expected = factorMatrices(
    form === 'svd' ? { form, u: square(first), sigma, v: square(v) } : { form, p: square(first) },
  )
  const [p, a] = await Promise.all([factor.p, factor.a].map((buffer) => readFloats(gpu, buffer, size * size)))
  // f32 sums of `size` terms through two inverses of norm 1 (svd), or an inverse of a condition number of a few.
  expect(distance(p, expected.p)).toBeLessThan(1e-5)
  expect(distance(a, expected.a)).toBeLessThan(1e-4)
})

test('the svd form starts at a rotation when sigma is 1, and its condition number is that of sigma', () => {
  const size = 12
  const parameters = start(size, 'svd')
  if (parameters.form !== 'svd') throw new Error('expected the svd form')
  const rotation = factorMatrices({ ...parameters, sigma: new Float32Array(size).fill(1) })
  const product = multiply(rotation.p, transpose(rotation.p))
  for (const [i, value] of product.data.entries()) expect(value).toBeCloseTo(Number(i % (size + 1) === 0), 12)
  const { p, a } = factorMatrices(parameters)
  const unit = multiply(transpose(a), p)
  for (const [i, value] of unit.data.entries()) expect(value).toBeCloseTo(Number(i % (size + 1) === 0), 12)
  expect(conditionNumber(rotation)).toBeCloseTo(1, 10)
  const { sigma } = parameters
  expect(conditionNumber(factorMatrices(parameters))).toBeCloseTo(Math.max(...sigma) / Math.min(...sigma), 2)
})
