import { expect, test } from 'vitest'
import { preDivide, preMultiply } from '../../src/gpu/kernels/pre-scale'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { comparableBits } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const factors = [0.5, 0.6, 2 / 3, 0.75, 0.999, 1 - 2 ** -53]

/** value · factor rounded once to f32, in units of 2^-240 that hold it exactly. */
function exactProduct(value: number, factor: number): number {
  if (!Number.isFinite(value)) return value
  const units = BigInt(Math.abs(value) * 2 ** 149) * BigInt(factor * 2 ** 60) * 2n ** 31n
  const near = Math.fround(Math.abs(value) * factor)
  const [bits] = new Uint32Array(Float32Array.of(near).buffer)
  const candidates = [Math.max(bits - 1, 0), bits, bits + 1]
  const distance = (word: number) => {
    const [candidate] = new Float32Array(Uint32Array.of(word).buffer)
    const away = units - BigInt(candidate * 2 ** 149) * 2n ** 91n
    return away < 0n ? -away : away
  }
  const best = candidates.reduce((chosen, word) => {
    const gain = distance(chosen) - distance(word)
    return gain > 0n || (gain === 0n && word % 2 === 0) ? word : chosen
  })
  return Math.sign(value) * new Float32Array(Uint32Array.of(best).buffer)[0]
}

/** Random f32 bits of every exponent, some with a short significand, whose products may be ties. */
function randomBits(count: number): Float32Array {
  let state = 7
  const words = Uint32Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return i % 4 === 0 ? (state & 0xfffff000) >>> 0 : state
  })
  return new Float32Array(words.buffer)
}

test.each(factors)('a product with %s is rounded once, subnormals included', async (factor) => {
  const data = Float32Array.of(...randomBits(8189), Infinity, -Infinity, Number.NaN)
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: data.length, data }, 'x')
  const product = preMultiply(t.recorder, t.arena, matrix, factor)
  t.recorder.submit()
  const expected = data.map((value) => exactProduct(value, factor))
  expect(comparableBits((await readMatrix(t.gpu, product)).data)).toEqual(comparableBits(expected))
})

test.each(factors)('E2M1 values over %s are rounded once, subnormals included', async (factor) => {
  const values = Array.from({ length: 253 }, (_, byte) =>
    [0.5, 1, 1.5, 2, 3, 4, 6, -0.5, -1.5, 0].map((value) => value * 2 ** (byte - 127)),
  ).flat()
  const data = Float32Array.of(...values, Infinity, -Infinity, Number.NaN)
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: data.length, data }, 'values')
  const quotient = preDivide(t.recorder, t.arena, matrix, factor)
  t.recorder.submit()
  const expected = data.map((value) => value / factor)
  expect(comparableBits((await readMatrix(t.gpu, quotient)).data)).toEqual(comparableBits(expected))
})
