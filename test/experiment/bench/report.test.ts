import { describe, expect, test } from 'vitest'
import {
  BENCH_SCHEMA,
  compareReports,
  differences,
  formatComparison,
  parseReport,
} from '../../../src/experiment/bench/against'
import {
  type BenchReport,
  formatBenchMarkdown,
  formatBenchTable,
  type TimedRow,
} from '../../../src/experiment/bench/report'
import { PLAIN_CHOICES } from '../../../src/gpu/kernel-choices'

const adapter = {
  vendor: 'acme',
  architecture: 'gen1',
  description: 'Acme 1',
  isSoftware: true,
  maxBufferBytes: 1,
  maxBindingBytes: 1,
  features: ['shader-f16', 'subgroups'],
  limits: { maxBufferSize: 1024 },
  kernels: { choices: PLAIN_CHOICES, isMeasured: false },
}

function timed(name: string, change: Partial<TimedRow>): TimedRow {
  return {
    kind: 'timed',
    name,
    shape: '512 x 512',
    repetitions: 1,
    firstMs: 1,
    medianMs: 1,
    minMs: 0.5,
    maxMs: 12.25,
    cpuMs: null,
    passMs: null,
    ratioToCopy: null,
    speedupOverNaive: null,
    ratioToProduct: null,
    rate: null,
    ...change,
  }
}

function reportOf(rows: BenchReport['rows'], change: Partial<BenchReport> = {}): BenchReport {
  return {
    adapter,
    subgroups: { min: 4, max: 8 },
    host: { runtime: 'Dawn 1', commit: 'abc1234+', load: 1.5 },
    rounds: 7,
    comparedBy: 'cpu',
    rows,
    ...change,
  }
}

describe('the table', () => {
  test('says where it was taken, lines up numbers and says why a row was not timed', () => {
    const report = reportOf([
      timed('copy', { cpuMs: 2.5, passMs: 0.25, ratioToCopy: 1, rate: { kind: 'bandwidth', gigabytesPerSecond: 2 } }),
      timed('matmul nt', {
        medianMs: 120,
        speedupOverNaive: 8.5,
        ratioToProduct: 1.25,
        rate: { kind: 'arithmetic', gflops: 3.25 },
      }),
      { kind: 'refused', name: 'histogram', shape: '2 x 2', reason: 'bin 3: 1 elements too many' },
      { kind: 'idle', name: 'idle overhead', shape: '8 x 8', wallMs: 250, passMs: 230 },
    ])
    expect(formatBenchTable(report)).toBe(
      [
        'adapter: Acme 1 (acme gen1, software), subgroups of 4 to 8',
        'features: shader-f16, subgroups',
        'limits: maxBufferSize 1024',
        'kernels: products by 8 x 8 registers, blocks by one thread, codes decoded once; default',
        'runtime: Dawn 1, commit abc1234+, load 1.50',
        '7 rounds, ratios by CPU time',
        '',
        'kernel     shape      median ms    min   max  cpu ms  pass ms  x copy  x naive  x product          rate',
        'copy       512 x 512       1.00  0.500  12.3    2.50    0.250    1.00                         2.00 GB/s',
        'matmul nt  512 x 512        120  0.500  12.3                              8.50       1.25  3.25 GFLOP/s',
        'histogram  2 x 2  not timed: bin 3: 1 elements too many',
        'idle overhead  8 x 8  8.0 % of 250 ms outside passes',
        '',
      ].join('\n'),
    )
  })

  test('is given as Markdown, each row with as many cells', () => {
    const rows = [
      timed('copy', { ratioToCopy: 1 }),
      { kind: 'refused', name: 'histogram', shape: '2 x 2', reason: 'wrong' } as const,
    ]
    expect(formatBenchMarkdown(['adapter: Acme 1'], rows).split('\n')).toEqual([
      '- adapter: Acme 1',
      '',
      '| kernel | shape | median ms | min | max | cpu ms | pass ms | x copy | x naive | x product | rate |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      '| copy | 512 x 512 | 1.00 | 0.500 | 12.3 |  |  | 1.00 |  |  |  |',
      '| histogram | 2 x 2 | not timed: wrong |  |  |  |  |  |  |  |  |',
      '',
    ])
  })

  test('what is not known is said', () => {
    const host = { runtime: 'Browser 2', commit: null, load: null }
    const text = formatBenchTable(
      reportOf([], { adapter: { ...adapter, features: [] }, subgroups: null, host, comparedBy: 'wall' }),
    )
    expect(text).toContain('Acme 1 (acme gen1, software), subgroups not told\nfeatures: none\n')
    expect(text).toContain('runtime: Browser 2, commit unknown, load unknown\n7 rounds, ratios by wall time')
  })
})

describe('a report beside an earlier one', () => {
  const then = reportOf([
    timed('copy', { medianMs: 2, cpuMs: 4, ratioToCopy: 1 }),
    timed('quantize', { medianMs: 8, cpuMs: 16, ratioToCopy: 4 }),
    timed('matmul nn', { medianMs: 10, ratioToProduct: 1.5 }),
    timed('gone', {}),
    { kind: 'refused', name: 'histogram', shape: '512 x 512', reason: 'wrong' },
  ])
  const now = reportOf([
    timed('copy', { medianMs: 1, cpuMs: 2, ratioToCopy: 1 }),
    timed('quantize', { medianMs: 2, cpuMs: 6, ratioToCopy: 3 }),
    timed('matmul nn', { medianMs: 5, ratioToProduct: 1.2 }),
    timed('matmul nn', { shape: '64 x 64' }),
    timed('histogram', {}),
  ])

  test('rows of the same name and shape give new / old, also of what they are compared with', () => {
    const shape = '512 x 512'
    expect(compareReports(now, then)).toEqual([
      { name: 'copy', shape, wall: 0.5, cpu: 0.5, relative: 1 },
      { name: 'quantize', shape, wall: 0.25, cpu: 0.375, relative: 0.75 },
      { name: 'matmul nn', shape, wall: 0.5, cpu: null, relative: 1.2 / 1.5 },
    ])
  })

  test('the table counts the rows of one report alone', () => {
    expect(formatComparison(now, then).split('\n').slice(-6)).toEqual([
      'kernel     shape      x wall  x cpu  x relative',
      'copy       512 x 512   0.500  0.500        1.00',
      'quantize   512 x 512   0.250  0.375       0.750',
      'matmul nn  512 x 512   0.500              0.800',
      '2 rows only now, 2 rows only then',
      '',
    ])
  })

  test('two clocks, adapters or runtimes are told apart above the table, and ratios of two clocks are not divided', () => {
    expect(differences(now, then)).toEqual([])
    const elsewhere = {
      ...then,
      adapter: { ...adapter, description: 'Acme 2' },
      host: { runtime: 'Browser 2', commit: null, load: null },
      comparedBy: 'wall' as const,
    }
    expect(compareReports(now, elsewhere).map(({ relative }) => relative)).toEqual([null, null, null])
    expect(compareReports(now, elsewhere)[0]).toMatchObject({ wall: 0.5, cpu: 0.5 })
    expect(formatComparison(now, elsewhere)).toContain(
      [
        'not the same adapter: now Acme 1, then Acme 2',
        'not the same runtime: now Dawn 1, then Browser 2',
        'no x relative: ratios are by CPU time now, by wall time then',
        '',
        'kernel',
      ].join('\n'),
    )
  })

  test('what --json wrote is read back; anything else is refused with what was found', () => {
    expect(parseReport(JSON.stringify({ schema: BENCH_SCHEMA, ...now }), 'a.json')).toMatchObject({ rows: now.rows })
    const message = (text: string) => `a.json: expected a report of mxscope bench --json (mxscope.bench/2), ${text}`
    expect(() => parseReport('kernel', 'a.json')).toThrow(message('found no JSON'))
    expect(() => parseReport('{"schema":"mxscope.bench/1","rows":[]}', 'a.json')).toThrow(message('found other JSON'))
    expect(() => parseReport('null', 'a.json')).toThrow(message('found other JSON'))
  })
})
