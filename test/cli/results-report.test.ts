import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readResults } from '../../src/experiment/results/read-results'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-results-'))
afterAll(() => rmSync(folder, { recursive: true }))

const LAYER = new URL('../golden/layers/layer-a.safetensors', import.meta.url).pathname
const COMPARE = ['compare', LAYER, '--weight', 'layer.weight', '--activations', 'calib.input', '--tokens', '64']

test('--results writes what the page opens: the numbers of --json, with curves, and the file they came from', async () => {
  const out = join(folder, 'results.json')
  const { code, stdout } = await runMain(...COMPARE, '--methods', 'rtn,quarot', '--results', out, '--json', '-')
  expect(code).toBe(0)
  const results = readResults('results.json', readFileSync(out, 'utf8'))
  const bytes = readFileSync(LAYER)
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()))
  expect(results.files).toEqual([
    {
      name: 'layer-a.safetensors',
      byteLength: statSync(LAYER).size,
      headerHash: createHash('sha256').update(header).digest('hex').slice(0, 12),
      builtIn: null,
    },
  ])
  expect(results.weight).toEqual({
    title: 'layer-a.safetensors',
    tensor: 'layer.weight',
    shape: [256, 256],
    dtype: 'BF16',
  })
  expect(results.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot'])
  const told: { method: string; evaluation: object }[] = JSON.parse(stdout).results
  for (const outcome of results.outcomes) {
    if (outcome.kind !== 'result') throw new Error(outcome.error.message)
    expect(outcome.evaluation).toMatchObject(told.find(({ method }) => method === outcome.method)?.evaluation ?? {})
    expect(outcome.profile.channelMax.length).toBe(256)
  }
  expect(results.outcomes.length).toBe(2)
})

test('--results is of one weight', async () => {
  const { code, stderr } = await runMain(...COMPARE, '--results', 'a.json', '--jsonl', 'b.jsonl')
  expect([code, stderr.join()]).toEqual([2, expect.stringContaining('--jsonl: not together with --json, --csv or')])
})
