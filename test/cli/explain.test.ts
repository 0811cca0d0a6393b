import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseExplain } from '../../src/cli/explain-arguments'
import { explainText } from '../../src/cli/explain-report'
import type { LayerFacts } from '../../src/experiment/result'
import type { RotationCauses } from '../../src/experiment/rotation-causes'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE = fileURLToPath(new URL('../../public/layers/wt2llama-outliers-L2-q_proj.safetensors', import.meta.url))
const ATTENTION = 'model.layers.2.self_attn'
const LAYER = [FILE, '--weight', `${ATTENTION}.k_proj.weight`, '--activations', `${ATTENTION}.q_proj.input`]

describe('arguments', () => {
  const queryOf = (...args: string[]) => parseExplain(['in', '--weight', 'w', '--synthetic', ...args]).query

  test('by default quarot under W4A4, choices as in compare', () => {
    expect(queryOf()).toEqual({
      ...{ weightFormat: 'mxfp4', activationFormat: 'mxfp4', method: { id: 'quarot', options: {} }, seed: 0 },
      ...{ scaleRule: 'floor', rounding: 'half-even', blockSize: 32, headDim: null },
      preScale: { factor: 0.75, variant: 'exact' },
    })
    const args = ['--setting', 'int4/16', '--method', 'block-hadamard', '--option', 'block-hadamard.size=64']
    expect(queryOf(...args, '--pre-scale', 'off', '--seed', '7', '--head-dim', '64')).toMatchObject({
      ...{ weightFormat: 'int4', activationFormat: null, preScale: null, seed: 7, headDim: 64 },
      method: { id: 'block-hadamard', options: { size: '64' } },
    })
  })

  test('says what was asked for and has no effect', () => {
    expect(
      parseExplain(['in', '--weight', 'w', '--synthetic', '--setting', 'int4/16', '--block', '64']).notes,
    ).toHaveLength(1)
  })
})

test.each([
  [['--method', 'flatquant'], '--method: expected one of quarot, '],
  [['--method', 'quarto'], 'method: expected one of rtn'],
  [['--setting', 'W4A4,W8A8'], '--setting: expected one setting, found 2'],
  [['--setting', 'W4A8KV8'], '--setting: expected one that leaves the output as it is'],
  [['--setting', '16/16'], 'causes of a rotation: expected a format for weights or activations, found none'],
  [['--option', 'quarot.signs=maybe'], 'quarot.signs: expected one of on, off'],
  [['--head-dim', '0'], '--head-dim: expected a whole number'],
])('%j: wrong usage', async (args, message) => {
  const { code, stdout, stderr } = await runMain('explain', ...LAYER, ...args)
  expect([code, stdout, stderr.length]).toEqual([2, '', 1])
  expect(stderr[0]).toContain(message)
})

test('summary, JSON and CSV agree with one another and with what compare measures', async () => {
  const [csv, json] = [join(folder, 'out.csv'), join(folder, 'out.json')]
  const { code, stdout } = await runMain('explain', ...LAYER, '--csv', csv, '--json', json)
  expect(code).toBe(0)
  const report = JSON.parse(readFileSync(json, 'utf8'))
  expect(report).toMatchObject({
    schema: 'mxscope.explain/1',
    layer: { outDim: 64, inDim: 192 },
    adapter: { isSoftware: expect.any(Boolean) },
    ...{ weightFormat: 'mxfp4', activationFormat: 'mxfp4', method: { id: 'quarot' }, seed: 0 },
  })
  const compared = await runMain('compare', ...LAYER, '--methods', 'rtn,quarot', '--json', '-')
  const errors = JSON.parse(compared.stdout).results.map(
    ({ evaluation }: { evaluation: { outputRelativeError: number } }) => evaluation.outputRelativeError,
  )
  expect([report.before.measured, report.after.measured]).toEqual(errors)
  const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n')
  expect(lines.length).toBe(193)
  const heading = lines[0].split(',')
  expect(heading[0]).toBe('channel')
  const fields = lines[8].split(',')
  const at = (name: string) => Number(fields[heading.indexOf(name)])
  expect([at('channel'), at('before.activationNoise'), at('after.token')]).toEqual([
    ...[7, report.before.activationNoise[7], report.token.after.values[7]],
  ])
  for (const value of [report.before.predicted, report.after.measured, report.closedForm]) {
    expect(stdout).toContain(value.toFixed(5))
  }
  expect(stdout).toContain(`token ${report.token.token}, channel ${report.token.channel}`)
})

/** A result of explain on which all numbers but the errors are the same. */
function causesWith(errors: { before: number; after: number; closedForm: number }, activationFormat: string | null) {
  const noise = new Float32Array(2)
  const state = { values: noise, kurtosis: 3, largestShare: 0.5, otherChannelsError: 0 }
  const attribution = (measured: number) => ({
    ...{ activationNoise: noise, weightNoise: noise, bothNoise: noise, predicted: measured, measured },
  })
  const causes: RotationCauses = {
    ...{ weightFormat: 'int4', activationFormat, method: { id: 'quarot', options: {} }, seed: 7, headDim: null },
    ...{ ...STANDARD_MX, layerName: 'w', inDim: 2, tokens: 4, chi: 1, weightKappa: 0.1, activationKappa: 0 },
    ...{ closedForm: errors.closedForm, mismatch: 1, notes: [] },
    ...{ before: attribution(errors.before), after: attribution(errors.after) },
    token: { token: 0, channel: 1, before: state, after: state },
  }
  const layer: LayerFacts = {
    ...{ name: 'w', file: 'f', outDim: 2, inDim: 2, calibrationTokens: 4, evaluationTokens: 4, sameRows: false },
    ...{ activations: { kind: 'captured', tensor: 'x', file: 'f' }, notes: [] },
  }
  return explainText({ layer, adapter: {}, causes })
}

test.each([
  [1.03, 'quarot hurts here: error 1.0300 times that without it (seed 7 alone; '],
  [0.97, 'quarot helps here: error 0.9700 times'],
  [1.01, 'quarot cannot be told to hurt or help here: error 1.0100 times'],
])('ratio %f: the verdict in words', (ratio, sentence) => {
  expect(causesWith({ before: 1, after: ratio, closedForm: 1 }, 'int4')).toContain(sentence)
})

test.each([
  [0.5, 'a global rotation should help'],
  [2, 'a global rotation should hurt'],
  [1, 'a global rotation should change little'],
])('closed form %f: what was to be expected in words', (closedForm, sentence) => {
  expect(causesWith({ before: 1, after: 1, closedForm }, 'int4')).toContain(sentence)
})

test('activations left as they are: no error of the other channels, and the seed stands with the setting', () => {
  const text = causesWith({ before: 1, after: 1, closedForm: 1 }, null)
  expect(text).toMatch(/^as it is +3\.00 +50\.00 +–$/m)
  expect(text).toContain('activations are left as they are')
  expect(text).toMatch(/^int4\/16 quarot, weights rounded to nearest, seed 7$/m)
  expect(causesWith({ before: 1, after: 1, closedForm: 1 }, 'int4')).toContain('1 is as if rounding had made them zero')
})
