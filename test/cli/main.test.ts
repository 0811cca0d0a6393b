import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { EXIT } from '../../src/cli/command'
import { FORMATS } from '../../src/formats/registry'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { METHODS } from '../../src/methods/registry'
import { runMain as run } from '../support/run-main'
import { readGolden } from '../support/safetensors'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

const LAYER = new URL('../golden/layers/layer-a.safetensors', import.meta.url).pathname

const COMMANDS = ['inspect', 'formats', 'methods', 'quantize', 'compare', 'sweep', 'explain', 'recipe', 'bench']

describe('help', () => {
  test('the program lists its commands', async () => {
    const { code, stdout, stderr } = await run('--help')
    expect([code, stderr]).toEqual([0, []])
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command} `)
    for (const code of Object.values(EXIT)) expect(stdout).toMatch(new RegExp(`Exit codes:.*\\b${code} `))
  })

  test.each(COMMANDS)('%s describes itself, whatever else is on the line', async (command) => {
    const { code, stdout, stderr } = await run(command, '--no-such-option', '--help')
    expect([code, stderr]).toEqual([0, []])
    expect(stdout).toMatch(new RegExp(`^Usage: mxscope ${command} `))
  })
})

test('--no-tuning is known to every command, wherever it stands', async () => {
  for (const args of [
    ['--no-tuning', 'formats'],
    ['formats', '--no-tuning'],
  ]) {
    expect(await run(...args)).toMatchObject({ code: 0, stderr: [] })
  }
})

describe('wrong usage: exit code 2, one line that says what is wrong', () => {
  const compare = ['compare', LAYER, '--weight', 'layer.weight']
  const captured = [...compare, '--activations', 'calib.input']
  const quantize = ['quantize', LAYER, '-o', join(folder, 'never.safetensors')]
  const cases: [string[], string][] = [
    [[], 'expected a command'],
    [['frobnicate'], '"frobnicate" is not a command'],
    [['constructor'], '"constructor" is not a command'],
    [['inspect'], 'expected at least one FILE'],
    [['inspect', LAYER, '--fast'], "Unknown option '--fast'"],
    [['formats', 'mxfp4'], "Unexpected argument 'mxfp4'"],
    [['compare'], 'expected one FILE, or the shards of a model, found none'],
    [['compare', LAYER], 'expected --weight NAME'],
    [compare, 'expected either --activations NAME or --synthetic'],
    [[...captured, '--synthetic'], 'expected either --activations NAME or --synthetic'],
    [[...compare, '--synthetic', '--eval', 'eval.input'], '--eval and --activations-file go with --activations'],
    [[...captured, '--setting', 'W3A3'], 'setting "W3A3": expected one of W8A8, W4A8, W4A4, W4A16, W8A8KV8'],
    [[...captured, '--setting', 'int4(group=48)/16'], 'int4.group: expected one of row, 32, 64, 128, found "48".'],
    [
      [...captured, '--setting', 'W4A4,nvfp4(scale=1)/16'],
      'nvfp4.scale: no such option; the options of nvfp4 are: four',
    ],
    [[...captured, '--setting', 'int4(group=128/16'], '"int4(group=128/16": expected a ")" for every "("'],
    [[...captured, '--setting', 'nvfp4()/16'], 'nvfp4(): expected options as KEY=VALUE in the parentheses, found none'],
    [[...captured, '--json', '-', '--csv', '-'], '--json -, --csv -: expected standard output for one of the two'],
    [[...captured, '--setting', ','], '--setting: expected at least one setting'],
    [[...captured, '--methods', 'rtn,rotn'], 'method: expected one of rtn, '],
    [[...captured, '--seed', '1.5'], '--seed: expected a whole number from 0 to 4294967295, found "1.5"'],
    [[...captured, '--tokens', '0'], '--tokens: expected a whole number from 1'],
    [[...captured, '--held-out', '0.9'], '--held-out: expected 0 to 0.8, found "0.9"'],
    [[...captured, '--pre-scale', '0.4'], '--pre-scale: expected 0.5 to 1 or off, found "0.4"'],
    [[...captured, '--pre-scale', ''], '--pre-scale: expected 0.5 to 1 or off, found ""'],
    [[...captured, '--pre-scale-variant', 'both'], '--pre-scale-variant: expected one of exact, literal, found "both"'],
    [[...captured, '--pre-scale', 'off', '--pre-scale-variant', 'exact'], 'expected a --pre-scale from 0.5 to 1'],
    [
      [...captured, '--scale-rule', 'x'],
      '--scale-rule: expected one of floor, rceil, ceil, even, best, fp32, found "x"',
    ],
    [[...captured, '--block', '24'], '--block: expected one of 8, 16, 32, 64, 128, found "24"'],
    [[...captured, '--head-dim', '64'], '--head-dim: expected a setting that quantizes the output, such as W8A8KV8'],
    [[...captured, '--setting', 'W4A8KV8', '--head-dim', '0'], '--head-dim: expected a whole number from 1'],
    [[...captured, '--option', 'quarot'], '--option: expected METHOD.KEY=VALUE, found "quarot"'],
    [[...captured, '--methods', 'rtn', '--option', 'quarot.signs=off'], '"quarot" is not among --methods rtn'],
    [[...captured, '--methods', 'quarot', '--option', 'quarot.sign=off'], 'quarot.sign: no such option'],
    [[...captured, '--methods', 'quarot', '--option', 'quarot.signs=maybe'], 'quarot.signs: expected one of on, off'],
    [quantize, 'expected --format ID'],
    [['quantize', LAYER, '--format', 'mxfp4'], 'expected -o OUT'],
    [[...quantize, '--format', 'fp4'], 'number format: expected one of mxfp8_e4m3'],
    [[...quantize, '--format', 'int4(group=48)'], 'int4.group: expected one of row, 32, 64, 128, found "48".'],
    [[...quantize, '--format', 'int4(group=32,group=64)'], 'int4.group: expected one value, found two, "32" and "64"'],
    [
      [...quantize, '--format', 'mxfp4', '--layout', 'gpt-oss'],
      '--layout: expected one of dequantized-f32, dequantized-bf16, compressed-tensors, blocks-scales, found "gpt-oss"',
    ],
    [[...quantize, '--format', 'mxfp4', '--block', '12'], '--block: expected one of 8, 16, 32, 64, 128, found "12"'],
    [[...quantize, '--format', 'nvfp4', '--block', '32'], '--block: expected one of 16, found "32"'],
    [[...quantize, '--format', 'int8', '--block', '16'], '--block: expected one of 32, 64, 128, found "16"'],
    [[...quantize, '--format', 'int8(group=32)', '--block', '64'], '--block 64: int8(group=32) names another group'],
    [[...quantize, '--format', 'bf16', '--block', '32'], '--block: bf16 has none; only for mxfp8_e4m3, mxfp8_e5m2'],
    [[...quantize, '--format', 'int4', '--scale-rule', 'even'], '--scale-rule: int4 has none; only for mxfp8_e4m3'],
    [[...quantize, '--format', 'nvfp4', '--rounding', 'half-away'], '--rounding: nvfp4 has none; only for mxfp8_e4m3'],
    [[...quantize, '--format', 'fp16', '--flush-subnormal-blocks'], '--flush-subnormal-blocks: fp16 has none; only'],
    [
      [...quantize, '--format', 'mxfp8_e4m3', '--pre-scale', '0.75'],
      '--pre-scale: mxfp8_e4m3 has none; only for mxfp4',
    ],
    [[...quantize, '--format', 'nvfp4', '--pre-scale', '0.9'], '--pre-scale: nvfp4 has none; only for mxfp4'],
    [
      [...quantize, '--format', 'mxfp4', '--pre-scale', '0.9', '--scale-rule', 'fp32'],
      '--pre-scale: not with --scale-rule fp32, which leaves nothing to clip; only with floor, rceil, ceil, even, best',
    ],
  ]
  test.each(cases.map(([args, message]) => ({ args, message })))('$message', async ({ args, message }) => {
    const { code, stdout, stderr } = await run(...args)
    expect([code, stdout, stderr.length]).toEqual([2, '', 1])
    expect(stderr[0]).toContain(message)
    expect(stderr[0]).toMatch(/[^.]\. See mxscope( \w+)? --help\.$/)
  })
})

describe('the input is at fault: exit code 1, one line', () => {
  const broken = join(folder, 'broken.safetensors')
  writeFileSync(broken, 'short')
  const quantize = ['--format', 'mxfp4', '-o', join(folder, 'never.safetensors')]
  const cases: [string[], string, string][] = [
    [['inspect', join(folder, 'none.safetensors')], 'FS-01: ', 'none.safetensors: no such file.'],
    [['inspect', '/dev/null'], 'FS-01: ', 'expected a file, found a device.'],
    [['inspect', broken], 'ST-01: ', 'expected at least 8 bytes for the header length, found 5.'],
    [['compare', broken, '--weight', 'w', '--activations', 'x'], 'ST-01: ', 'found 5.'],
    [
      ['compare', LAYER, '--weight', 'w', '--activations', 'calib.input'],
      'TS-06: ',
      'layer-a.safetensors: no tensor "w"; it holds layer.weight, calib.input, eval.input.',
    ],
    [
      ['compare', LAYER, '--weight', 'layer.weight', '--activations', 'calib.input', '--eval', 'e'],
      'TS-06: ',
      'no tensor "e"',
    ],
    [['quantize', LAYER, '--tensor', 'q', ...quantize], 'TS-06: ', 'no tensor "q"'],
  ]
  test.each(cases.map(([args, code, message]) => ({ args, code, message })))(
    '$code $message',
    async ({ args, code, message }) => {
      const result = await run(...args)
      expect([result.code, result.stdout, result.stderr.length]).toEqual([1, '', 1])
      expect(result.stderr[0]).toContain(`mxscope: ${code}`)
      expect(result.stderr[0]).toContain(message)
    },
  )
})

describe('lists', () => {
  test('inspect lists tensors, as a table and as JSON', async () => {
    const table = await run('inspect', LAYER)
    expect(table.stdout).toMatch(/layer\.weight +BF16 +\[256, 256\] +131072/)
    const { stdout, stderr, code } = await run('inspect', LAYER, '--stats', '--json', '-')
    expect([code, stderr]).toEqual([0, []])
    const { schema, files } = JSON.parse(stdout)
    expect(schema).toBe('mxscope.inspect/1')
    expect(files[0]).toMatchObject({ file: LAYER, byteLength: statSync(LAYER).size })
    expect(files[0].tensors.map((tensor: { name: string }) => tensor.name)).toEqual([
      'layer.weight',
      'calib.input',
      'eval.input',
    ])
    const [weight] = files[0].tensors
    expect(weight).toMatchObject({ dtype: 'BF16', shape: [256, 256], byteLength: 131_072 })
    const values = readGolden('layers/layer-a.safetensors').get('layer.weight')?.floats() ?? new Float32Array()
    const moment = (p: number) => values.reduce((sum, x) => sum + (x - mean) ** p, 0) / values.length
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    expect(weight.stats.kurtosis).toBeCloseTo(moment(4) / moment(2) ** 2, 6)
    expect(weight.stats.maximum).toBe(Math.max(...values))
    expect(weight.stats.nonFiniteCount).toBe(0)
  })

  test('inspect lists codes and scales as the tensor they stand for, and says what is missing', async () => {
    const packed = new URL('../golden/formats/packing/ct_int4.safetensors', import.meta.url).pathname
    const name = 'model.layers.0.self_attn.q_proj.weight'
    const table = await run('inspect', packed, '--stats')
    expect([table.code, table.stderr]).toEqual([0, []])
    expect(table.stdout).toMatch(new RegExp(`${name} +INT4 +\\[16, 64\\] +592 `))
    expect(table.stdout).toContain(`${name}: INT4 as compressed-tensors, a scale per group of 32\n`)
    const { files } = JSON.parse((await run('inspect', packed, '--json', '-')).stdout)
    const parts = ['_packed', '_scale', '_shape'].map((ending) => `${name}${ending}`)
    expect(files[0].tensors).toMatchObject([{ name, dtype: 'INT4', shape: [16, 64], packed: { note: '', parts } }])

    const torn = join(folder, 'torn.safetensors')
    const bytes = new Uint8Array(64)
    writeFileSync(torn, writeSafetensors([{ name: 'w_packed', dtype: 'U8', shape: [4, 16], bytes }]))
    const refused = await run('inspect', torn)
    expect(refused.stdout).toMatch(/w_packed +U8 +\[4, 16\]/)
    expect(refused.stderr).toEqual(['PK-01: tensor "w_packed": expected "w_scale" beside it, found none.'])
    const quantized = await run('quantize', torn, '--format', 'mxfp4', '--tensor', 'w_packed', '-o', join(folder, 'o'))
    expect([quantized.code, quantized.stderr[0]]).toEqual([1, expect.stringContaining('PK-01')])
  })

  test('formats and methods are the registries', async () => {
    const formats = JSON.parse((await run('formats', '--json', '-')).stdout)
    expect(formats.formats.map((format: { id: string }) => format.id)).toEqual(FORMATS.map((format) => format.id))
    for (const format of formats.formats) {
      expect(format.bitsPerElement, format.id).toBeGreaterThan(3.9)
      expect(format.blockSizes, format.id).toEqual(format.family === 'mx' ? [8, 16, 32, 64, 128] : [])
      expect(format.preScale, format.id).toBe(format.id === 'mxfp4')
    }
    const table = (await run('formats')).stdout
    expect(table).toMatch(/^nvfp4 +NVFP4 +6 +16 +e4m3 +4\.5 /m)
    expect(table).toMatch(/^int4 +INT4 +7 +row +fp32 +4 /m)
    expect(table).toMatch(/^bf16 +BF16 +\S+ +– +none +16 /m)
    expect(table).toContain('int4 options:\n    group = row (row | 32 | 64 | 128): ')
    expect(table).toContain('scale rules: floor, rceil, ceil, even, best, fp32')
    const methods = JSON.parse((await run('methods', '--json', '-')).stdout)
    expect(methods.settings.map((setting: { id: string }) => setting.id)).toContain('W4A8KV8')
    expect(methods.methods.map((method: { id: string }) => method.id)).toEqual(METHODS.map((method) => method.id))
    const grid = (await run('methods')).stdout.split('\n')
    const text = (await run('methods', ...METHODS.map(({ id }) => id))).stdout
    for (const { id, label, summary, transform } of METHODS) {
      const line = grid.find((one) => one.startsWith(`${id} `))
      expect([line?.includes(` ${label} `), line?.endsWith(summary)], id).toEqual([true, true])
      expect(text).toContain(`${id}  `)
      for (const option of transform.options) expect(text).toContain(`    ${option.key} = ${option.default} `)
    }
    expect(grid).toHaveLength(METHODS.length + 4)
    const one = JSON.parse((await run('methods', 'spinquant', '--json', '-')).stdout)
    expect(one.methods.map(({ id }: { id: string }) => id)).toEqual(['spinquant'])
    const unknown = await run('methods', 'spinqant')
    expect([unknown.code, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr[0]).toContain('expected one of rtn, ')
  })
})
