import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import type { ProductTile } from '../../src/gpu/kernel-choices'
import { matmulNn } from '../../src/gpu/kernels/matmul-nn'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { matmulTn } from '../../src/gpu/kernels/matmul-tn'
import { rowsPerDispatch } from '../../src/gpu/kernels/row-chunks'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix } from '../../src/gpu/transfer'
import { exactNn, exactNt, exactTn, worstErrorRatio } from '../oracle/matmul'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

const upload = (matrix: Matrix, label: string) => uploadMatrix(t.gpu, t.arena, matrix, label)

const SIZES: [number, number, number][] = [
  [1, 1, 1],
  [7, 33, 65],
  [100, 65, 7],
  [64, 64, 64],
  [65, 130, 100],
  [1, 257, 96],
]

/** The first is what the others must equal, to the bit where no compiler fuses operations in one of them alone. */
const TILES: readonly ProductTile[] = ['registers-8x8', 'registers-4x4', 'workgroup-64x64']

test.each([...SIZES, [32, 33, 65]])('matmulNt: [%i, k] times [%i, k] transposed, k = %i', async (m, n, k) => {
  const [a, b] = [gaussian(m, k, 1), gaussian(n, k, 2)]
  const exact = exactNt(a, b)
  let first: Float32Array | null = null
  for (const tile of TILES) {
    poison(t.gpu, t.arena, m, n)
    const y = matmulNt(t.recorder, t.arena, upload(a, 'a'), upload(b, 'b'), tile)
    t.recorder.submit()
    expect([y.rows, y.cols]).toEqual([m, n])
    const values = await readChecked(t.gpu, y)
    expect(worstErrorRatio(exact, values, k), tile).toBeLessThanOrEqual(1)
    first ??= values
    if (t.gpu.adapter.isSoftware) expect(values, tile).toEqual(first)
  }
})

test('few rows, which have a plan of their own, give the bits they have among many', async () => {
  const { cols, data } = gaussian(32, 130, 12)
  const b = gaussian(300, cols, 13)
  const product = async (rows: number) => {
    poison(t.gpu, t.arena, rows, 300)
    const a = upload({ rows, cols, data: data.subarray(0, rows * cols) }, 'a')
    const y = matmulNt(t.recorder, t.arena, a, upload(b, 'b'))
    t.recorder.submit()
    return readChecked(t.gpu, y)
  }
  const many = await product(32)
  expect(worstErrorRatio(exactNt({ rows: 32, cols, data }, b), many, cols)).toBeLessThanOrEqual(1)
  for (const rows of [1, 5, 31]) {
    const few = await product(rows)
    if (t.gpu.adapter.isSoftware) expect(few, `${rows} rows`).toEqual(many.subarray(0, rows * 300))
  }
})

test('a product takes the tile of its device', () => {
  const names: string[] = []
  const pipelines = {
    ...t.gpu.pipelines,
    get: (...args: Parameters<typeof t.gpu.pipelines.get>) => {
      names.push(args[0].name)
      return t.gpu.pipelines.get(...args)
    },
  }
  const [a, b] = [upload(gaussian(40, 32, 8), 'a'), upload(gaussian(40, 32, 9), 'b')]
  for (const product of TILES) {
    const recorder = new Recorder({ ...t.gpu, pipelines, choices: { ...t.gpu.choices, product } })
    matmulNt(recorder, t.arena, a, b)
    recorder.submit()
  }
  expect(names).toEqual(['matmul_nt', 'matmul_nt_4x4', 'matmul_nt_workgroup'])
})

test.each(SIZES)('matmulNn: [%i, k] times [k, %i], k = %i', async (m, n, k) => {
  const [a, b] = [gaussian(m, k, 3), gaussian(k, n, 4)]
  poison(t.gpu, t.arena, m, n)
  const y = matmulNn(t.recorder, t.arena, upload(a, 'a'), upload(b, 'b'))
  t.recorder.submit()
  expect([y.rows, y.cols]).toEqual([m, n])
  expect(worstErrorRatio(exactNn(a, b), await readChecked(t.gpu, y), k)).toBeLessThanOrEqual(1)
})

test.each([...SIZES, [33, 7, 2100]])('matmulTn: [t, %i] transposed times [t, %i], t = %i', async (m, n, tokens) => {
  const [a, b] = [gaussian(tokens, m, 5), gaussian(tokens, n, 6)]
  poison(t.gpu, t.arena, m, n)
  const y = matmulTn(t.recorder, t.arena, upload(a, 'a'), upload(b, 'b'))
  t.recorder.submit()
  expect([y.rows, y.cols]).toEqual([m, n])
  expect(worstErrorRatio(exactTn(a, b), await readChecked(t.gpu, y), tokens)).toBeLessThanOrEqual(1)
})

test('matmulTn of a matrix with itself is its symmetric Gram matrix', async () => {
  const x = gaussian(50, 40, 7)
  const onGpu = upload(x, 'x')
  const y = matmulTn(t.recorder, t.arena, onGpu, onGpu)
  t.recorder.submit()
  const gram = await readChecked(t.gpu, y)
  expect(worstErrorRatio(exactTn(x, x), gram, 50)).toBeLessThanOrEqual(1)
  expect(gram[3 * 40 + 17]).toBe(gram[17 * 40 + 3])
})

test('the same product twice has the same bits', async () => {
  const [a, b] = [upload(gaussian(70, 90, 8), 'a'), upload(gaussian(80, 90, 9), 'b')]
  const [first, second] = [matmulNt(t.recorder, t.arena, a, b), matmulNt(t.recorder, t.arena, a, b)]
  t.recorder.submit()
  expect(await readChecked(t.gpu, first)).toEqual(await readChecked(t.gpu, second))
})

test('products cut into row chunks equal the uncut ones, bit for bit', async () => {
  // 2 · 1,100 · 2,048 operations a row: a software adapter takes 64 rows a dispatch, so 130 rows take three.
  const [a, b] = [upload(gaussian(130, 2048, 10), 'a'), upload(gaussian(1100, 2048, 11), 'b')]
  const run = async (isSoftware: boolean) => {
    const recorder = new Recorder({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware } })
    const y = matmulNt(recorder, t.arena, a, b)
    recorder.submit()
    return readChecked(t.gpu, y)
  }
  expect(rowsPerDispatch({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware: true } }, 130, 2 * 1100 * 2048)).toBe(64)
  expect(await run(true)).toEqual(await run(false))
})

test('row chunks are multiples of 64 rows within the budget of the adapter', () => {
  const software = { ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware: true } }
  const hardware = { ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware: false } }
  expect(rowsPerDispatch(software, 512, 2 * 512 * 512)).toBe(512)
  expect(rowsPerDispatch(software, 1024, 2 * 1024 * 1024)).toBe(128)
  expect(rowsPerDispatch(software, 1000, 2 ** 40)).toBe(64)
  expect(rowsPerDispatch(hardware, 1000, 2 * 1024 * 1024)).toBe(1024)
})

test('inner dimensions that differ are refused with both numbers', () => {
  const [a, b] = [upload(gaussian(4, 5, 1), 'a'), upload(gaussian(6, 7, 1), 'b')]
  expect(() => matmulNt(t.recorder, t.arena, a, b)).toThrow('expected equal inner dimensions, found 5 and 7')
  expect(() => matmulNn(t.recorder, t.arena, a, b)).toThrow('expected equal inner dimensions, found 5 and 6')
  expect(() => matmulTn(t.recorder, t.arena, a, b)).toThrow('expected equal numbers of rows, found 4 and 6')
})
