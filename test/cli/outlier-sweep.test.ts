import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isOutlierSweep, parseOutlierSweep } from '../../src/cli/outlier-sweep-arguments'
import { outlierText, sharedNotes } from '../../src/cli/outlier-sweep-report'
import { DEFAULT_OUTLIER_STUDY } from '../../src/experiment/outlier-defaults'
import type { OutlierPoint } from '../../src/experiment/outlier-study'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-outliers-'))
afterAll(() => rmSync(folder, { recursive: true }))

const STUDY = ['--parameter', 'outlier-strength']

describe('arguments', () => {
  test('without any the default study runs', () => {
    expect(parseOutlierSweep(STUDY)).toEqual({ request: DEFAULT_OUTLIER_STUDY, json: null, csv: null })
  })

  test('each control reaches the request', () => {
    const args =
      `${STUDY.join(' ')} --values 2,8 --outliers 3 --correlation=-0.25 --tail 4 --clustered --in 128 --out 64
      --tokens 32 --formats INT4(group=32),mxfp8_e4m3 --methods rtn,smoothquant --option smoothquant.alpha=0.7
      --repeats 2 --pre-scale 0.75 --rounding half-away --scale-rule ceil --block 16 --seed 9`.split(/\s+/)
    expect(parseOutlierSweep(args).request).toEqual({
      layer: {
        ...{ outDim: 64, inDim: 128, tokens: 32, outlierChannels: 3 },
        ...{ correlation: -0.25, tailDegrees: 4, clustered: true },
      },
      strengths: [2, 8],
      formats: ['int4(group=32)', 'mxfp8_e4m3'],
      methods: [
        { id: 'rtn', options: {} },
        { id: 'smoothquant', options: { alpha: '0.7' } },
      ],
      ...{ repeats: 2, seed: 9, scaleRule: 'ceil', rounding: 'half-away', blockSize: 16 },
      preScale: { factor: 0.75, variant: 'exact' },
    })
  })

  test('the parameter decides which sweep it is', () => {
    expect(isOutlierSweep(['--seed', '1', '--parameter=outlier-strength'])).toBe(true)
    expect(isOutlierSweep(['in', '--parameter', 'tokens', '--method', 'outlier-strength'])).toBe(false)
  })
})

describe('wrong usage: exit code 2, one line that says what is wrong', () => {
  test.each([
    [['--values', '4,ten'], '--values: expected a number, found "ten"'],
    [['--values', '0.5'], 'synthetic layer: outlier strength: expected 1 to 65,536, found 0.5'],
    [['--values', ','], 'outlier study: strengths: expected at least one, found none'],
    [['--outliers', '4000'], 'synthetic layer: outlier channels: expected a whole number from 0 to 768, found 4000'],
    [['--tail', 'heavy'], '--tail: expected a number, found "heavy"'],
    [['--repeats', '0'], 'outlier study: repeats: expected a whole number from 1 to 32, found 0'],
    [['--formats', 'fp3'], 'number format: expected one of'],
    [['--methods', 'gtpq'], 'method: expected one of rtn'],
    [['--option', 'gptq.damping=1'], '--option gptq.damping=1: "gptq" is not among --methods rtn'],
    [['--block', '48'], '--block: expected one of'],
    [['--json', '-', '--csv', '-'], 'expected standard output for one of the two'],
    [['layer.safetensors'], 'expected no FILE, because layers are made here; found "layer.safetensors"'],
    [['--method', 'rtn'], 'expected --methods M[,M...]; found --method'],
    [['--setting=W4A4'], 'expected --formats F[,F...], each for weights and activations; found --setting'],
    [['--weights', 'w'], "Unknown option '--weights'"],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runMain('sweep', ...STUDY, ...args)
    expect([code, stdout, stderr.length]).toEqual([2, '', 1])
    expect(stderr[0]).toContain(message)
  })
})

test('help of sweep tells both kinds', async () => {
  const { stdout } = await runMain('sweep', '--help')
  expect(stdout).toContain('--method ID')
  expect(stdout).toContain('--parameter outlier-strength')
})

test('points come out as table, JSON and CSV with the same numbers', async () => {
  const [csv, json] = [join(folder, 'out.csv'), join(folder, 'out.json')]
  const layer = ['--in', '96', '--out', '32', '--tokens', '32', '--outliers', '2']
  const what = ['--values', '1,32', '--formats', 'mxfp4,int4', '--methods', 'rtn,quarot', '--seed', '3']
  const { code, stdout, stderr } = await runMain('sweep', ...STUDY, ...layer, ...what, '--csv', csv, '--json', json)
  expect(code).toBe(0)
  const report = JSON.parse(readFileSync(json, 'utf8'))
  expect(report).toMatchObject({
    schema: 'mxscope.outliers/1',
    adapter: { isSoftware: expect.any(Boolean) },
    layer: { inDim: 96, outlierChannels: 2, correlation: 0.5, tailDegrees: null, clustered: false },
    ...{
      strengths: [1, 32],
      formats: ['mxfp4', 'int4'],
      repeats: 1,
      seed: 3,
      preScale: { factor: 0.75, variant: 'exact' },
    },
    // At strength 1 there are no outliers, and the rotation of this small layer costs a few per cent.
    crossings: [{ format: 'int4', method: 'quarot', strength: expect.any(Number), above: 'better' }],
  })
  expect(report.points.length).toBe(8)
  expect(stderr.slice(0, 8)).toEqual(
    Array.from({ length: 8 }, (_, i) => `${i + 1} of 8: outlier strength ${i < 4 ? 1 : 32}`),
  )
  const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n')
  expect(lines.length).toBe(9)
  const heading = lines[0].split(',')
  for (const [i, point] of report.points.entries()) {
    const fields = Object.fromEntries(lines[i + 1].split(',').map((field, column) => [heading[column], field]))
    expect(fields).toMatchObject({
      ...{ format: point.format, method: point.method, strength: String(point.strength) },
      ...{ evaluation: String(point.evaluation), predictedRotation: String(point.predictedRotation) },
      ...{ kurtosisBefore: String(point.before.kurtosis), crestAfter: String(point.after.crest), errorCode: '' },
    })
    expect(stdout).toContain(point.evaluation.toFixed(5))
  }
  expect(stdout).toContain('synthetic layers: weight [32, 96], 32 calibration + 32 evaluation rows, Gaussian')
  expect(stdout).toContain(`int4: quarot crosses RTN at k = ${report.crossings[0].strength.toFixed(1)}, better above\n`)
})

test('the text names crossings, codes of failures and a missing baseline', () => {
  const point = (method: string, strength: number, evaluation: number | null): OutlierPoint => ({
    ...{ format: 'int4', method, strength, evaluation, calibration: evaluation, predictedRotation: 0.2 },
    ...{ before: { kurtosis: 3, crest: 2 }, after: null },
    notes: evaluation === null ? [] : [`order of ${method}`, `at ${strength}`],
    error: evaluation === null ? { kind: 'input', code: 'MD-08', message: 'x' } : null,
  })
  const sweep = (points: readonly OutlierPoint[]) => {
    const request = { ...DEFAULT_OUTLIER_STUDY, strengths: [4, 8], formats: ['int4'], repeats: 3 }
    return outlierText({ adapter: {}, request, points })
  }
  const rotated = [point('quarot', 4, 0.1), point('quarot', 8, 0.4), point('block-hadamard', 4, null)]
  const text = sweep([point('rtn', 4, 0.2), point('rtn', 8, 0.2), ...rotated])
  expect(text).toContain('int4: quarot crosses RTN at k = 5.7, worse above\n')
  expect(text).toMatch(/^ +4 +0\.20000 +0\.10000 +MD-08 +0\.20000$/m)
  expect(text).toContain('means over seeds 0 … 2')
  expect(sweep(rotated)).toContain('rtn is not among the methods')
  // Two strengths show a crossing between them, and nothing of others.
  expect(text).toContain('looked for between 2 strengths only')
  const flat = (count: number) =>
    sweep(['rtn', 'quarot'].flatMap((method) => Array.from({ length: count }, (_, i) => point(method, 2 ** i, 0.2))))
  expect(flat(3)).not.toContain('no curve crosses')
  expect(flat(4)).toContain('no curve crosses that of RTN between the 4 strengths\n')
  expect(sharedNotes([...rotated, point('quarot', 4, 0.3)])).toEqual(['quarot: order of quarot'])
})
