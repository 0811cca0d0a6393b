import { expect, test } from 'vitest'
import { compareConditions, compareCsv, compareReport, compareTable, scaleTable } from '../../src/cli/compare-report'
import type { ComparisonRequest } from '../../src/experiment/request'
import type { LayerFacts, MethodFailure, MethodResult, OutputErrors, ScaleAnalysis } from '../../src/experiment/result'
import { parseSetting } from '../../src/experiment/settings'

const errors = (outputRelativeError: number): OutputErrors => ({
  outputRelativeError,
  outputSqnrDb: -20 * Math.log10(outputRelativeError),
  gain: 0.98,
  cosine: 0.99,
  maxAbsoluteError: 1.5,
  tokens: 256,
})

const identity = {
  setting: 'W4A16',
  weightFormat: 'mxfp4',
  activationFormat: null,
  outputFormat: null,
  headDim: null,
  scaleRule: 'floor',
  rounding: 'half-even',
  blockSize: 32,
  preScale: 0.75,
  preScaleVariant: 'exact',
  seed: 3,
} as const

const result: MethodResult = {
  ...identity,
  kind: 'result',
  method: 'rtn',
  options: {},
  calibration: errors(0.125),
  evaluation: errors(0.25),
  weight: { sqnrDb: 18.5, clippedPercent: 0.5, flushedPercent: 11 },
  activation: null,
  bitsPerElement: 4.25,
  onlineBytes: 0,
  onlineOperations: 0,
  elapsedMs: 12.5,
  profile: {
    histogram: { range: 4, counts: new Float64Array(4) },
    map: { rows: 1, cols: 1, values: new Float32Array(1), tokens: 1, channels: 1 },
    channelMax: new Float32Array(1),
    channelRms: new Float32Array(1),
    maxAbsolute: 3,
    kurtosis: 4,
    count: 1,
  },
  training: null,
  scaleAnalysis: null,
  notes: ['as it is'],
}

const analysis: ScaleAnalysis = {
  weightScales: { firstExponent: -3, counts: [2, 5], zeroBlocks: 1, blocks: 8 },
  activationScales: null,
  split: { powerOfTwo: 0.25, weightFp32: 0.2, activationFp32: 0.25, bothFp32: 0.2, scaleShare: 0.36 },
  preScaleSweep: { variant: 'exact', values: [0.5, 1], outputSqnrDb: [11, 12] },
  blockSizeSweep: null,
}

const request: ComparisonRequest = {
  settings: [parseSetting('W4A16')],
  methods: [],
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: { factor: 0.75, variant: 'exact' },
  blockSize: 32,
  seed: 3,
  headDim: null,
  scaleAnalysis: false,
}

const failure: MethodFailure = {
  ...identity,
  kind: 'failure',
  method: 'quarot',
  options: { signs: 'off', size: 32 },
  error: { kind: 'input', code: 'MD-01', message: 'QuaRot: "1,000" has no matrix.' },
}

const layer: LayerFacts = {
  name: 'q_proj.weight',
  file: 'layer.safetensors',
  outDim: 8,
  inDim: 32,
  calibrationTokens: 4,
  evaluationTokens: 4,
  sameRows: false,
  activations: { kind: 'captured', tensor: 'x', file: 'layer.safetensors' },
}

test('the document has numbers for a result and an error for a failure, and no figure data', () => {
  const report = JSON.parse(JSON.stringify(compareReport(layer, { vendor: 'v' }, [result, failure])))
  expect(report).toMatchObject({ schema: 'mxscope.compare/1', layer, adapter: { vendor: 'v' } })
  expect(report.results[0]).toEqual({
    ...identity,
    method: 'rtn',
    options: {},
    calibration: errors(0.125),
    evaluation: errors(0.25),
    weightSqnrDb: 18.5,
    activationSqnrDb: null,
    weightClippedPercent: 0.5,
    weightFlushedPercent: 11,
    activationClippedPercent: null,
    activationFlushedPercent: null,
    bitsPerElement: 4.25,
    onlineBytes: 0,
    onlineOperations: 0,
    elapsedMs: 12.5,
    activations: { maxAbsolute: 3, kurtosis: 4 },
    training: null,
    scaleAnalysis: null,
    notes: ['as it is'],
  })
  expect(report.results[1]).toEqual({
    ...identity,
    method: 'quarot',
    options: { signs: 'off', size: 32 },
    error: { code: 'MD-01', message: 'QuaRot: "1,000" has no matrix.' },
  })
})

test('CSV has one field per heading, quoted where needed', () => {
  const [heading, first, second, end] = compareCsv([result, failure]).split('\r\n')
  expect(end).toBe('')
  const columns = heading.split(',')
  const row = Object.fromEntries(first.split(',').map((field, index) => [columns[index], field]))
  expect(row).toMatchObject({
    method: 'rtn',
    activationFormat: '',
    preScale: '0.75',
    'evaluation.outputRelativeError': '0.25',
    'calibration.outputRelativeError': '0.125',
    blockSize: '32',
    preScaleVariant: 'exact',
    outputFormat: '',
    weightSqnrDb: '18.5',
    weightFlushedPercent: '11',
    activationSqnrDb: '',
    elapsedMs: '12.5',
    errorCode: '',
  })
  expect(second).toBe(
    `quarot,W4A16,mxfp4,,,,floor,half-even,32,0.75,exact,3,signs=off size=32${','.repeat(21)}MD-01,"QuaRot: ""1,000"" has no matrix."`,
  )
})

test('the table shows evaluation errors, and the code of a failure', () => {
  const [heading, first, second] = compareTable([result, failure]).split('\n')
  expect(heading.split(/ {2,}/)).toEqual([
    ...['method', 'setting', 'relative error', 'SQNR dB', 'calibration', 'gain', 'W SQNR dB', 'X SQNR dB'],
    ...['bits/element', 'ms'],
  ])
  expect(first.split(/ +/)).toEqual([
    'rtn',
    'W4A16',
    '0.25000',
    '12.04',
    '0.12500',
    '0.9800',
    '18.50',
    '–',
    '4.25',
    '13',
  ])
  expect(second.split(/ +/).slice(0, 4)).toEqual(['quarot', 'W4A16', 'MD-01', '–'])
})

test('the lines above the table say layer, origin of the rows, and the choices of the run', () => {
  expect(compareConditions(layer, request, [result, failure]).split('\n')).toEqual([
    'layer: q_proj.weight [8, 32] of layer.safetensors',
    'activations: captured, x of layer.safetensors; 4 calibration + 4 evaluation rows',
    'scale rule floor, rounding half-even, pre-scale 3/4, seed 3',
    'relative error, SQNR dB, gain: of the output on evaluation rows; calibration: relative error on calibration rows',
    '',
  ])
})

test('synthetic activations, reused rows and a pre-scale that reaches nothing are called so', () => {
  const synthetic: LayerFacts = {
    ...layer,
    sameRows: true,
    activations: { kind: 'synthetic', description: 'synthetic: 512 tokens, seed 0', seed: 0 },
  }
  const w8a8 = { ...request, settings: [parseSetting('W8A8')] }
  const text = compareConditions(synthetic, w8a8, [result])
  expect(text).toContain('activations: synthetic: 512 tokens, seed 0; 4 rows, used for calibration and')
  expect(text).toContain('pre-scale off (no 4-bit MX operand), seed 3')
  expect(compareConditions(layer, { ...request, preScale: null }, [result])).toContain('pre-scale off, seed 3')
})

test('a block size off the standard and the heads of the output are said; without MX formats there is no rule', () => {
  const kv = { ...request, settings: [parseSetting('W4A8KV8')], blockSize: 16 }
  expect(compareConditions(layer, kv, [{ ...result, outputFormat: 'mxfp8_e4m3', headDim: 64 }])).toContain(
    'pre-scale 3/4, block 16 (not the standard), output heads of 64 channels (assumed), seed 3\n',
  )
  const named = { ...kv, headDim: 64 }
  expect(compareConditions(layer, named, [{ ...result, headDim: 64 }])).toContain('heads of 64 channels, seed 3\n')
  const integers = { ...request, settings: [parseSetting('int4/nvfp4')] }
  expect(compareConditions(layer, integers, [result]).split('\n')[2]).toBe('seed 3')
})

test('the scale analysis is in the document as it is, and its split is a table of its own', () => {
  const analysed = { ...result, scaleAnalysis: analysis }
  const [entry] = JSON.parse(JSON.stringify(compareReport(layer, {}, [analysed]))).results
  expect(entry.scaleAnalysis).toEqual(analysis)
  const [about, heading, row, failed, end] = scaleTable([analysed, failure]).split('\n')
  expect(about).toBe('scale analysis: evaluation rows, operands rounded to nearest, all four errors without pre-scale')
  expect(heading.split(/ {2,}/).slice(2)).toEqual([
    ...['relative error', 'W fp32 scale', 'X fp32 scale', 'both', 'owed to scales'],
  ])
  expect(row.split(/ {2,}/)).toEqual(['rtn', 'W4A16', '0.25000', '0.20000', '0.25000', '0.20000', '36.0 %'])
  expect(failed.split(/ {2,}/)).toEqual(['quarot', 'W4A16', '–', '–', '–', '–', '–', 'MD-01'])
  expect(end).toBe('')
})

test('the table of the scale analysis says why a row is empty, and what it leaves out', () => {
  const none = { ...analysis, split: null }
  const integers = { ...result, weightFormat: 'int4', outputFormat: 'mxfp4', scaleAnalysis: none }
  const rows = [
    integers,
    { ...integers, scaleRule: 'fp32' },
    { ...result, scaleRule: 'fp32', scaleAnalysis: none },
    { ...result, outputFormat: 'mxfp8_e4m3', scaleAnalysis: analysis },
  ]
  const remarks = scaleTable(rows).trimEnd().split('\n').slice(2)
  expect(remarks.map((line) => line.split(/ {2,}/).slice(6).join(' '))).toEqual([
    '– no operand has power-of-two scales',
    '– no operand has power-of-two scales',
    '– scales are fp32 already',
    '36.0 % Y is quantized in the setting, not here',
  ])
})

test('a number that does not exist is a dash in the table, nothing in CSV and null in JSON', () => {
  const zeros = { ...result, weight: { sqnrDb: Number.NaN, clippedPercent: 0, flushedPercent: 0 } }
  expect(compareTable([zeros]).split('\n')[1].split(/ +/)[6]).toBe('–')
  const [heading, line] = compareCsv([zeros]).split('\r\n')
  expect(line.split(',')[heading.split(',').indexOf('weightSqnrDb')]).toBe('')
  expect(JSON.parse(JSON.stringify(compareReport(layer, {}, [zeros]))).results[0].weightSqnrDb).toBeNull()
})
