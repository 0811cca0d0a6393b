import { expect, test } from 'vitest'
import type { LoadedLayer } from '../../src/experiment/load-layer'
import { mapBlocks, readRow } from '../../src/experiment/tensor-blocks'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const IN = 70
const value = (row: number, col: number, scale: number) => Math.fround(Math.sin(1 + col + row * 13) * scale)

function matrix(rows: number, firstRow: number, scale: number) {
  const data = Float32Array.from({ length: rows * IN }, (_, i) => value(firstRow + Math.floor(i / IN), i % IN, scale))
  return uploadMatrix(t.gpu, t.arena, { rows, cols: IN, data }, 'test')
}

/** Tokens 0 … 3 calibrate, 4 … 8 evaluate. */
function layer(sameRows = false): LoadedLayer {
  const calibration = matrix(4, 0, 3)
  const evaluation = sameRows ? calibration : matrix(5, 4, 3)
  return { weight: matrix(6, 0, 0.5), calibration, evaluation } as LoadedLayer
}

const rowOf = (row: number, scale: number) => Float32Array.from({ length: IN }, (_, col) => value(row, col, scale))
const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs))

test('rows of the weight and, through calibration and evaluation, of the activations', async () => {
  const loaded = layer()
  const weight = await readRow(loaded, { operand: 'weight', row: 2 }, t)
  expect(weight).toMatchObject({ row: 2, values: rowOf(2, 0.5) })
  expect(weight.tensorMax).toBe(largest(Array.from({ length: 6 }, (_, row) => [...rowOf(row, 0.5)]).flat()))
  for (const row of [0, 3, 4, 8]) {
    const token = await readRow(loaded, { operand: 'activations', row }, t)
    expect(token).toMatchObject({ row, values: rowOf(row, 3) })
    expect(token.tensorMax).toBe(largest(Array.from({ length: 9 }, (_, each) => [...rowOf(each, 3)]).flat()))
  }
})

test('a row beyond the last gives the last', async () => {
  expect(await readRow(layer(), { operand: 'weight', row: 99 }, t)).toMatchObject({ row: 5, values: rowOf(5, 0.5) })
  const same = await readRow(layer(true), { operand: 'activations', row: 7 }, t)
  expect(same).toMatchObject({ row: 3, values: rowOf(3, 3) })
})

test('the map has a cell per block, its maximum and where it is', async () => {
  const map = await mapBlocks(layer(), { operand: 'activations', blockSize: 32 }, t)
  expect(map).toMatchObject({ rows: 9, inDim: IN, blocks: 3, mapRows: 9, mapCols: 3 })
  for (let row = 0; row < 9; row++) {
    for (let block = 0; block < 3; block++) {
      const cell = row * 3 + block
      expect(map.maxima[cell]).toBe(largest(rowOf(row, 3).subarray(32 * block, 32 * block + 32)))
      expect(map.at[cell]).toBe(cell)
    }
  }
})
