/** The program as a user starts it: built, in a process of its own, on Dawn; and its commands, in this process. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { oracleBlock } from '../oracle/mx'
import { roundMatrix } from '../support/layer-codec'
import { runMain } from '../support/run-main'
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

/** The same program in this process, where nothing has to be compiled anew for each command. */
async function started(args: readonly string[]) {
  const { code, stdout, stderr } = await runMain(...args)
  return { code, stdout, stderr: stderr.map((line) => `${line}\n`).join('') }
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
    stderr: 'mxscope compare: expected one FILE, or the shards of a model, found none. See mxscope compare --help.\n',
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
      expect(result).toMatchObject({ preScaleVariant: null, blockSize: 32, outputFormat: null, scaleAnalysis: null })
      for (const key of ['weightSqnrDb', 'activationSqnrDb', 'bitsPerElement', 'elapsedMs']) {
        expect(result[key], key).toBeGreaterThan(0)
      }
    }
    const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n')
    expect(lines).toHaveLength(5)
    expect(lines[1].split(',').slice(0, 3)).toEqual(['rtn', 'W4A4', 'mxfp4'])
    expect(lines[1]).toContain(String(report.results[0].evaluation.outputRelativeError))
  })

  test('applies the pre-scale to 4-bit operands unless it is off, and prints a table', async () => {
    const { code, stdout } = await started([...compare, '--methods', 'rtn', '--rounding', 'half-away'])
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

  test('a seed names its rotation', async () => {
    const args = ['--methods', 'quarot', '--pre-scale', 'off', '--rounding', 'half-away', '--seed', '3', '--json', '-']
    const [{ seed, evaluation }] = JSON.parse((await started([...compare, ...args])).stdout).results
    const published = reference.layers['layer-a'].results['mx:W4A4'].quarot.eval_seeds_0_4
    expect(seed).toBe(3)
    // The five seeds lie further apart than the tolerance.
    expect(Math.abs(evaluation.outputRelativeError / published[3] - 1)).toBeLessThan(1e-4)
  })
})

test('bench times what it is asked for beside the copy kernel', async () => {
  const { code, stdout } = await started([
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
  expect(schema).toBe('mxscope.bench/2')
  const timed = rows.find((row: { name: string }) => row.name === 'fake-quantize mxfp8_e4m3')
  expect(timed).toMatchObject({ kind: 'timed', shape: '32 x 128', ratioToCopy: expect.any(Number) })
  expect(rows.map((row: { name: string }) => row.name)).toContain('copy')
})

describe('compare, other formats', () => {
  const settings = ['nvfp4/nvfp4', 'int4(group=128,scheme=asym)/int8', 'W4A8KV8', 'bf16/fp16']

  test('takes formats with options and settings that quantize the output, and says what it did', async () => {
    const args = ['--methods', 'rtn', '--setting', settings.join(','), '--head-dim', '64', '--json', '-']
    const { code, stdout, stderr } = await started([...compare, ...args])
    expect([code, stderr]).toEqual([0, expect.stringContaining('int4(group=128,scheme=asym)/int8 rtn: ')])
    const { results } = JSON.parse(stdout)
    expect(results.map((result: { setting: string }) => result.setting)).toEqual(settings)
    const [nvfp4, integers, cache, sixteen] = results
    expect(nvfp4).toMatchObject({ weightFormat: 'nvfp4', preScale: null, bitsPerElement: 4.5 })
    expect(integers).toMatchObject({ weightFormat: 'int4(group=128,scheme=asym)', bitsPerElement: 4 + 20 / 128 })
    expect(cache).toMatchObject({ outputFormat: 'mxfp8_e4m3', headDim: 64, preScale: 0.75, preScaleVariant: 'exact' })
    expect(stderr).toContain('\n  Output quantized to MXFP8 E4M3 per head of 64 channels.\n')
    expect(cache.notes[0]).toBe('Output quantized to MXFP8 E4M3 per head of 64 channels.')
    expect(cache.notes[1]).toContain('"layer.weight" does not look like a key or value projection')
    for (const { evaluation } of [nvfp4, integers, cache]) {
      expect(evaluation.outputSqnrDb).toBeGreaterThan(8)
      expect(evaluation.outputSqnrDb).toBeLessThan(35)
    }
    // The file holds BF16, of a size that FP16 holds too.
    expect(sixteen.evaluation.outputRelativeError).toBe(0)
    expect(sixteen.weightClippedPercent).toBe(0)
  })

  test('a head dimension the output cannot have is said with those it can', async () => {
    const { code, stdout, stderr } = await started([
      ...compare,
      '--methods',
      'rtn',
      '--setting',
      'W8A8KV8',
      '--head-dim',
      '96',
    ])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('SE-02: head dimension: expected one of 32, 64, 128, 256')
  })

  test('says on standard error what was asked for and has no effect, once', async () => {
    const args = ['--methods', 'rtn', '--setting', 'int4/int8', '--scale-rule', 'even', '--json', '-']
    const { code, stdout, stderr } = await started([...compare, ...args])
    expect(code).toBe(0)
    expect(stderr.match(/note: no tensor of int4\/int8 takes --scale-rule \(only for mxfp8_e4m3, /g)).toHaveLength(1)
    expect(JSON.parse(stdout).results[0]).toMatchObject({ scaleRule: null, rounding: null, blockSize: null })
  })

  test('the scale analysis is in the JSON and a table under the other', async () => {
    const args = ['--methods', 'rtn', '--scale-rule', 'even', '--pre-scale', 'off', '--block', '16', '--scale-analysis']
    const report = join(folder, 'scales.json')
    const { code, stdout } = await started([...compare, ...args, '--json', report])
    expect(code).toBe(0)
    const [result] = JSON.parse(readFileSync(report, 'utf8')).results
    const { split, weightScales, activationScales, preScaleSweep, blockSizeSweep } = result.scaleAnalysis
    expect(split.powerOfTwo).toBe(result.evaluation.outputRelativeError)
    expect(split.bothFp32).toBeLessThan(split.powerOfTwo)
    expect(weightScales.blocks).toBe((256 * 256) / 16)
    const counted = activationScales.counts.reduce((sum: number, count: number) => sum + count, 0)
    expect(counted + activationScales.zeroBlocks).toBe((256 * 256) / 16)
    expect(preScaleSweep.outputSqnrDb.at(-1)).toBe(result.evaluation.outputSqnrDb)
    expect(blockSizeSweep).toMatchObject({ values: [8, 16, 32, 64, 128] })
    expect(blockSizeSweep.outputSqnrDb[1]).toBe(result.evaluation.outputSqnrDb)
    const [conditions, , split2] = stdout.trimEnd().split('\n\n')
    expect(conditions).toContain(
      'scale rule even, rounding half-even, pre-scale off, block 16 (not the standard), seed 0',
    )
    expect(split2).toMatch(/^method +setting +relative error +W fp32 scale/m)
    expect(split2).toContain(split.bothFp32.toFixed(5))
  })
})

describe('quantize', () => {
  const odd = Float32Array.from({ length: 3 * 70 }, (_, i) => Math.sin(i) * 2 ** (i % 7))
  const input = join(folder, 'families.safetensors')
  beforeAll(() => {
    const line = odd.slice(0, 5)
    writeFileSync(
      input,
      writeSafetensors([
        { name: 'matrix', dtype: 'F32', shape: [3, 70], bytes: new Uint8Array(odd.buffer) },
        { name: 'short', dtype: 'F32', shape: [5], bytes: new Uint8Array(line.buffer) },
      ]),
    )
  })

  const mx: MxChoices = {
    ...STANDARD_MX,
    preScale: { factor: 0.8, variant: 'literal' },
    blockSize: 64,
    scaleRule: 'even',
  }
  const fp32: MxChoices = { ...STANDARD_MX, scaleRule: 'fp32', rounding: 'half-away', blockSize: 8 }
  const cases: [string, string[], MxChoices, Record<string, unknown>][] = [
    [
      'mxfp4',
      ['--scale-rule', 'even', '--pre-scale', '0.8', '--pre-scale-variant', 'literal', '--block', '64'],
      mx,
      {
        ...{ format: 'mxfp4', scaleRule: 'even', rounding: 'half-even', blockSize: 64 },
        ...{ preScale: 0.8, preScaleVariant: 'literal', flushSubnormalBlocks: false },
      },
    ],
    [
      'mxfp6_e2m3',
      ['--scale-rule', 'fp32', '--rounding', 'half-away', '--block', '8'],
      fp32,
      { format: 'mxfp6_e2m3', scaleRule: 'fp32', rounding: 'half-away', blockSize: 8, preScale: null },
    ],
    ['mxfp4', ['--scale-rule', 'best'], { ...STANDARD_MX, scaleRule: 'best' }, { scaleRule: 'best' }],
    [
      'nvfp4(four-over-six=mae)',
      ['--block', '16', '--rounding', 'half-even', '--pre-scale', 'off'],
      STANDARD_MX,
      { format: 'nvfp4(four-over-six=mae)', blockSize: 16, fourOverSix: 'mae', tensorScale: true },
    ],
    ['int8', [], STANDARD_MX, { format: 'int8', group: 'row', scheme: 'sym-max' }],
    ['fp16', [], STANDARD_MX, { format: 'fp16' }],
  ]

  test.each(cases.map(([format, args, choices, metadata]) => ({ format, args, choices, metadata })))(
    '$format $args is the scalar definition, and the file says how it was made',
    async ({ format, args, choices, metadata }) => {
      const out = join(folder, 'family.safetensors')
      expect((await started(['quantize', input, '--format', format, ...args, '-o', out])).code).toBe(0)
      const written = readFileSync(out)
      const tensors = parseSafetensors(written)
      const quantizer = makeQuantizer(parseFormat(format), choices)
      const expected = roundMatrix({ rows: 3, cols: 70, data: odd }, quantizer)
      expect(tensors.get('matrix')?.floats()).toEqual(expected.data)
      expect(tensors.get('short')?.floats()).toEqual(
        roundMatrix({ rows: 1, cols: 5, data: odd.slice(0, 5) }, quantizer).data,
      )
      const header = JSON.parse(written.subarray(8, 8 + Number(written.readBigUInt64LE())).toString())
      for (const name of ['matrix', 'short']) {
        expect(JSON.parse(header.__metadata__[`mxscope.export.${name}`]).weight).toMatchObject(metadata)
      }
    },
  )

  test('--block sets the group of integers, and the report says so', async () => {
    const args = [
      '--format',
      'int4(scheme=asym)',
      '--block',
      '64',
      '--json',
      '-',
      '-o',
      join(folder, 'group.safetensors'),
    ]
    const report = JSON.parse((await started(['quantize', input, ...args])).stdout)
    expect(report).toMatchObject({ format: 'int4(group=64,scheme=asym)', group: 64, scheme: 'asym' })
    expect(report.tensors[0]).toMatchObject({ name: 'matrix', bitsPerElement: 4 + (20 * 2) / 70 })
  })

  test('gives an SQNR to tensors of any size, none to zeros, and says what was chosen', async () => {
    const extremes = join(folder, 'extremes.safetensors')
    const tensor = (name: string, largest: number) => {
      const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + 1) * largest)
      return { name, dtype: 'F32', shape: [64], bytes: new Uint8Array(values.buffer) } as const
    }
    const sizes = { ordinary: 3, huge: 3e38, tiny: 1e-40, zero: 0 }
    const tensors = Object.entries(sizes).map(([name, size]) => tensor(name, size))
    writeFileSync(extremes, writeSafetensors(tensors))
    const json = join(folder, 'extremes.json')
    const args = ['--format', 'int8', '--json', json, '-o', join(folder, 'extremes-out.safetensors')]
    const { code, stdout, stderr } = await started(['quantize', extremes, ...args])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^int8, rounding half-even, a scale per row\n\nname +shape/)
    expect(stdout).toMatch(/^zero +\[64\] +– +0\.000 +0\.000$/m)
    expect(stderr).toContain('\n"zero" is zero everywhere, so its SQNR is undefined.\n')
    const written: { name: string; sqnrDb: number | null }[] = JSON.parse(readFileSync(json, 'utf8')).tensors
    const of = (name: string) => written.find((one) => one.name === name)?.sqnrDb
    expect(of('zero')).toBeNull()
    for (const name of ['ordinary', 'huge', 'tiny']) expect(of(name), name).toBeGreaterThan(40)
    expect(Math.abs(Number(of('huge')) - Number(of('ordinary')))).toBeLessThan(2)
  })

  test('writes what a decoder reads back, under the same names and shapes', () => {
    const out = join(folder, 'fake.safetensors')
    const { code, stdout } = run(['quantize', LAYER, '--format', 'mxfp4', '--layout', 'dequantized-f32', '-o', out])
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

  test('takes the tensors it is told, of any rank, and counts what is not finite', async () => {
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
    const { code, stdout, stderr } = await started(['quantize', input, ...options, '--json', '-', '-o', out])
    expect(code).toBe(0)
    expect(stderr).toContain('"cube": 1 of 198 elements is not finite (1 NaN), first at row 1, column 7')
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'mxscope.quantize/1',
      format: 'mxfp4',
      preScale: 0.75,
      preScaleVariant: 'exact',
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
    const none = await started([
      'quantize',
      input,
      '--tensor',
      'ids',
      '--format',
      'mxfp4',
      '-o',
      join(folder, 'ids.safetensors'),
    ])
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('TS-01')])
    expect(readdirSync(folder).filter((name) => name.includes('ids') || name.endsWith('.tmp'))).toEqual([])
  })
})
