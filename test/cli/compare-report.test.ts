import { expect, test } from 'vitest'
import { compareConditions, compareCsv, compareReport, compareTable } from '../../src/cli/compare-report'
import type { LayerFacts, MethodFailure, MethodResult, OutputErrors } from '../../src/experiment/result'

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
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: 0.75,
  seed: 3,
}

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
  notes: ['as it is'],
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
    weight: result.weight,
    activation: null,
    bitsPerElement: 4.25,
    onlineOperations: 0,
    elapsedMs: 12.5,
    activations: { maxAbsolute: 3, kurtosis: 4 },
    training: null,
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
    weightSqnrDb: '18.5',
    activationSqnrDb: '',
    elapsedMs: '12.5',
    errorCode: '',
  })
  expect(second).toBe(
    'quarot,W4A16,mxfp4,,floor,half-even,0.75,3,signs=off size=32,,,,,,,,,,,,,,,,,MD-01,"QuaRot: ""1,000"" has no matrix."',
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
    '-',
    '4.25',
    '13',
  ])
  expect(second.split(/ +/).slice(0, 4)).toEqual(['quarot', 'W4A16', 'MD-01', '-'])
})

test('the lines above the table say layer, origin of the rows, and the choices of the run', () => {
  expect(compareConditions(layer, [result, failure]).split('\n')).toEqual([
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
  const eightBits = { ...result, weightFormat: 'mxfp8_e4m3', preScale: null }
  const text = compareConditions(synthetic, [eightBits])
  expect(text).toContain('activations: synthetic: 512 tokens, seed 0; 4 rows, used for calibration and')
  expect(text).toContain('pre-scale off (no 4-bit operand)')
  expect(compareConditions(layer, [{ ...result, preScale: null }])).toContain('pre-scale off, seed 3')
})
