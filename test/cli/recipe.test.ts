import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runMain } from '../support/run-main'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-recipe-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('recipe writes YAML with the modifier of the method, and the script beside it', async () => {
  const python = join(folder, 'q.py')
  const { code, stdout, stderr } = await runMain('recipe', '--method', 'gptq', '--weight', 'q_proj', '--python', python)
  expect(code).toBe(0)
  const [stage] = Object.values<Record<string, Record<string, object>>>(parse(stdout))
  expect(Object.values(stage).flatMap((modifiers) => Object.keys(modifiers))).toEqual(['GPTQModifier'])
  expect(stdout).toContain('q_proj')
  expect(readFileSync(python, 'utf8')).toContain('oneshot(')
  expect(stderr[0]).toContain('One layer was measured')
})

test('a method LLM Compressor does not have is named, and what stands for it', async () => {
  const out = join(folder, 'r.yaml')
  const { code, stdout, stderr } = await runMain('recipe', '--method', 'flatquant', '-o', out)
  expect([code, stdout, stderr[0]]).toEqual([0, '', 'LLM Compressor has no flatquant; the recipe runs rtn.'])
  expect(readFileSync(out, 'utf8')).toContain('QuantizationModifier')
})

test.each([
  [[], 2, 'expected --method ID'],
  [['--method', 'rtn', '--setting', 'W4A4,W8A8'], 2, '--setting: expected one setting'],
  [['--method', 'none'], 1, 'MD-04'],
  [['--method', 'rtn', '--setting', '16/mxfp4'], 1, 'RE-01'],
])('refuses %j', async (args, code, message) => {
  const found = await runMain('recipe', ...args)
  expect([found.code, found.stderr.join('\n')]).toEqual([code, expect.stringContaining(message)])
})
