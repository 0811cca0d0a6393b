import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-many-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE = fileURLToPath(new URL('../../public/layers/wt2llama-outliers-L2-q_proj.safetensors', import.meta.url))
const weightOf = (name: string) => `model.layers.2.self_attn.${name}.weight`
const INPUT = 'model.layers.2.self_attn.q_proj.input'
const SETTING = ['--setting', 'W4A8', '--methods', 'rtn,quarot']

const many = (out: string, ...args: string[]) =>
  runMain(
    'compare',
    FILE,
    '--weight',
    '*.{q,k}_proj.weight',
    '--activations',
    'auto',
    ...SETTING,
    '--jsonl',
    out,
    ...args,
  )

interface Line {
  readonly fingerprint: string
  readonly layer: { readonly name: string }
  readonly results: readonly { elapsedMs?: number }[]
}

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

/** Everything but the time it took. */
const untimed = ({ fingerprint, ...report }: Line) => ({
  ...report,
  results: report.results.map(({ elapsedMs, ...result }) => result),
})

test('a line per weight says what compare says of each', async () => {
  const out = join(folder, 'lines.jsonl')
  const { code, stdout } = await many(out)
  expect(code).toBe(0)
  const lines = linesOf(out)
  expect(lines.map(({ layer }) => layer.name).sort()).toEqual([weightOf('k_proj'), weightOf('q_proj')])
  for (const line of lines) {
    const alone = ['--weight', line.layer.name, '--activations', INPUT, ...SETTING, '--json', '-']
    const { stdout: text } = await runMain('compare', FILE, ...alone)
    expect(untimed(line)).toEqual(untimed(JSON.parse(text)))
    expect(stdout).toContain(`${line.layer.name}\nmethod`)
  }
})

test('--resume keeps whole lines, drops one that was cut off, and does the rest', async () => {
  const out = join(folder, 'resumed.jsonl')
  await many(out)
  const whole = readFileSync(out, 'utf8')
  const [first, second] = linesOf(out)
  // As a process killed while it wrote the second line leaves it.
  truncateSync(out, whole.indexOf('\n') + 200)
  const { stderr } = await many(out, '--resume')
  const told = stderr.filter((line) => /\(\d of 2\)/.test(line))
  expect(told).toEqual([`${first.layer.name} (1 of 2): done before`, `${second.layer.name} (2 of 2) …`])
  expect(linesOf(out)[0]).toEqual(first)
  expect(untimed(linesOf(out)[1])).toEqual(untimed(second))
  // Other settings are another run; lines of other runs stay.
  const other = await many(out, '--resume', '--seed', '3')
  expect(other.stderr.some((line) => line.includes('done before'))).toBe(false)
  expect(linesOf(out)).toHaveLength(4)
  appendFileSync(out, 'not a line of ours\n')
  const again = await many(out, '--resume', '--seed', '3')
  expect(again.stderr.filter((line) => line.includes('done before'))).toHaveLength(2)
  expect(linesOf(out)).toHaveLength(4)
  // Without it the file begins anew.
  await many(out)
  expect(linesOf(out)).toHaveLength(2)
})

describe('wrong usage and input', () => {
  const base = ['compare', FILE, '--activations', INPUT, '--methods', 'rtn']
  const out = join(folder, 'never.jsonl')
  const cases: [string[], number, string][] = [
    [['--weight', '*'], 2, '--weight *: a pattern goes with --jsonl OUT'],
    [['--weight', 'w', '--resume'], 2, '--resume: only with --jsonl'],
    [['--weight', '*', '--jsonl', out, '--csv', '-'], 2, '--jsonl: not together with --json, --csv or --results'],
    [['--weight', '*.v_up.weight', '--jsonl', out], 1, 'no floating-point tensor matches "*.v_up.weight"'],
    [
      ['--weight', '*q_proj.weight', '--activations', '{module}.outputs', '--jsonl', out],
      1,
      'q_proj.outputs"; it holds',
    ],
  ]
  test.each(cases.map(([args, expected, message]) => ({ args, expected, message })))('$message', async (each) => {
    const { code, stdout, stderr } = await runMain(...base, ...each.args)
    expect([code, stdout]).toEqual([each.expected, ''])
    expect(stderr.at(-1)).toContain(each.message)
  })

  test('a file that is no list of lines is not overwritten before weights are found', async () => {
    const kept = join(folder, 'kept.jsonl')
    writeFileSync(kept, 'mine\n')
    expect((await runMain(...base, '--weight', '*.v_up.weight', '--jsonl', kept)).code).toBe(1)
    expect(readFileSync(kept, 'utf8')).toBe('mine\n')
  })
})
