import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logicalTensors } from '../../../src/io/packing/recognise'
import { DTYPE_BITS, type Dtype } from '../../../src/io/tensor-view'
import { type Listed, views } from './listed'

test('whatever the list, every tensor is listed once or part of one packed tensor whose bytes suffice', () => {
  const stem = fc.constantFrom('w', 'a.weight', '__proto__', 'w_packed', 'constructor', 'a.')
  const ending = fc.constantFrom(
    ...['', '_packed', '_scale', '_scales', '_blocks', '.blocks', '.scales', '_global_scale', '_scale_2', '_shape'],
    ...['_zero_point', '_g_idx', '_scale_inv', 'qweight', 'scales', 'weight_global_scale'],
  )
  const dtype = fc.constantFrom(
    ...(Object.keys(DTYPE_BITS) as Dtype[]),
    'U8' as const,
    'F8_E4M3' as const,
    'F32' as const,
  )
  const shape = fc.array(fc.constantFrom(0, 1, 2, 4, 16, 32, 64), { maxLength: 4 })
  const tensor = fc.tuple(
    fc.tuple(stem, ending).map((parts) => parts.join('')),
    dtype,
    shape,
  )
  const good = fc.constantFrom<Listed[]>(
    [
      ['w_blocks', 'U8', [4, 2, 16]],
      ['w_scales', 'U8', [4, 2]],
    ],
    [
      ['a.qweight', 'U8', [4, 32]],
      ['a.scales', 'U8', [4, 2]],
      ['a.weight_global_scale', 'F32', [1]],
    ],
    [
      ['w_packed', 'U8', [4, 32]],
      ['w_scale', 'U8', [4, 2]],
    ],
    [
      ['w_packed', 'U8', [4, 32]],
      ['w_scale', 'F8_E4M3', [4, 4]],
      ['w_global_scale', 'F32', [1]],
    ],
    [
      ['w', 'U8', [4, 32]],
      ['w_scale', 'F8_E4M3', [4, 4]],
      ['w_scale_2', 'F32', []],
    ],
    [
      ['w', 'F8_E4M3', [4, 32]],
      ['w_scale', 'F32', [4, 1]],
    ],
    [
      ['w', 'I8', [4, 32]],
      ['w_scale', 'F32', [1]],
      ['w_zero_point', 'I8', [1]],
    ],
    [
      ['w_packed', 'I32', [4, 8]],
      ['w_scale', 'F32', [4, 2]],
      ['w_zero_point', 'I32', [1, 2]],
      ['w_shape', 'I64', [2]],
    ],
  )
  const list = fc.tuple(good, fc.array(fc.tuple(fc.nat(9), tensor), { maxLength: 3 })).map(([start, changes]) => {
    const changed = new Map(start.map((one) => [one[0], one]))
    for (const [at, other] of changes) {
      const replaced = start[at % start.length]
      // A dtype, a shape or a name is changed, or a tensor added.
      if (at < 3) changed.set(replaced[0], [replaced[0], other[1], replaced[2]])
      else if (at < 6) changed.set(replaced[0], [replaced[0], replaced[1], other[2]])
      else if (at < 8) changed.delete(replaced[0])
      if (at > 5) changed.set(other[0], other)
    }
    return [...changed.values()]
  })
  let [packed, refused] = [0, 0]
  const property = fc.property(list, (listed) => {
    const given = views(listed)
    const { tensors, refusals } = logicalTensors(given)
    refused += refusals.length
    const accounted = tensors.flatMap((view) =>
      view.storage?.kind === 'packed' ? view.storage.parts.map(({ tensor: part }) => part) : [view],
    )
    expect(new Set(accounted)).toEqual(new Set(given))
    expect(accounted).toHaveLength(given.length)
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length)
    for (const { shape: axes, storage } of tensors) {
      if (storage?.kind !== 'packed') continue
      packed++
      const rows = axes.slice(0, -1).reduce((product, axis) => product * axis, 1)
      const cols = axes[axes.length - 1]
      expect(storage.codes.byteLength).toBe(rows * storage.rowBytes)
      expect(8 * storage.rowBytes).toBeGreaterThanOrEqual(cols * storage.codeBits)
      if (storage.scale.kind === 'byte') {
        expect(storage.scale.tensor.byteLength).toBe(rows * Math.ceil(cols / storage.scale.blockSize))
      } else {
        const { rowsPerScale, colsPerScale, tensor: scales } = storage.scale
        const needed = Math.ceil(rows / rowsPerScale) * Math.ceil(cols / colsPerScale)
        expect((8 * scales.byteLength) / DTYPE_BITS[scales.dtype as Dtype]).toBe(needed)
      }
    }
  })
  fc.assert(property, { seed: 20260113, numRuns: 20_000 })
  expect(packed).toBeGreaterThan(200)
  expect(refused).toBeGreaterThan(1000)
})
