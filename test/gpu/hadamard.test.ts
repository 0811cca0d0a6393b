import { describe, expect, test } from 'vitest'
import { type HadamardPlan, planHadamard } from '../../src/core/hadamard'
import { createRandom, randomSigns } from '../../src/core/random'
import { hadamard } from '../../src/gpu/kernels/hadamard'
import { readFloats, readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { hadamardRows } from '../oracle/orthogonal'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const golden = goldenTensors('transform/transforms.safetensors')

const gaussian = (length: number, seed: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length }, () => random.normal())
}

async function transform(data: Float32Array, plan: HadamardPlan, signs: Int8Array | null): Promise<Float32Array> {
  const matrix = { rows: data.length / plan.n, cols: plan.n, data }
  const out = hadamard(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, matrix, 'x'), { ...plan, signs })
  t.recorder.submit()
  return (await readMatrix(t.gpu, out)).data
}

/**
 * Largest error over largest output. Each of the p butterfly stages rounds once (2^-25 of its value on average, growing
 * as √p), the outer sum K times over partial sums of half the final size (√(K/2)), input and factor once each; the
 * largest of some thousand errors stands four standard deviations out, about as far as the largest output.
 */
const expectedError = (plan: HadamardPlan) => 2 ** -24 * (Math.sqrt(plan.log2 + 3) + Math.sqrt(plan.order / 2))

function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(found[i] - expected[i]))
    largest = Math.max(largest, Math.abs(expected[i]))
  }
  expect(found.length).toBe(expected.length)
  return error / largest
}

describe('against recorded transforms', () => {
  test.each([32, 64, 96, 320, 768, 896, 1152, 11008])('n = %i, without and with signs', async (n) => {
    const plan = planHadamard(n)
    const x = Float32Array.from(golden(`had${n}.x`))
    const signs = Int8Array.from(golden(`had${n}.signs`))
    const bound = expectedError(plan)
    const plain = relativeError(await transform(x, plan, null), golden(`had${n}.y`))
    const signed = relativeError(await transform(x, plan, signs), golden(`had${n}.y_signed`))
    expect(plain).toBeLessThan(bound)
    expect(signed).toBeLessThan(bound)
  })
})

describe('against the sums themselves', () => {
  test.each([
    [1, 'sylvester'],
    [2, 'sylvester'],
    [8, 'sylvester'],
    [128, 'sylvester'],
    [256, 'sylvester'],
    [4096, 'sylvester'],
    [20, 'paley1'],
    [24, 'paley1'],
    [100, 'williamson'],
    [1536, 'paley1'],
    [7, 'mixed'],
    [50, 'mixed'],
    [214, 'mixed'],
    [856, 'mixed'],
  ])('n = %i is a %s rotation', async (n, kind) => {
    const plan = planHadamard(n, 3)
    expect(plan.kind).toBe(kind)
    const rows = n > 1000 ? 1 : 5
    const x = gaussian(rows * n, n)
    const signs = randomSigns(n, 11)
    const k = plan.order
    let outer = Float64Array.from(plan.base ?? [1], (entry) => entry / Math.sqrt(k))
    if (plan.kind === 'mixed')
      outer = Float64Array.from({ length: k * k }, (_, i) => plan.rotation[(i % k) * k + Math.floor(i / k)])
    const expected = hadamardRows(x, { rows, order: k, run: 2 ** plan.log2, outer, signs })
    expect(relativeError(await transform(x, plan, signs), expected)).toBeLessThan(expectedError(plan))
  })

  test('three passes: 2^13 channels give back an impulse spread evenly, signs applied', async () => {
    const n = 8192
    const x = new Float32Array(n)
    x[4097] = 3
    const signs = randomSigns(n, 5)
    const found = await transform(x, planHadamard(n), signs)
    const size = Math.fround(3 * Math.fround(1 / Math.sqrt(n)))
    const wrong = found.findIndex((value, j) => {
      const flips = Number((j & 1) !== 0) + Number((j & 4096) !== 0)
      return value !== size * signs[4097] * (flips % 2 === 0 ? 1 : -1)
    })
    expect(wrong).toBe(-1)
  })
})

test.each([20, 50, 24, 100])('the padding behind %i columns comes out as zeros', async (n) => {
  const x = uploadMatrix(t.gpu, t.arena, { rows: 3, cols: n, data: gaussian(3 * n, 1) }, 'x')
  const out = hadamard(t.recorder, t.arena, x, { ...planHadamard(n), signs: randomSigns(n, 0) })
  t.recorder.submit()
  const words = await readFloats(t.gpu, out.buffer, out.rows * out.stride)
  const padding = words.filter((_, i) => i % out.stride >= n)
  expect(padding.every((value) => value === 0)).toBe(true)
})

test('without signs, powers of two undo themselves', async () => {
  const x = gaussian(3 * 512, 9)
  const plan = planHadamard(512)
  const twice = await transform(await transform(x, plan, null), plan, null)
  expect(relativeError(twice, x)).toBeLessThan(2 * expectedError(plan))
})

test('a plan for another width is refused', () => {
  const x = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: 32, data: new Float32Array(32) }, 'x')
  const plan = { ...planHadamard(64), signs: null }
  expect(() => hadamard(t.recorder, t.arena, x, plan)).toThrow('expected 64 columns')
})
