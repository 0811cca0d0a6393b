import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { VERSION } from '../../../src/core/version'
import type { MethodResult } from '../../../src/experiment/result'
import { readResults } from '../../../src/experiment/results/read-results'
import { looksLikeResults, RESULTS_SCHEMA, resultsText } from '../../../src/experiment/results/results-file'
import { schemaProblems } from '../../support/json-schema'
import { RESULTS } from './results'

const schema = JSON.parse(readFileSync(new URL('../../../docs/results.schema.json', import.meta.url), 'utf8'))
const text = resultsText(RESULTS)

/** The document with one value replaced: `path` as keys joined by dots. */
function altered(path: string, value: unknown): string {
  const document = JSON.parse(text)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const parent = keys.reduce((inner, key) => inner[key], document)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return JSON.stringify(document)
}

describe('writing and reading back', () => {
  test('gives the same results, typed arrays and all', () => {
    expect(readResults('r.json', text)).toEqual({ version: VERSION, ...RESULTS })
  })

  test('keeps every f32 and every number JSON has no word for', () => {
    const [first] = RESULTS.outcomes as MethodResult[]
    const floats = Float32Array.of(0.1, 1 / 3, 3.4028235e38, 1e-45, -0, 16777217, Number.NaN, -Infinity)
    const awkward: MethodResult = {
      ...first,
      evaluation: { ...first.evaluation, outputSqnrDb: Infinity, gain: Number.NaN },
      profile: { ...first.profile, channelMax: floats, channelRms: floats },
    }
    const [back] = readResults('r.json', resultsText({ ...RESULTS, outcomes: [awkward] })).outcomes as MethodResult[]
    expect(back.evaluation.outputSqnrDb).toBe(Infinity)
    expect(back.evaluation.gain).toBeNaN()
    // JSON writes −0 as 0; every other value comes back bit for bit.
    expect(Array.from(back.profile.channelMax, (value) => value + 0)).toEqual(Array.from(floats, (value) => value + 0))
  })

  test('is JSON with the schema first, so that a file is known by its beginning', () => {
    expect(JSON.parse(text).schema).toBe(RESULTS_SCHEMA)
    expect(looksLikeResults(text.slice(0, 64))).toBe(true)
    expect(looksLikeResults(`\uFEFF${text.slice(0, 64)}`)).toBe(true)
    expect(looksLikeResults('{"metadata": {"total_size": 1}, "weight_map": {}}')).toBe(false)
  })
})

describe('docs/results.schema.json', () => {
  test('holds for what is written', () => {
    expect(schemaProblems(schema, JSON.parse(text))).toEqual([])
  })

  test.each([
    ['schema', 'mxscope.results/2'],
    ['outcomes.0.evaluation.gain', 'one'],
    ['outcomes.0.profile.histogram', null],
    ['methods.0.id', undefined],
    ['choices.scaleRule', 'up'],
    ['files.0.byteLength', -1],
  ])('does not hold with another %s', (path, value) => {
    expect(schemaProblems(schema, JSON.parse(altered(path, value)))).not.toEqual([])
  })
})

describe('refusals', () => {
  test.each([
    ['RF-01', 'not JSON', '{"schema": "mxscope.results/1", '],
    ['RF-03', 'schema: expected text, found nothing', '[]'.replace('[]', '{}')],
    ['RF-03', 'expected an object, found a list of 0', '[]'],
    ['RF-02', 'written by a newer MXScope', altered('schema', 'mxscope.results/2')],
    ['RF-02', 'Only results saved by the page', altered('schema', 'mxscope.compare/1')],
    ['RF-03', 'outcomes[0].evaluation.gain: expected a number', altered('outcomes.0.evaluation.gain', 'x')],
    ['RF-03', 'outcomes[0].kind: expected one of result, failure', altered('outcomes.0.kind', 'draft')],
    [
      'RF-03',
      'outcomes[0].profile.map.values: expected 16 x 24 numbers',
      altered('outcomes.0.profile.map.values', [1]),
    ],
    ['RF-03', 'channelRms: expected 24 numbers', altered('outcomes.0.profile.channelRms', [1])],
    ['RF-03', 'training.losses: expected as many numbers as in steps', altered('outcomes.2.training.losses', [1])],
    ['RF-03', 'choices.scaleRule: expected one of floor', altered('choices.scaleRule', 'up')],
    ['RF-03', 'weight.shape[0]: expected a whole number', altered('weight.shape', [1.5])],
    ['RF-03', 'adapter: expected an object, found 4', altered('adapter', 4)],
    ['RF-03', 'sweeps[0].values: expected a list', altered('sweeps.0.values', {})],
    ['RF-03', 'link: expected text, found nothing', altered('link', undefined)],
  ])('%s: %s', (code, message, broken) => {
    const attempt = () => readResults('saved.json', broken)
    expect(attempt).toThrow(expect.objectContaining({ code }))
    if (code !== 'RF-01') expect(attempt).toThrow(message)
    expect(attempt).toThrow('saved.json: ')
  })

  test('names that would reach into the prototype stay plain names', () => {
    const options = JSON.parse('{"__proto__": 1, "constructor": "x"}')
    const back = readResults('r.json', altered('methods.0.options', options))
    expect(Object.keys(back.methods[0].options)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(back.methods[0].options)).toBe(Object.prototype)
    const { toString: inherited, ...rest } = JSON.parse(text)
    void inherited
    expect(() => readResults('r.json', JSON.stringify({ ...rest, weight: [] }))).toThrow('weight: expected an object')
  })

  test('deeply nested text is refused, not a crash', () => {
    const deep = `{"schema":"mxscope.results/1","files":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
    expect(() => readResults('r.json', deep)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^RF-0[13]$/) }),
    )
  })
})
