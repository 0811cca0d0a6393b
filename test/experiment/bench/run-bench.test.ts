import { expect, test, vi } from 'vitest'
import { makeSyntheticLayer } from '../../../scripts/make-synthetic-layer.mjs'
import { builtInLayer } from '../../../src/experiment/bench/comparison-cases'
import { toRows } from '../../../src/experiment/bench/entry'
import type { Baseline, Work } from '../../../src/experiment/bench/kernel-subject'
import { type BenchOptions, DEFAULT_BENCH } from '../../../src/experiment/bench/options'
import type { Peer } from '../../../src/experiment/bench/peer'
import type { BenchRow } from '../../../src/experiment/bench/report'
import { runBench } from '../../../src/experiment/bench/run-bench'
import { gpuFixture } from '../../support/gpu'

const t = gpuFixture()

// Repetitions grow with what a submit costs, and that with what else the machine does.
vi.setConfig({ testTimeout: 240_000 })

function options(overrides: Partial<BenchOptions> = {}): BenchOptions {
  const read = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  return {
    ...DEFAULT_BENCH,
    gpu: t.gpu,
    clock: { now: () => performance.now(), cpu: { read, stepMs: 0 } },
    host: { runtime: 'test', commit: null, load: null },
    peers: [],
    sizes: [64],
    rotation: 128,
    layer: 64,
    rounds: 1,
    signal: new AbortController().signal,
    onRow: () => {},
    ...overrides,
  }
}

/** Names of the rows of every format; 16-bit floats have no packed form. */
const ROUNDED = [
  ...[
    'mxfp8_e4m3',
    'mxfp8_e5m2',
    'mxint8',
    'mxfp6_e3m2',
    'mxfp6_e2m3',
    'mxfp4',
    'nvfp4',
    'int8',
    'int4',
    'bf16',
    'fp16',
  ],
  ...['mxfp4 3/4', 'mxfp4 best', 'mxfp4 fp32', 'nvfp4(four-over-six=mse)', 'int4(group=128,scheme=asym)'],
]
const PACKED = ROUNDED.filter((name) => name !== 'bf16' && name !== 'fp16')
/** By the tile of the device, and by the others. */
const PRODUCTS = ['matmul nt', 'matmul nt registers-4x4', 'matmul nt workgroup-64x64']

/** Every kernel passes the check that stands before its timing: no refused row, on any adapter. */
test('the short suite times every kernel and floor, and refuses none', async () => {
  const seen: BenchRow[] = []
  const report = await runBench(options({ suite: 'short', onRow: (row) => seen.push(row) }))
  expect(seen).toEqual(report.rows)
  expect(report.rows.filter((row) => row.kind === 'refused')).toEqual([])
  expect(report.rows.map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
    'empty submit []',
    'one dispatch [128 B]',
    'copyBufferToBuffer [64 MiB]',
    'read-back [4 B]',
    'read-back [64 MiB]',
    'upload [64 MiB]',
    ...[
      'copy',
      ...ROUNDED.map((name) => `fake-quantize ${name}`),
      ...PACKED.map((name) => `quantize ${name}`),
      ...PACKED.map((name) => `dequantize ${name}`),
      'hadamard 32',
      'hadamard 256',
      'histogram',
      'output error sums',
    ].map((name) => `${name} [64 x 256]`),
    ...['copy', 'hadamard 128', 'kronecker 8 x 16', 'product'].map(
      (name) => `${name} [128 x 128${name === 'product' ? ' x 128' : ''}]`,
    ),
    ...[...PRODUCTS, 'matmul nn', 'matmul tn', 'matmul naive'].map((name) => `${name} [64 x 64 x 64]`),
    ...PRODUCTS.map((name) => `${name} [250 x 333 x 517]`),
    'matmul nt [256 x 320 x 512]',
  ])
  for (const row of report.rows) if (row.kind === 'timed') expect(row.medianMs).toBeGreaterThan(0)
  const copy = report.rows.find(({ name }) => name === 'copy')
  expect(copy).toMatchObject({ ratioToCopy: 1, rate: { kind: 'bandwidth' } })
})

test('a filter keeps the rows it names and the kernel they are compared with', async () => {
  const report = await runBench(options({ filter: 'hadamard' }))
  expect(report.rows.map(({ name }) => name)).toEqual([
    'empty submit',
    ...['copy', 'hadamard 32', 'hadamard 256'],
    ...['copy', 'hadamard 128'],
  ])
})

/** The row of a name in a report of one; fails when it was refused. */
function timedRow(rows: readonly BenchRow[], wanted: string) {
  const row = rows.find(({ name }) => name === wanted)
  if (row?.kind !== 'timed') throw new Error(`${wanted}: ${row?.kind === 'refused' ? row.reason : 'no row'}`)
  return row
}

// Ratios within one process, by CPU time on a software adapter; the targets are 1.5 to 2 times as strict.
test('matmulNt is at least four times as fast as the naive product, from packed codes at least half as fast', async () => {
  const { rows } = await runBench(options({ filter: 'packed', sizes: [256], rounds: 3 }))
  expect(timedRow(rows, 'matmul nt').speedupOverNaive).toBeGreaterThan(4)
  for (const operands of ['mxfp4 x mxfp4', 'a16 x mxfp4', 'mxfp8_e4m3 x mxfp8_e4m3']) {
    expect(timedRow(rows, `packed ${operands}`).ratioToProduct).toBeLessThan(2)
  }
  expect(timedRow(rows, 'packed a16 x mxfp4 in the loop').ratioToProduct).toBeGreaterThan(0)
})

test('rounding to MXFP4 takes at most six times as long as a copy', async () => {
  const { rows } = await runBench(options({ filter: 'fake-quantize mxfp4', sizes: [256], rounds: 3 }))
  expect(timedRow(rows, 'fake-quantize mxfp4').ratioToCopy).toBeLessThan(6)
})

test('the pipelines of a first result are compiled in less than 10 s', async () => {
  const { rows } = await runBench(options({ filter: 'pipelines rtn' }))
  const row = timedRow(rows, 'pipelines rtn')
  expect(row.shape).toMatch(/^([5-9]|[12]\d) pipelines$/)
  expect(row.cpuMs).toBeGreaterThan(0)
  expect(row.cpuMs).toBeLessThan(10_000)
})

test.each([
  ['step', ['flatquant step', 'spinquant step', 'block affine step']],
  ['gptq', ['gptq gram', 'gptq factor', 'gptq', 'gptq float64']],
])(
  '%s: work on a layer is compared with its operations at the rate of the product beside it',
  async (filter, names) => {
    const { rows } = await runBench(options({ filter, rounds: 3 }))
    const timed = rows.filter(({ kind }) => kind !== 'memory')
    expect(timed.map(({ name }) => name)).toEqual(['empty submit', 'layer product', ...names])
    for (const name of names) expect(timedRow(rows, name).ratioToProduct).toBeGreaterThan(0)
    expect(timedRow(rows, 'layer product').ratioToProduct).toBe(1)
  },
)

test('a whole comparison runs on the built-in layer of random numbers', async () => {
  const file = makeSyntheticLayer()
  const { weight, activations } = builtInLayer()
  const values = (matrix: { data: Float32Array }) => Buffer.from(matrix.data.buffer)
  expect(file.subarray(-weight.data.byteLength).equals(values(weight))).toBe(true)
  const end = file.length - weight.data.byteLength
  expect(file.subarray(end - activations.data.byteLength, end).equals(values(activations))).toBe(true)
  const { rows } = await runBench(options({ filter: 'compare rtn' }))
  expect(timedRow(rows, 'compare rtn').medianMs).toBeGreaterThan(0)
})

test('peaks of a method are counted with the layer, and stay below what was planned', async () => {
  const { rows } = await runBench(options({ filter: 'memory rtn' }))
  const row = rows.find(({ name }) => name === 'memory rtn')
  if (row?.kind !== 'memory') throw new Error(`memory rtn: ${row?.kind}`)
  const layerBytes = 4 * (256 * 256 + 512 * 256)
  expect(row.peakBytes).toBeGreaterThan(2 * layerBytes)
  expect(row.peakBytes / row.planBytes).toBeGreaterThan(0.9)
  expect(row.peakBytes / row.planBytes).toBeLessThanOrEqual(1.1)
})

test('where the GPU has a clock, a run says how much of it was spent inside passes', async () => {
  const { rows } = await runBench(options({ filter: 'idle', layer: 128 }))
  const [, row] = rows
  if (row?.kind !== 'idle') throw new Error(`idle overhead: ${row?.kind === 'refused' ? row.reason : 'no row'}`)
  expect(row.shape).toBe('128 x 128, 64 tokens')
  expect(row.passMs).toBeGreaterThan(0)
  expect(row.passMs).toBeLessThan(row.wallMs)
})

test('without that clock the row says so, and times have no part inside passes', async () => {
  const features = new Set([...t.gpu.device.features].filter((name) => name !== 'timestamp-query'))
  const device = new Proxy(t.gpu.device, {
    get: (target, key) => {
      if (key === 'features') return features
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const { rows } = await runBench(options({ filter: 'idle', gpu: { ...t.gpu, device } }))
  expect(rows).toMatchObject([
    { name: 'empty submit', passMs: null },
    { kind: 'refused', reason: 'expected a device with timestamp-query, found none' },
  ])
})

/** A library that multiplies on the CPU, `error` beside the truth. */
function peerOf(name: string, error: number, log: string[]): Peer {
  return {
    name,
    prepare: async (a, b) => {
      log.push(`prepare ${name}`)
      const data = Float32Array.from({ length: a.rows * b.cols }, (_, i) => {
        const [row, col] = [Math.floor(i / b.cols), i % b.cols]
        let sum = error
        for (let k = 0; k < a.cols; k++) sum += a.data[row * a.cols + k] * b.data[k * b.cols + col]
        return sum
      })
      const dispose = () => log.push(`dispose ${name}`)
      return { run: async () => {}, read: async () => ({ rows: a.rows, cols: b.cols, data }), dispose }
    },
  }
}

test('a library beside ours is checked, compared with our product, and freed; a wrong one is not timed', async () => {
  const log: string[] = []
  const peers = [peerOf('right', 0, log), peerOf('wrong', 1, log)]
  const { rows } = await runBench(options({ filter: 'matmul', sizes: [64], peers }))
  const of = (name: string) => rows.filter((row) => row.name === name)
  expect(of('matmul right').map(({ shape, kind }) => [shape, kind])).toEqual([
    ['64 x 64 x 64', 'timed'],
    ['250 x 333 x 517', 'timed'],
  ])
  expect(timedRow(rows, 'matmul right').ratioToProduct).toBeLessThan(1)
  expect(of('matmul wrong').map((row) => row.kind === 'refused' && row.reason)).toEqual([
    expect.stringMatching(/^element \(\d+, \d+\): expected/),
    expect.stringMatching(/^element/),
  ])
  expect(log).toEqual([...two('prepare'), ...two('dispose'), ...two('prepare'), ...two('dispose')])
})

const two = (verb: string) => [`${verb} right`, `${verb} wrong`]

test('settings that make no sense are refused with the number', async () => {
  await expect(runBench(options({ sizes: [100] }))).rejects.toThrow(
    'expected a power of two from 32 to 4096, found 100',
  )
  await expect(runBench(options({ rotation: 100 }))).rejects.toThrow('found 100')
  await expect(runBench(options({ layer: 8192 }))).rejects.toThrow('found 8192')
  await expect(runBench(options({ rounds: 0 }))).rejects.toThrow('expected a whole number of 1 or more, found 0')
  const onRow = vi.fn()
  await expect(runBench(options({ filter: 'fourier', onRow }))).rejects.toThrow('found "fourier"')
  expect(onRow).not.toHaveBeenCalled()
})

test('aborting ends the run and gives its buffers back', async () => {
  const signal = AbortSignal.abort()
  await expect(runBench(options({ signal }))).rejects.toThrow('aborted')
  expect(t.gpu.pool.liveBytes).toBe(0)
})

const entry = (name: string, work: Work | null = null, baseline?: Baseline) => ({
  subject: { name, run: async () => {} },
  shape: '2 x 2',
  work,
  baseline,
})
const timed = (cpu: number[]) => ({
  kind: 'timed' as const,
  first: { wallMs: 50, cpuMs: 60, passMs: null },
  repetitions: 4,
  rounds: cpu.map((cpuMs) => ({ wallMs: cpuMs / 2, cpuMs, passMs: cpuMs / 4 })),
})

test('rows carry medians of rounds and the median of per-round ratios', () => {
  const entries = [entry('copy', { kind: 'bytes', bytes: 8e6 }, 'copy'), entry('other'), entry('broken')]
  const measurements = [timed([2, 4, 8]), timed([6, 8, 40]), { kind: 'refused' as const, reason: 'off by one' }]
  const rows = toRows(entries, measurements, ({ rounds }) => rounds.map(({ cpuMs }) => cpuMs ?? 0))
  expect(rows[0]).toMatchObject({ medianMs: 2, minMs: 1, maxMs: 4, cpuMs: 4, passMs: 1, ratioToCopy: 1, firstMs: 50 })
  expect(rows[0]).toMatchObject({ rate: { kind: 'bandwidth', gigabytesPerSecond: 4 } })
  expect(rows[1]).toMatchObject({ medianMs: 4, ratioToCopy: 3, speedupOverNaive: null, rate: null })
  expect(rows.map((row) => row.kind === 'timed' && row.ratioToProduct)).toEqual([null, null, false])
  expect(rows[2]).toEqual({ kind: 'refused', name: 'broken', shape: '2 x 2', reason: 'off by one' })
})

test('a step is priced by its operations at the rate of the product beside it', () => {
  const work = (operations: number) => ({ kind: 'operations' as const, operations })
  const entries = [entry('layer product', work(100), 'product'), entry('flatquant step', work(400))]
  const rows = toRows(entries, [timed([2, 4, 8]), timed([16, 24, 80])], ({ rounds }) =>
    rounds.map(({ cpuMs }) => cpuMs ?? 0),
  )
  // Per round (16 / 400) / (2 / 100) = 2, 1.5 and 2.5.
  expect(rows[1]).toMatchObject({ ratioToProduct: 2 })
})
