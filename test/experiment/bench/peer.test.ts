import { expect, test } from 'vitest'
import type { Matrix } from '../../../src/core/matrix'
import { int4Value, type Peer, type PeerProduct, packedPeerCases, toInt4 } from '../../../src/experiment/bench/peer'
import { gaussian } from '../../support/matrices'

test('four bits: the first of two columns is the low half of a byte, 8 stands for zero, scales have 8 bits of mantissa', () => {
  // 7 / 7 is a scale of 1: the codes are the values.
  const data = Float32Array.from({ length: 32 }, (_, col) => [7, -7, 0, 3.4, -2.6][col % 5])
  const w = toInt4({ rows: 1, cols: 32, data })
  expect([...w.scales]).toEqual([1])
  expect([...w.codes.subarray(0, 2)]).toEqual([15 + 16 * 1, 8 + 16 * 11])
  expect([0, 1, 2, 3, 4].map((col) => int4Value(w, 0, col))).toEqual([7, -7, 0, 3, -3])
})

test('every value is within half a step, and a row of zeros stays one', () => {
  const m = gaussian(3, 64, 1)
  m.data.fill(0, 64, 128)
  const w = toInt4(m)
  m.data.forEach((value, i) => {
    const [row, col] = [Math.floor(i / 64), i % 64]
    const scale = w.scales[2 * row + Math.floor(col / 32)]
    // Cutting the scale to 8 bits leaves at most 7 · 2^-7 of a step beyond the largest code.
    expect(Math.abs(int4Value(w, row, col) - value)).toBeLessThanOrEqual((0.5 + 7 / 128) * scale)
    const [bits] = new Uint32Array(Float32Array.of(scale).buffer)
    expect(bits & 0xffff).toBe(0)
  })
})

function peerOf(error: number): Peer {
  const unused = (): Promise<PeerProduct> => Promise.reject(new Error('not asked for'))
  const int4 = {
    name: 'FourBits',
    prepare: async (x: Matrix, w: ReturnType<typeof toInt4>) => {
      const data = Float32Array.from({ length: x.rows * w.rows }, (_, i) => {
        const [row, out] = [Math.floor(i / w.rows), i % w.rows]
        let sum = error
        for (let k = 0; k < x.cols; k++) sum += x.data[row * x.cols + k] * int4Value(w, out, k)
        return sum
      })
      return { run: async () => {}, read: async () => ({ rows: x.rows, cols: w.rows, data }), dispose: () => {} }
    },
  }
  return { name: 'peer 1', prepare: unused, int4 }
}

test('a packed product of a library is checked against its own codes', async () => {
  const [x, w] = [gaussian(5, 64, 2), gaussian(6, 64, 3)]
  const [right] = packedPeerCases(peerOf(0), x, w)
  expect(right.subject.name).toBe('packed peer 1 FourBits')
  expect(await right.subject.verify?.()).toBeNull()
  const [wrong] = packedPeerCases(peerOf(1e-3), x, w)
  expect(await wrong.subject.verify?.()).toMatch(/^element \(\d, \d\): expected/)
})

test('a library without one, or a width that is no multiple of a block, gives no row', () => {
  const { int4: _, ...without } = peerOf(0)
  expect(packedPeerCases(without, gaussian(2, 64, 1), gaussian(2, 64, 2))).toEqual([])
  expect(packedPeerCases(peerOf(0), gaussian(2, 48, 1), gaussian(2, 48, 2))).toEqual([])
})
