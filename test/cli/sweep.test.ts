import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseSweep } from '../../src/cli/sweep-arguments'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-sweep-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE = fileURLToPath(new URL('../../public/layers/wt2llama-outliers-L2-q_proj.safetensors', import.meta.url))
const ATTENTION = 'model.layers.2.self_attn'
const LAYER = [FILE, '--weight', `${ATTENTION}.k_proj.weight`, '--activations', `${ATTENTION}.q_proj.input`]

describe('arguments', () => {
  const requestOf = (...args: string[]) => parseSweep(['in', '--weight', 'w', '--synthetic', ...args]).request

  test('without values a usual range is taken, and choices are those of compare', () => {
    expect(requestOf('--method', 'gptq', '--parameter', 'damping')).toMatchObject({
      setting: { id: 'W4A4' },
      method: { id: 'gptq', options: {} },
      parameter: 'damping',
      values: null,
      preScale: { factor: 0.75, variant: 'exact' },
      blockSize: 32,
      seed: 0,
      headDim: null,
    })
  })

  test('takes values, options that stay, and a setting that quantizes the output', () => {
    const args = ['--method', 'gptq+low-rank', '--parameter', 'rank', '--values', '0, 4,1.6e1', '--seed', '7']
    const options = ['--option', 'gptq+low-rank.damping=0.1', '--setting', 'W4A8KV8', '--head-dim', '64']
    expect(requestOf(...args, ...options, '--block', '16')).toMatchObject({
      setting: { id: 'W4A8KV8' },
      method: { id: 'gptq+low-rank', options: { damping: '0.1' } },
      values: [0, 4, 16],
      blockSize: 16,
      seed: 7,
      headDim: 64,
    })
  })

  test('says what was asked for and has no effect', () => {
    const args = ['in', '--weight', 'w', '--synthetic', '--method', 'gptq', '--parameter', 'tokens']
    expect(parseSweep([...args, '--setting', 'int4/16', '--block', '64']).notes).toHaveLength(1)
    expect(parseSweep(args).notes).toEqual([])
  })
})

describe('wrong usage: exit code 2, one line that says what is wrong', () => {
  const gptq = ['--method', 'gptq']
  const damping = [...gptq, '--parameter', 'damping']
  const cases: [string[], string][] = [
    [[], 'expected --method ID'],
    [['--method', 'gtpq'], 'method: expected one of rtn, gptq, '],
    [gptq, 'expected --parameter, one of damping, tokens'],
    [[...gptq, '--parameter', 'order'], 'sweep of gptq: expected one of damping, tokens, found "order"'],
    [[...damping, '--values', '0.1,ten'], '--values: expected numbers, found "ten"'],
    [[...damping, '--values', ','], 'sweep over damping: expected at least one value, found none'],
    [[...damping, '--values', '0.1,2'], 'gptq.damping: expected a number from 0.0001 to 1, found "2"'],
    [[...gptq, '--parameter', 'tokens', '--values', '1'], 'sweep over tokens: expected whole numbers from 2, found 1'],
    [[...damping, '--setting', 'W4A4,W8A8'], '--setting: expected one setting, found 2'],
    [[...damping, '--setting', 'W3A3'], 'setting "W3A3": expected one of W8A8'],
    [[...damping, '--option', 'rtn.x=1'], '--option rtn.x=1: "rtn" is not among --method gptq'],
    [[...damping, '--option', 'gptq.rank=1'], 'gptq.rank: no such option; the options of gptq are: scales'],
    [[...damping, '--option', 'gptq.damping=0.1'], '--option gptq.damping: it is what --parameter sweeps'],
    [[...damping, '--head-dim', '64'], '--head-dim: expected a setting that quantizes the output'],
    [[...damping, '--json', '-', '--csv', '-'], 'expected standard output for one of the two'],
    [[...damping, '--synthetic'], 'expected either --activations NAME or --synthetic'],
    [[...damping, '--methods', 'rtn'], "Unknown option '--methods'"],
  ]
  test.each(cases.map(([args, message]) => ({ args, message })))('$message', async ({ args, message }) => {
    const { code, stdout, stderr } = await runMain('sweep', ...LAYER, ...args)
    expect([code, stdout, stderr.length]).toEqual([2, '', 1])
    expect(stderr[0]).toContain(message)
  })

  test('without FILE the parameter is named, since one of them needs none', async () => {
    const { code, stderr } = await runMain('sweep', '--parameter', 'outlier-strenght')
    expect(code).toBe(2)
    expect(stderr[0]).toContain('or --parameter outlier-strength, which takes none; found --parameter outlier-strenght')
  })
})

describe('on a layer', () => {
  test('every point is what compare measures with that value, in the table, JSON and CSV', async () => {
    const csv = join(folder, 'out.csv')
    const json = join(folder, 'out.json')
    const choices = ['--setting', 'mxfp4/16', '--scale-rule', 'even']
    const args = ['--method', 'gptq', '--parameter', 'damping', '--values', '1,0.001', '--csv', csv, '--json', json]
    const swept = await runMain('sweep', ...LAYER, ...choices, ...args, '--option', 'gptq.order=group-order')
    expect(swept.code).toBe(0)
    const report = JSON.parse(readFileSync(json, 'utf8'))
    expect(report).toMatchObject({
      schema: 'mxscope.sweep/1',
      layer: { outDim: 64, inDim: 192, calibrationTokens: 256, evaluationTokens: 256 },
      adapter: { isSoftware: expect.any(Boolean) },
      ...{ method: 'gptq', setting: 'W4A16', weightFormat: 'mxfp4', activationFormat: null, headDim: null },
      ...{ scaleRule: 'even', rounding: 'half-even', blockSize: 32, preScale: 0.75, preScaleVariant: 'exact', seed: 0 },
      options: { scales: 'fresh', order: 'group-order' },
      parameter: 'damping',
    })
    expect(report.options).not.toHaveProperty('damping')
    const table = swept.stdout.split('\n\n')[1].trimEnd().split('\n')
    const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n')
    expect([report.points.length, table.length, lines.length]).toEqual([2, 3, 3])
    expect(swept.stdout).toContain('W4A16 gptq, scales fresh, order group-order\nscale rule even, rounding half-even')
    for (const [index, value] of [1, 0.001].entries()) {
      const options = ['--option', 'gptq.order=group-order', '--option', `gptq.damping=${value}`]
      const compared = await runMain('compare', ...LAYER, ...choices, '--methods', 'gptq', ...options, '--json', '-')
      const [{ calibration, evaluation }] = JSON.parse(compared.stdout).results
      expect(report.points[index]).toEqual({ value, calibration, evaluation, error: null })
      expect(table[index + 1].trim().split(/ +/)).toEqual([
        String(value),
        calibration.outputRelativeError.toFixed(5),
        evaluation.outputRelativeError.toFixed(5),
        evaluation.outputSqnrDb.toFixed(2),
      ])
      const fields = lines[index + 1].split(',')
      const at = (name: string) => fields[lines[0].split(',').indexOf(name)]
      expect([at('method'), at('setting'), at('parameter'), at('value')]).toEqual([
        ...['gptq', 'W4A16', 'damping', String(value)],
      ])
      expect(at('evaluation.outputRelativeError')).toBe(String(evaluation.outputRelativeError))
      expect(at('calibration.outputRelativeError')).toBe(String(calibration.outputRelativeError))
      expect(at('errorCode')).toBe('')
    }
    expect(report.points[0].evaluation).not.toEqual(report.points[1].evaluation)
  })

  test('calibration tokens go up to all there are unless told otherwise', async () => {
    const args = ['--method', 'gptq', '--parameter', 'tokens', '--setting', 'W4A16', '--json', '-']
    const { code, stdout } = await runMain('sweep', ...LAYER, ...args, '--tokens', '300')
    expect(code).toBe(0)
    const { points } = JSON.parse(stdout)
    expect(points.map((point: { value: number }) => point.value)).toEqual([64, 128, 150])
    for (const { value, calibration, evaluation } of points) {
      expect([calibration.tokens, evaluation.tokens]).toEqual([value, 150])
    }
    const more = await runMain('sweep', ...LAYER, ...args, '--values', '64,257')
    expect([more.code, more.stdout]).toEqual([1, ''])
    expect(more.stderr.at(-1)).toContain(
      'SW-02: sweep over tokens: expected whole numbers from 2 to the 256 calibration',
    )
  })

  test('a sweep whose points all fail ends with 1 and says why at each', async () => {
    const args = ['--method', 'gptq', '--option', 'gptq.order=act-order', '--parameter', 'damping', '--values', '0.01']
    const json = join(folder, 'failed.json')
    const { code, stdout, stderr } = await runMain('sweep', ...LAYER, ...args, '--json', json)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ +0\.01 +MD-06 +– +–$/m)
    expect(stderr).toContainEqual(expect.stringContaining('damping 0.01: failed: MD-06: '))
    expect(JSON.parse(readFileSync(json, 'utf8')).points).toEqual([
      { value: 0.01, calibration: null, evaluation: null, error: { code: 'MD-06', message: expect.any(String) } },
    ])
  })
})
