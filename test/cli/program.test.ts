/** The program as a user starts it: built, in a process of its own, on Dawn. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { oracleBlock } from '../oracle/mx'
import { readGolden } from '../support/safetensors'
import { parseSafetensors } from '../support/safetensors-bytes'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LAYER = join(ROOT, 'test/golden/layers/layer-a.safetensors')
const folder = mkdtempSync(join(tmpdir(), 'mxscope-program-'))
afterAll(() => rmSync(folder, { recursive: true }))

function run(args: readonly string[], env: Record<string, string> = {}) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 2 ** 26 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/mxscope.mjs'), ...args], options)
  return { code: status, stdout, stderr }
}

// The first start after a change of the sources bundles them.
beforeAll(() => {
  expect(run(['formats']).code).toBe(0)
}, 120_000)

const compare = ['compare', LAYER, '--weight', 'layer.weight', '--activations', 'calib.input', '--eval', 'eval.input']

test('standard output is the result and nothing else', () => {
  const { code, stdout, stderr } = run(['formats'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^id +label/)
})

test('wrong usage and a bad file end with 2 and 1 and one line on standard error', () => {
  expect(run(['compare'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'mxscope compare: expected one FILE, found 0. See mxscope compare --help.\n',
  })
  const missing = join(folder, 'none.safetensors')
  expect(run(['inspect', missing])).toEqual({
    code: 1,
    stdout: '',
    stderr: `mxscope: FS-01: ${missing}: no such file.\n`,
  })
})

test('without a usable GPU it ends with 3', () => {
  const { code, stdout, stderr } = run([...compare, '--methods', 'rtn'], { VK_DRIVER_FILES: join(folder, 'none.json') })
  expect([code, stdout]).toEqual([3, ''])
  expect(stderr).toContain('mxscope: GP-01: GPU: expected an adapter, found none.')
})

describe('compare', () => {
  const reference = JSON.parse(readFileSync(join(ROOT, 'test/golden/reference-errors-transform.json'), 'utf8'))

  test('agrees with the published errors, in JSON and CSV', () => {
    const csv = join(folder, 'out.csv')
    const args = ['--setting', 'W4A4,W8A8', '--methods', 'rtn,quarot', '--pre-scale', 'off', '--rounding', 'half-away']
    const { code, stdout, stderr } = run([...compare, ...args, '--json', '-', '--csv', csv])
    expect(code).toBe(0)
    expect(stderr).toContain('W8A8 quarot')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({
      schema: 'mxscope.compare/1',
      layer: { name: 'layer.weight', outDim: 256, inDim: 256, calibrationTokens: 512, evaluationTokens: 256 },
      adapter: { isSoftware: expect.any(Boolean) },
    })
    expect(report.results.map((r: { method: string; setting: string }) => `${r.setting} ${r.method}`)).toEqual([
      'W4A4 rtn',
      'W4A4 quarot',
      'W8A8 rtn',
      'W8A8 quarot',
    ])
    for (const result of report.results) {
      const { rtn, quarot } = reference.layers['layer-a'].results[`mx:${result.setting}`]
      // QuaRot with the signs of seed 0.
      const [calib, evaluation] =
        result.method === 'rtn' ? [rtn.calib, rtn.eval] : [quarot.calib_seeds_0_4[0], quarot.eval_seeds_0_4[0]]
      expect(Math.abs(result.calibration.outputRelativeError / calib - 1)).toBeLessThan(0.005)
      expect(Math.abs(result.evaluation.outputRelativeError / evaluation - 1)).toBeLessThan(0.005)
      expect(result).toMatchObject({ preScale: null, seed: 0, rounding: 'half-away' })
      expect(result.evaluation.outputSqnrDb).toBeCloseTo(-20 * Math.log10(result.evaluation.outputRelativeError), 9)
      for (const key of ['weightSqnrDb', 'activationSqnrDb', 'bitsPerElement', 'elapsedMs']) {
        expect(result[key], key).toBeGreaterThan(0)
      }
    }
    const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n')
    expect(lines).toHaveLength(5)
    expect(lines[1].split(',').slice(0, 3)).toEqual(['rtn', 'W4A4', 'mxfp4'])
    expect(lines[1]).toContain(String(report.results[0].evaluation.outputRelativeError))
  })

  test('applies the pre-scale to 4-bit operands unless it is off, and prints a table', () => {
    const { code, stdout } = run([...compare, '--methods', 'rtn', '--rounding', 'half-away'])
    expect(code).toBe(0)
    const [conditions, table] = stdout.trimEnd().split('\n\n')
    expect(conditions).toContain('scale rule floor, rounding half-away, pre-scale 3/4, seed 0')
    const [heading, row] = table.split('\n')
    expect(heading).toMatch(/^method +setting +relative error +SQNR dB/)
    const [method, setting, relativeError] = row.split(/ +/)
    const { rtn } = reference.layers['layer-a'].results['mxps:W4A4']
    expect([method, setting]).toEqual(['rtn', 'W4A4'])
    expect(Math.abs(Number(relativeError) / rtn.eval - 1)).toBeLessThan(0.005)
  })

  test('a seed names its rotation', () => {
    const args = ['--methods', 'quarot', '--pre-scale', 'off', '--rounding', 'half-away', '--seed', '3', '--json', '-']
    const [{ seed, evaluation }] = JSON.parse(run([...compare, ...args]).stdout).results
    const published = reference.layers['layer-a'].results['mx:W4A4'].quarot.eval_seeds_0_4
    expect(seed).toBe(3)
    // The five seeds lie further apart than the tolerance.
    expect(Math.abs(evaluation.outputRelativeError / published[3] - 1)).toBeLessThan(1e-4)
  })
})

test('bench times what it is asked for beside the copy kernel', () => {
  const { code, stdout } = run([
    'bench',
    '--filter',
    'fake-quantize mxfp8',
    '--sizes',
    '32',
    '--rounds',
    '1',
    '--json',
    '-',
  ])
  expect(code).toBe(0)
  const { schema, rows } = JSON.parse(stdout)
  expect(schema).toBe('mxscope.bench/1')
  const timed = rows.find((row: { name: string }) => row.name === 'fake-quantize mxfp8_e4m3')
  expect(timed).toMatchObject({ kind: 'timed', shape: '32 x 128', ratioToCopy: expect.any(Number) })
  expect(rows.map((row: { name: string }) => row.name)).toContain('copy')
})

describe('quantize', () => {
  test('writes what a decoder reads back, under the same names and shapes', () => {
    const out = join(folder, 'fake.safetensors')
    const { code, stdout } = run(['quantize', LAYER, '--format', 'mxfp4', '--layout', 'fake', '-o', out])
    expect(code).toBe(0)
    expect(stdout).toMatch(/layer\.weight +\[256, 256\] +18\.\d\d/)
    const original = readGolden('layers/layer-a.safetensors')
    const quantized = parseSafetensors(readFileSync(out))
    expect([...quantized.keys()].sort()).toEqual([...original.keys()].sort())
    for (const [name, tensor] of quantized) {
      expect([tensor.dtype, tensor.shape]).toEqual(['F32', original.get(name)?.shape])
      const [from, to] = [original.get(name)?.floats() ?? new Float32Array(), tensor.floats()]
      for (let start = 0; start < from.length; start += 32 * 61) {
        const expected = oracleBlock('mxfp4', from.subarray(start, start + 32), 'floor', 'half-even', null)
        expect(to.slice(start, start + 32)).toEqual(expected)
      }
    }
    // Quantizing what is representable changes nothing.
    const again = join(folder, 'again.safetensors')
    run(['quantize', out, '--format', 'mxfp4', '-o', again])
    expect(parseSafetensors(readFileSync(again)).get('layer.weight')?.bytes).toEqual(
      quantized.get('layer.weight')?.bytes,
    )
  })

  test('takes the tensors it is told, of any rank, and counts what is not finite', () => {
    const values = Float32Array.from({ length: 2 * 3 * 33 }, (_, i) => Math.sin(i))
    values[40] = Number.NaN
    const bytes = new Uint8Array(values.buffer)
    const input = join(folder, 'odd.safetensors')
    const tensors = [
      { name: 'cube', dtype: 'F32', shape: [2, 3, 33], bytes },
      { name: 'line', dtype: 'F32', shape: [33], bytes: bytes.slice(0, 4 * 33) },
      { name: 'ids', dtype: 'I64', shape: [1], bytes: new Uint8Array(8) },
    ] as const
    writeFileSync(input, writeSafetensors(tensors))
    const out = join(folder, 'odd-out.safetensors')
    const options = ['--format', 'mxfp4', '--pre-scale', '0.75', '--rounding', 'toward-zero', '--scale-rule', 'rceil']
    const { code, stdout, stderr } = run(['quantize', input, ...options, '--json', '-', '-o', out])
    expect(code).toBe(0)
    expect(stderr).toContain('"cube": 1 of 198 elements is not finite (1 NaN), first at row 1, column 7')
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'mxscope.quantize/1',
      format: 'mxfp4',
      preScale: 0.75,
      tensors: [
        { name: 'cube', shape: [2, 3, 33], nonFiniteCount: 1 },
        { name: 'line', shape: [33], nonFiniteCount: 0 },
      ],
    })
    const quantized = parseSafetensors(readFileSync(out))
    expect([...quantized.keys()].sort()).toEqual(['cube', 'line'])
    const expected = oracleBlock('mxfp4', values.subarray(0, 32), 'rceil', 'toward-zero', 0.75)
    expect(quantized.get('line')?.floats().slice(0, 32)).toEqual(expected)
    expect(quantized.get('cube')?.floats()[34]).toBeNaN()
    const none = run(['quantize', input, '--tensor', 'ids', '--format', 'mxfp4', '-o', join(folder, 'ids.safetensors')])
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('TS-01')])
    expect(readdirSync(folder).filter((name) => name.includes('ids') || name.endsWith('.tmp'))).toEqual([])
  })
})
