import { expect, test } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import type { SweepRequest } from '../../src/experiment/request'
import type { SweepPoint } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { runSweep, type SweepEvent } from '../../src/experiment/sweep'
import { isCalibrated, reachedValue, sweepParameters, sweepValues } from '../../src/experiment/sweep-parameters'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()

const request = (overrides: Partial<SweepRequest>): SweepRequest => ({
  ...STANDARD_MX,
  setting: parseSetting('W4A4'),
  method: { id: 'smoothquant', options: {} },
  parameter: 'alpha',
  values: [0, 0.5],
  seed: 0,
  headDim: null,
  ...overrides,
})

const context = () => ({ gpu: t.gpu, signal: new AbortController().signal, now: () => performance.now() })

function layer() {
  const upload = (rows: number, seed: number) => uploadMatrix(t.gpu, t.arena, gaussianMatrix(rows, 64, seed), 'rows')
  return {
    name: 'layer.weight',
    weight: upload(24, 1),
    calibration: upload(96, 2),
    evaluation: upload(40, 3),
    weightBits: 16,
  }
}

async function sweep(overrides: Partial<SweepRequest>): Promise<SweepPoint[]> {
  const events: SweepEvent[] = []
  await runSweep(layer(), request(overrides), context(), (event) => events.push(event))
  return events.flatMap((event) => (event.kind === 'point' ? [event.point] : []))
}

test('every point is the comparison with that option', async () => {
  const points = await sweep({})
  expect(points.map(({ value }) => value)).toEqual([0, 0.5])
  const compared: unknown[] = []
  const { setting, method, parameter, values, ...choices } = request({})
  const comparison = {
    ...choices,
    settings: [setting],
    methods: [{ id: method.id, options: { [parameter]: values[1] } }],
    scaleAnalysis: false,
  }
  await runComparison(layer(), comparison, context(), (event) => {
    if (event.kind === 'outcome' && event.outcome.kind === 'result') {
      compared.push(event.outcome.calibration, event.outcome.evaluation)
    }
  })
  expect(compared).toEqual([points[1].calibration, points[1].evaluation])
  expect(points[0].evaluation).not.toEqual(points[1].evaluation)
})

test('fewer calibration tokens change the fit, never the evaluation rows', async () => {
  const points = await sweep({ parameter: 'tokens', values: [16, 96] })
  expect(points.map(({ calibration }) => calibration?.tokens)).toEqual([16, 96])
  expect(points.map(({ evaluation }) => evaluation?.tokens)).toEqual([40, 40])
})

test('a value at which the method fails is a point with the error', async () => {
  const method = { id: 'gptq', options: { order: 'act-order' } }
  const points = await sweep({ method, parameter: 'damping', values: [0.01] })
  expect(points).toMatchObject([{ value: 0.01, calibration: null, evaluation: null, error: { code: 'MD-06' } }])
})

test('a value the option cannot have is refused before any work', async () => {
  await expect(sweep({ values: [0.5, 2] })).rejects.toThrow(
    'smoothquant.alpha: expected a number from 0 to 1, found "2".',
  )
})

test('parameters are the numeric options and the calibration tokens; anything else is refused by name', async () => {
  expect(sweepParameters('gptq').map(({ key }) => key)).toEqual(['damping', 'tokens'])
  await expect(sweep({ parameter: 'beta' })).rejects.toThrow(
    'sweep of smoothquant: expected one of alpha, tokens, found "beta".',
  )
  await expect(sweep({ parameter: 'tokens', values: [97] })).rejects.toThrow(
    'from 2 to the 96 calibration rows, found 97.',
  )
  await expect(sweep({ values: [] })).rejects.toThrow('expected at least one value, found none')
})

test('values that are asked for without a list lie in the range of the option', () => {
  const layer = { calibrationTokens: 300, outDim: 256, inDim: 512 }
  expect(sweepValues('low-rank', 'rank', layer)).toEqual([0, 4, 8, 16, 32, 64, 128])
  expect(sweepValues('gptq', 'tokens', layer)).toEqual([64, 128, 256, 300])
  expect(sweepValues('gptq', 'order', layer)).toEqual([])
})

test('ranks end at the smaller side of the weight', () => {
  const narrow = { calibrationTokens: 300, outDim: 48, inDim: 512 }
  expect(sweepValues('low-rank', 'rank', narrow)).toEqual([0, 4, 8, 16, 32])
  expect(sweepValues('low-rank', 'rank', { ...narrow, outDim: 512, inDim: 16 })).toEqual([0, 4, 8, 16])
  expect([reachedValue('rank', 64, narrow), reachedValue('rank', 32, narrow)]).toEqual([48, 32])
  expect(reachedValue('steps', 240, narrow)).toBe(240)
})

test('calibration tokens are swept where a method uses them', async () => {
  const without = METHOD_CATALOG.filter(({ id }) => !isCalibrated(id)).map(({ id }) => id)
  expect(without).toEqual(['rtn', 'quarot', 'block-hadamard'])
  for (const id of without) expect(sweepParameters(id).map(({ key }) => key)).not.toContain('tokens')
  expect(sweepParameters('smoothquant').map(({ key }) => key)).toContain('tokens')
  expect(sweepParameters('quarot+gptq').map(({ key }) => key)).toContain('tokens')
})
