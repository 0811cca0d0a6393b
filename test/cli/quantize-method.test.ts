import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { runMain } from '../support/run-main'
import { parseSafetensors } from '../support/safetensors-bytes'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-quantize-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE = fileURLToPath(new URL('../../public/layers/wt2llama-outliers-L2-q_proj.safetensors', import.meta.url))
const WEIGHT = 'model.layers.2.self_attn.k_proj.weight'
const INPUT = 'model.layers.2.self_attn.q_proj.input'
const OWN = 'model.layers.2.self_attn.k_proj.mxscope.'
const [OUT, IN] = [64, 192]

const tensors = parseSafetensors(readFileSync(FILE))
const floats = (from: typeof tensors, name: string) => {
  const tensor = from.get(name)
  if (!tensor) throw new Error(`no tensor ${name}`)
  return tensor.floats()
}

/** ‖X (W − Ŵ)ᵀ‖ / ‖X Wᵀ‖ over all rows of the file, in float64. */
function relativeError(estimate: ArrayLike<number>): number {
  const [x, weight] = [floats(tensors, INPUT), floats(tensors, WEIGHT)]
  let [error, energy] = [0, 0]
  for (let row = 0; row < x.length; row += IN) {
    for (let out = 0; out < weight.length; out += IN) {
      let [exact, lost] = [0, 0]
      for (let k = 0; k < IN; k++) {
        exact += x[row + k] * weight[out + k]
        lost += x[row + k] * (weight[out + k] - estimate[out + k])
      }
      error += lost ** 2
      energy += exact ** 2
    }
  }
  return Math.sqrt(error / energy)
}

async function quantize(method: string, ...args: string[]) {
  const out = join(folder, `${method}.safetensors`)
  const all = [FILE, '--tensor', WEIGHT, '--activations', INPUT, '--format', 'mxfp4', '--method', method, ...args]
  const { code, stdout, stderr } = await runMain('quantize', ...all, '--json', '-', '-o', out)
  expect(code).toBe(0)
  return { written: parseSafetensors(readFileSync(out)), bytes: readFileSync(out), report: JSON.parse(stdout), stderr }
}

/** What compare measures on the same rows. */
async function compared(method: string, ...args: string[]) {
  const all = [FILE, '--weight', WEIGHT, '--activations', INPUT, '--held-out', '0', '--setting', 'mxfp4/16']
  const { stdout } = await runMain('compare', ...all, '--pre-scale', 'off', '--methods', method, ...args, '--json', '-')
  return JSON.parse(stdout).results[0]
}

test('what GPTQ writes has the error that compare measures', async () => {
  const { written, bytes, report, stderr } = await quantize('gptq', '--option', 'gptq.damping=0.02')
  expect([...written.keys()]).toEqual([WEIGHT])
  expect(written.get(WEIGHT)).toMatchObject({ dtype: 'F32', shape: [OUT, IN] })
  const measured = await compared('gptq', '--option', 'gptq.damping=0.02')
  const error = relativeError(floats(written, WEIGHT))
  expect(Math.abs(error / measured.calibration.outputRelativeError - 1)).toBeLessThan(1e-4)
  const plain = await quantize('rtn')
  expect(error).toBeLessThan(0.9 * relativeError(floats(plain.written, WEIGHT)))
  expect(report).toMatchObject({
    ...{ schema: 'mxscope.quantize/1', format: 'mxfp4', preScale: null, layout: 'dequantized-f32' },
    ...{ method: 'gptq', seed: 0, options: { scales: 'fresh', order: 'natural', damping: 0.02 } },
  })
  expect(report.tensors).toHaveLength(1)
  expect(report.tensors[0]).toMatchObject({
    ...{ name: WEIGHT, shape: [OUT, IN], activations: INPUT, beside: [], warnings: [] },
    ...{ calibration: measured.calibration, bitsPerElement: measured.bitsPerElement },
  })
  for (const note of measured.notes) expect(stderr).toContain(note)
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE())))
  expect(JSON.parse(header.__metadata__[`mxscope.export.${WEIGHT}`])).toMatchObject({
    ...{ method: 'gptq', options: { scales: 'fresh', order: 'natural', damping: 0.02 }, seed: 0 },
    ...{ setting: 'W4A16', layout: 'dequantized-f32', weight: { format: 'mxfp4', scaleRule: 'floor' } },
  })
})

test('rounding to nearest is what it is without a method', async () => {
  const { written } = await quantize('rtn')
  const out = join(folder, 'plain.safetensors')
  await runMain('quantize', FILE, '--tensor', WEIGHT, '--format', 'mxfp4', '-o', out)
  expect(written.get(WEIGHT)?.bytes).toEqual(parseSafetensors(readFileSync(out)).get(WEIGHT)?.bytes)
})

test('a low-rank branch is written beside the weight, and both together have the error', async () => {
  const rank = 8
  const option = ['--option', `low-rank.rank=${rank}`, '--seed', '5']
  const { written, report, stderr } = await quantize('low-rank', ...option)
  const [nameA, nameB] = [`${OWN}low_rank_a`, `${OWN}low_rank_b`]
  expect([...written.keys()].sort()).toEqual([nameA, nameB, WEIGHT])
  expect(written.get(nameA)).toMatchObject({ dtype: 'BF16', shape: [rank, IN] })
  expect(written.get(nameB)).toMatchObject({ dtype: 'BF16', shape: [OUT, rank] })
  const [weight, a, b] = [WEIGHT, nameA, nameB].map((name) => floats(written, name))
  const whole = Float64Array.from(weight, (value, i) => {
    const [out, k] = [Math.floor(i / IN), i % IN]
    return Array.from({ length: rank }).reduce<number>((sum, _, r) => sum + b[out * rank + r] * a[r * IN + k], value)
  })
  const measured = await compared('low-rank', ...option)
  const error = measured.calibration.outputRelativeError
  expect(Math.abs(relativeError(whole) / error - 1)).toBeLessThan(1e-4)
  expect(relativeError(weight)).toBeGreaterThan(1.5 * error)
  expect(report.seed).toBe(5)
  expect(report.tensors[0].calibration).toEqual(measured.calibration)
  expect(report.tensors[0].beside).toEqual([nameA, nameB])
  expect(report.tensors[0].bitsPerElement).toBe(measured.bitsPerElement)
  expect(stderr).toContainEqual(expect.stringMatching(/^warning: .*low-rank branch is added to the product/))
  expect(stderr).toContainEqual(expect.stringMatching(/^Low-rank branch: rank 8 in BF16/))
})

test('the seed reaches the random start of the branch', async () => {
  const weight = 'model.layers.2.self_attn.q_proj.weight'
  const options = ['--option', 'low-rank.rank=16', '--option', 'low-rank.weighting=plain', '--format', 'mxfp4']
  const branch = async (...seed: string[]) => {
    const out = join(folder, 'seed.safetensors')
    const args = ['--tensor', weight, '--activations', INPUT, '--method', 'low-rank', ...options, ...seed, '-o', out]
    expect((await runMain('quantize', FILE, ...args)).code).toBe(0)
    return floats(parseSafetensors(readFileSync(out)), `${weight.replace(/weight$/, 'mxscope.')}low_rank_a`)
  }
  const first = await branch()
  expect(await branch('--seed', '0')).toEqual(first)
  expect(await branch('--seed', '5')).not.toEqual(first)
})

test('a weight stored as [in, out] is written so; activations may come from another file', async () => {
  const weight = floats(tensors, WEIGHT)
  const turned = (from: ArrayLike<number>, rows: number, cols: number) =>
    Float32Array.from({ length: rows * cols }, (_, i) => from[(i % rows) * cols + Math.floor(i / rows)])
  const input = join(folder, 'turned.safetensors')
  const bytes = new Uint8Array(turned(weight, OUT, IN).buffer)
  writeFileSync(input, writeSafetensors([{ name: WEIGHT, dtype: 'F32', shape: [IN, OUT], bytes }]))
  const out = join(folder, 'turned-out.safetensors')
  const args = ['--tensor', WEIGHT, '--activations', INPUT, '--activations-file', FILE, '--method', 'gptq']
  const { code, stdout, stderr } = await runMain('quantize', input, ...args, '--format', 'mxfp4', '-o', out)
  expect(code).toBe(0)
  expect(stderr).toContainEqual(expect.stringContaining(`"${WEIGHT}" is stored as [in, out]`))
  const expected = floats((await quantize('gptq')).written, WEIGHT)
  const found = parseSafetensors(readFileSync(out)).get(WEIGHT)
  expect(found?.shape).toEqual([IN, OUT])
  expect(found?.floats()).toEqual(turned(expected, OUT, IN))
  expect(stdout).toMatch(
    /pre-scale off, gptq\n\nname +shape .*output error +rows\nmodel\S+ +\[192, 64\] .* 0\.\d{5} +512\n$/,
  )
})

describe('wrong usage', () => {
  const plain = ['--format', 'mxfp4', '-o', join(folder, 'never.safetensors')]
  const gptq = ['--tensor', WEIGHT, '--method', 'gptq']
  const cases: [string[], string][] = [
    [['--activations', INPUT, '--seed', '1'], '--activations, --seed: only with --method'],
    [['--method', 'x'], 'method: expected one of rtn, gptq'],
    [['--method', 'gptq', '--activations', INPUT], '--method gptq: expected --tensor PATTERN'],
    [gptq, '--method gptq: expected either --activations NAME or --synthetic'],
    [[...gptq, '--synthetic', '--activations', INPUT], 'expected either --activations NAME or --synthetic'],
    [['--activation-format', 'mxfp4', '--tensor', 'a'], '--activation-format: only with --method'],
    [['--layout', 'compressed-tensors'], '--layout compressed-tensors: expected --tensor PATTERN'],
    [['--rest', 'keep'], '--rest: expected one of copy, drop, found "keep"'],
    [['--tensor', '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}'], 'expected at most 256 alternatives'],
    [[...gptq, '--activations', INPUT, '--option', 'rtn.a=1'], '"rtn" is not among --method gptq'],
    [[...gptq, '--activations', INPUT, '--option', 'gptq.damping=9'], 'gptq.damping: expected a number from 0.0001'],
    [[...gptq, '--activations', INPUT, '--seed', '-1'], '--seed'],
  ]
  test.each(cases.map(([args, message]) => ({ args, message })))('$message', async ({ args, message }) => {
    const { code, stdout, stderr } = await runMain('quantize', FILE, ...plain, ...args)
    expect([code, stdout, stderr.length]).toEqual([2, '', 1])
    expect(stderr[0]).toContain(message)
  })
})

test('rows that do not exist are the input at fault', async () => {
  const args = ['--tensor', WEIGHT, '--method', 'gptq', '--activations', 'x', '--format', 'int4']
  const { code, stderr } = await runMain('quantize', FILE, ...args, '-o', join(folder, 'never.safetensors'))
  expect([code, stderr]).toEqual([1, [expect.stringContaining('TS-06: ')]])
})

test('a method that changes the basis is written with what X goes through', async () => {
  const out = join(folder, 'rotated.safetensors')
  const args = ['--tensor', WEIGHT, '--activations', 'auto', '--method', 'quarot', '--activation-format', 'mxfp8_e4m3']
  const layout = ['--format', 'mxfp4', '--layout', 'compressed-tensors', '--json', '-', '-o', out]
  const { code, stdout, stderr } = await runMain('quantize', FILE, ...args, ...layout)
  expect(code).toBe(0)
  const written = parseSafetensors(readFileSync(out))
  expect([...written.keys()].sort()).toEqual(
    [`${OWN}online.0.outer`, `${OWN}online.0.signs`, `${WEIGHT}_packed`, `${WEIGHT}_scale`].sort(),
  )
  const report = JSON.parse(stdout).tensors[0]
  expect(report).toMatchObject({ activations: INPUT, beside: [`${OWN}online.0.signs`, `${OWN}online.0.outer`] })
  // Errors are those of the layer with rotated activations, rounded to MXFP8.
  const setting = ['--setting', 'mxfp4/mxfp8_e4m3', '--held-out', '0', '--pre-scale', 'off', '--methods', 'quarot']
  const compare = await runMain('compare', FILE, '--weight', WEIGHT, '--activations', INPUT, ...setting, '--json', '-')
  expect(report.calibration).toEqual(JSON.parse(compare.stdout).results[0].calibration)
  expect(stderr.filter((line) => line.startsWith('warning: '))).toEqual([
    expect.stringMatching(/activations go through hadamard before the product/),
    expect.stringMatching(/rounds activations to MXFP8 E4M3 when the layer runs/),
  ])
  const config = JSON.parse(readFileSync(join(folder, 'rotated.config-fragment.json'), 'utf8'))
  expect(config.quantization_config.config_groups.group_0.targets).toEqual(['model.layers.2.self_attn.k_proj'])
})
