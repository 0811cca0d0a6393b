import { expect, test } from 'vitest'
import type { BenchReport, BenchRow } from '../../../src/experiment/bench/report'
import { formatBenchTable } from '../../../src/experiment/bench/report'
import { type BenchOptions, runBench, toRows } from '../../../src/experiment/bench/run-bench'
import { gpuFixture } from '../../support/gpu'

const t = gpuFixture()

function options(overrides: Partial<BenchOptions> = {}): BenchOptions {
  const cpu = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  return {
    gpu: t.gpu,
    clock: { now: () => performance.now(), cpu },
    filter: null,
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

/** Every kernel passes the check that stands before its timing: no refused row, on any adapter. */
test('a small run times every kernel and floor, and refuses none', async () => {
  const seen: BenchRow[] = []
  const report = await runBench(options({ filter: null, onRow: (row) => seen.push(row) }))
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
      'kronecker 16 x 16',
      'histogram',
      'output error sums',
    ].map((name) => `${name} [64 x 256]`),
    ...['copy', 'hadamard 128'].map((name) => `${name} [128 x 128]`),
    ...['matmul nt', 'matmul nn', 'matmul tn', 'matmul naive'].map((name) => `${name} [64 x 64 x 64]`),
    ...['gptq gram', 'gptq factor', 'gptq', 'gptq float64'].map((name) => `${name} [64 x 64, 128 tokens]`),
    ...['layer product', 'flatquant step', 'spinquant step', 'block affine step'].map(
      (name) => `${name} [64 x 64, 64 tokens]`,
    ),
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

test('matmulNt is at least four times as fast as the naive product', async () => {
  const report = await runBench(options({ filter: 'matmul nt', sizes: [256], rounds: 3 }))
  const row = report.rows.find(({ name }) => name === 'matmul nt')
  if (row?.kind !== 'timed') throw new Error('not timed')
  expect(row.speedupOverNaive).toBeGreaterThan(4)
})

test('a training step is compared with its operations at the rate of the layer product', async () => {
  const report = await runBench(options({ filter: 'step', rounds: 3 }))
  expect(report.rows.map(({ name }) => name)).toEqual([
    'empty submit',
    ...['layer product', 'flatquant step', 'spinquant step', 'block affine step'],
  ])
  for (const row of report.rows.slice(1)) {
    if (row.kind !== 'timed') throw new Error(row.reason)
    expect(row.ratioToModel).toBeGreaterThan(0)
  }
  expect(report.rows[1]).toMatchObject({ ratioToModel: 1 })
})

test('settings that make no sense are refused with the number', async () => {
  await expect(runBench(options({ sizes: [100] }))).rejects.toThrow(
    'expected a power of two from 32 to 4096, found 100',
  )
  await expect(runBench(options({ rotation: 100 }))).rejects.toThrow('found 100')
  await expect(runBench(options({ layer: 8192 }))).rejects.toThrow('found 8192')
  await expect(runBench(options({ rounds: 0 }))).rejects.toThrow('expected a whole number of 1 or more, found 0')
  await expect(runBench(options({ filter: 'fourier' }))).rejects.toThrow('found "fourier"')
})

test('aborting ends the run and gives its buffers back', async () => {
  const signal = AbortSignal.abort()
  await expect(runBench(options({ signal }))).rejects.toThrow('aborted')
  expect(t.gpu.pool.liveBytes).toBe(0)
})

const entry = (name: string, work: { kind: 'bytes'; bytes: number } | null = null) => ({
  subject: { name, run: async () => {} },
  shape: '2 x 2',
  work,
})
const timed = (cpu: number[]) => ({
  kind: 'timed' as const,
  first: { wallMs: 50, cpuMs: 60 },
  repetitions: 4,
  rounds: cpu.map((cpuMs) => ({ wallMs: cpuMs / 2, cpuMs })),
})

test('rows carry medians of rounds and the median of per-round ratios', () => {
  const entries = [entry('copy', { kind: 'bytes', bytes: 8e6 }), entry('other'), entry('broken')]
  const measurements = [timed([2, 4, 8]), timed([6, 8, 40]), { kind: 'refused' as const, reason: 'off by one' }]
  const rows = toRows(entries, measurements, ({ rounds }) => rounds.map(({ cpuMs }) => cpuMs ?? 0))
  expect(rows[0]).toMatchObject({ medianMs: 2, minMs: 1, maxMs: 4, cpuMs: 4, ratioToCopy: 1, firstMs: 50 })
  expect(rows[0]).toMatchObject({ rate: { kind: 'bandwidth', gigabytesPerSecond: 4 } })
  expect(rows[1]).toMatchObject({ medianMs: 4, ratioToCopy: 3, speedupOverNaive: null, rate: null })
  expect(rows.map((row) => row.kind === 'timed' && row.ratioToModel)).toEqual([null, null, false])
  expect(rows[2]).toEqual({ kind: 'refused', name: 'broken', shape: '2 x 2', reason: 'off by one' })
})

test('a step is priced by its operations at the rate of the product beside it', () => {
  const work = (operations: number) => ({ kind: 'operations' as const, operations })
  const entries = [
    { ...entry('layer product'), work: work(100) },
    { ...entry('flatquant step'), work: work(400) },
  ]
  const rows = toRows(entries, [timed([2, 4, 8]), timed([16, 24, 80])], ({ rounds }) =>
    rounds.map(({ cpuMs }) => cpuMs ?? 0),
  )
  // Per round (16 / 400) / (2 / 100) = 2, 1.5 and 2.5.
  expect(rows[1]).toMatchObject({ ratioToModel: 2 })
})

test('the table lines up numbers and says why a row was not timed', () => {
  const row = { kind: 'timed', shape: '512 x 512', repetitions: 1, firstMs: 1, minMs: 0.5, maxMs: 12.25 } as const
  const report: BenchReport = {
    adapter: {
      vendor: 'acme',
      architecture: 'gen1',
      description: 'Acme 1',
      isSoftware: true,
      maxBufferBytes: 1,
      maxBindingBytes: 1,
    },
    rounds: 7,
    comparedBy: 'cpu',
    rows: [
      {
        ...row,
        name: 'copy',
        medianMs: 1,
        cpuMs: 2.5,
        ratioToCopy: 1,
        speedupOverNaive: null,
        ratioToModel: null,
        rate: { kind: 'bandwidth', gigabytesPerSecond: 2 },
      },
      {
        ...row,
        name: 'matmul nt',
        medianMs: 120,
        cpuMs: null,
        ratioToCopy: null,
        speedupOverNaive: 8.5,
        ratioToModel: 1.25,
        rate: { kind: 'arithmetic', gflops: 3.25 },
      },
      { kind: 'refused', name: 'histogram', shape: '2 x 2', reason: 'bin 3: 1 elements too many' },
    ],
  }
  expect(formatBenchTable(report)).toBe(
    [
      'Acme 1 (acme gen1, software); 7 rounds, ratios by CPU time',
      'kernel     shape      median ms    min   max  cpu ms  x copy  x naive  x model          rate',
      'copy       512 x 512       1.00  0.500  12.3    2.50    1.00                       2.00 GB/s',
      'matmul nt  512 x 512        120  0.500  12.3                     8.50     1.25  3.25 GFLOP/s',
      'histogram  2 x 2  not timed: bin 3: 1 elements too many',
      '',
    ].join('\n'),
  )
})
