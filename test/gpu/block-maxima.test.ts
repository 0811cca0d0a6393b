import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { BLOCK_MAP_COLS, BLOCK_MAP_ROWS, blockMaxima, CELL_WORDS } from '../../src/gpu/kernels/block-maxima'
import { readWords, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** Bits of every kind of f32: NaN, infinities and subnormals among them. */
function randomBits(rows: number, cols: number, seed: number): Uint32Array {
  const random = createRandom(seed)
  return Uint32Array.from({ length: rows * cols }, () => Math.floor(random.uniform() * 2 ** 32))
}

/** The slow version: every block on its own, the larger one kept, the first on ties. */
function oracle(bits: Uint32Array, { rows, cols, blockSize }: { rows: number; cols: number; blockSize: number }) {
  const blocks = Math.ceil(cols / blockSize)
  const mapRows = Math.min(rows, BLOCK_MAP_ROWS)
  const mapCols = Math.min(blocks, BLOCK_MAP_COLS)
  const cells = new Uint32Array(CELL_WORDS * mapRows * mapCols)
  const cellOf = (at: number, total: number, count: number) => {
    let cell = 0
    while (Math.floor(((cell + 1) * total) / count) <= at) cell += 1
    return cell
  }
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      let largest = 0
      for (let col = block * blockSize; col < Math.min((block + 1) * blockSize, cols); col++) {
        largest = Math.max(largest, bits[row * cols + col] & 0x7fffffff)
      }
      const cell = CELL_WORDS * (cellOf(row, rows, mapRows) * mapCols + cellOf(block, blocks, mapCols))
      if (cells[cell + 1] === 0 || largest > cells[cell]) {
        cells[cell] = largest
        cells[cell + 1] = 1 + row * blocks + block
      }
    }
  }
  return cells
}

const upload = (bits: Uint32Array, rows: number, cols: number) => {
  const data = new Float32Array(bits.buffer.slice(bits.byteOffset, bits.byteOffset + bits.byteLength) as ArrayBuffer)
  return uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'x')
}

async function mapOf(bits: Uint32Array, splits: readonly number[], cols: number, blockSize: number) {
  let first = 0
  const parts = splits.map((rows) => {
    const part = upload(bits.subarray(first * cols, (first + rows) * cols), rows, cols)
    first += rows
    return part
  })
  const map = blockMaxima(t.recorder, t.arena, parts, blockSize)
  t.recorder.submit()
  return readWords(t.gpu, map.cells, CELL_WORDS * map.rows * map.cols)
}

test.each([
  [[3], 64, 32],
  [[5], 70, 32],
  [[5], 70, 128],
  [[4, 3], 200, 8],
  [[200], 96, 16],
  [[150, 107], 8 * 300, 8],
  [[1, 129], 40, 64],
])('rows %j of %i columns in blocks of %i: the largest magnitude and where it is', async (splits, cols, blockSize) => {
  const rows = splits.reduce((sum, each) => sum + each, 0)
  const bits = randomBits(rows, cols, rows + cols)
  expect(await mapOf(bits, splits, cols, blockSize)).toEqual(oracle(bits, { rows, cols, blockSize }))
})

test('subnormals count, and zeros name their first block', async () => {
  const bits = new Uint32Array(2 * 64)
  bits[64 + 40] = 0x80000001
  const cells = await mapOf(bits, [2], 64, 32)
  expect(Array.from(cells)).toEqual([0, 1, 0, 2, 0, 3, 1, 4])
})
