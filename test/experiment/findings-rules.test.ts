import { describe, expect, it } from 'vitest'
import { FINDINGS, judgeFinding } from '../../src/experiment/findings/findings'
import { allNeeds, FINDING_NEEDS, type FindingId, type Need, needKey } from '../../src/experiment/findings/needs'
import type { FindingVerdict } from '../../src/experiment/findings/verdict'
import type { LayerFacts, MethodFailure, MethodOutcome } from '../../src/experiment/result'
import { analysisOf, profileOf, resultOf } from '../figures/fixtures'

const PROFILE = profileOf(Array.from({ length: 16 * 24 }, (_, i) => Math.sin(i)))

const LAYER: LayerFacts = {
  name: 'q_proj',
  file: 'layer',
  outDim: 8,
  inDim: 24,
  calibrationTokens: 64,
  evaluationTokens: 64,
  sameRows: false,
  activations: { kind: 'captured', tensor: 'x', file: 'layer' },
}

const findingOf = (id: FindingId) => {
  const finding = FINDINGS.find((each) => each.id === id)
  if (!finding) throw new Error(id)
  return finding
}

/** The outcome of a need with this error; `share` of it goes away with fp32 scales. */
function measured({ method, setting, analysed }: Need, error: number, share = 0): MethodOutcome {
  const scaleAnalysis = analysed ? analysisOf(error, [share / 2, share / 2, share], 0) : null
  return resultOf({ method, setting: setting.id, error, profile: PROFILE, scaleAnalysis })
}

type Errors = (need: Need) => number

const judge = (id: FindingId, errors: Errors, share = 0, layer = LAYER) =>
  judgeFinding(findingOf(id), (need) => measured(need, errors(need), share), layer)

/** Errors by method; every other method has 0.2. */
const byMethod =
  (errors: Readonly<Record<string, number>>): Errors =>
  ({ method }) =>
    errors[method] ?? 0.2

/** Errors of RTN, and of rotations by seed, over and over, under MXFP4 and INT4. */
const rotations =
  (mx: readonly number[], integer: readonly number[]): Errors =>
  ({ method, setting, seed }) =>
    method === 'rtn' ? 1 : (setting.id === 'W4A4' ? mx : integer)[seed % mx.length]

const ways: [FindingId, string, FindingVerdict, Errors, number?][] = [
  ['mxfp8', '4.5 %', 'holds', () => 0.045],
  ['mxfp8', '8 %', 'undecided', () => 0.08],
  ['mxfp8', '11 %', 'fails', () => 0.11],
  ['w4a4', 'twice the next', 'holds', ({ setting }) => (setting.id === 'W4A4' ? 0.2 : 0.1)],
  ['w4a4', '1.1 times the next', 'undecided', ({ setting }) => (setting.id === 'W4A4' ? 0.11 : 0.1)],
  ['w4a4', 'no more than W4A16', 'fails', ({ setting }) => (setting.id === 'W8A8' ? 0.01 : 0.1)],
  ['rotation', 'worse under MXFP4, better under INT4', 'holds', rotations([1.1, 1.2, 1.05], [0.5, 0.6, 0.5])],
  ['rotation', 'better under both', 'fails', rotations([0.8, 0.9, 0.85], [0.5, 0.6, 0.5])],
  ['rotation', 'worse under both', 'fails', rotations([1.1, 1.2, 1.05], [1.2, 1.3, 1.1])],
  ['rotation', 'seeds on both sides', 'undecided', rotations([1.3, 1.2, 0.99], [0.5, 0.6, 0.5])],
  ['rotation', 'within the margin', 'undecided', rotations([1.01, 1.02, 1.005], [0.5, 0.6, 0.5])],
  ['affine', 'half the error', 'holds', byMethod({ flatquant: 0.1 })],
  ['affine', 'beaten by one of the two', 'fails', byMethod({ flatquant: 0.1, awq: 0.05 })],
  ['affine', 'equal', 'undecided', byMethod({})],
  ['compensation', 'one of the two is enough', 'holds', byMethod({ 'mr-gptq': 0.1 })],
  ['compensation', 'above', 'fails', byMethod({ smoothquant: 0.1 })],
  ['compensation', '1 % less', 'undecided', byMethod({ gptq: 0.198 })],
  ['rtn', 'nothing is better', 'holds', byMethod({})],
  ['rtn', 'two of six are better', 'holds', byMethod({ gptq: 0.1, flatquant: 0.1 })],
  ['rtn', 'three of six are better', 'undecided', byMethod({ gptq: 0.1, flatquant: 0.1, awq: 0.1 })],
  ['rtn', 'four of six are better', 'fails', byMethod({ gptq: 0.1, flatquant: 0.1, awq: 0.1, smoothquant: 0.1 })],
  ['scales', '40 %', 'holds', () => 0.2, 0.4],
  ['scales', '15 %', 'undecided', () => 0.2, 0.15],
  ['scales', '5 %', 'fails', () => 0.2, 0.05],
  ['pre-scale', 'less with it', 'holds', ({ preScaled }) => (preScaled ? 0.18 : 0.2)],
  ['pre-scale', 'more with it', 'fails', ({ preScaled }) => (preScaled ? 0.22 : 0.2)],
  ['pre-scale', 'the same', 'undecided', () => 0.2],
]

describe('the rule of each finding', () => {
  it.each(ways)('%s, %s: %s', (id, _what, verdict, errors, share) => {
    const judgement = judge(id, errors, share)
    expect(judgement.verdict).toBe(verdict)
    expect(judgement.number).toMatch(/\d/)
    expect(judgement.sentence).toMatch(/\d.*\.$/)
    expect(judgement.values.length).toBeGreaterThan(1)
  })

  it('covers every finding in every direction', () => {
    for (const { id } of FINDINGS) {
      const seen = ways.filter((way) => way[0] === id).map((way) => way[2])
      expect([...new Set(seen)].sort()).toEqual(['fails', 'holds', 'undecided'])
    }
  })

  it('names the number that decides', () => {
    expect(judge('mxfp8', () => 0.0456).number).toBe('4.6 % off')
    expect(judge('rotation', rotations([1.1, 1.2, 1.3, 1.15, 1.25], [0.5, 0.5, 0.5, 0.5, 0.5])).number).toBe(
      '1.20 × under MXFP4, 0.50 × under INT4',
    )
    expect(judge('w4a4', ({ setting }) => (setting.id === 'W4A4' ? 0.25 : 0.1)).number).toBe('2.50 × W4A8')
    expect(judge('rtn', byMethod({ gptq: 0.1 })).number).toBe('1 of 6 do better')
    expect(judge('scales', () => 0.2, 0.25).number).toBe('25.0 % owed to scales')
  })

  it('says so where fp32 scales make it worse', () => {
    expect(judge('scales', () => 0.2, -0.1)).toMatchObject({
      verdict: 'fails',
      sentence: expect.stringContaining('larger'),
    })
  })
})

describe('what a layer cannot tell', () => {
  it('waits for what is missing', () => {
    const none = judgeFinding(findingOf('rotation'), () => undefined, LAYER)
    expect(none).toMatchObject({ verdict: 'pending', number: null, sentence: 'Not measured yet.', values: [] })
    const some = judgeFinding(findingOf('w4a4'), (need) => (need.analysed ? undefined : measured(need, 0.1)), LAYER)
    expect(some).toMatchObject({ verdict: 'pending', sentence: '1 of 4 comparisons are still to be measured.' })
    expect(some.values).toHaveLength(3)
  })

  it('names a method that failed', () => {
    const evidence = (need: Need): MethodOutcome => {
      if (need.method !== 'gptq') return measured(need, 0.2)
      const { kind: _kind, ...identity } = measured(need, 0.2) as MethodOutcome & { kind: 'result' }
      return {
        ...identity,
        kind: 'failure',
        error: { kind: 'input', code: 'MD-02', message: 'not positive definite.' },
      } as MethodFailure
    }
    const judgement = judgeFinding(findingOf('compensation'), evidence, LAYER)
    expect(judgement).toMatchObject({
      verdict: 'undecided',
      sentence: 'GPTQ failed under W4A4: not positive definite.',
    })
    expect(judgement.values).toHaveLength(3)
  })

  it('takes no ratio of an error that is zero or no number', () => {
    for (const error of [0, Number.NaN]) expect(judge('w4a4', () => error).verdict).toBe('undecided')
  })

  it('needs 16 evaluation rows', () => {
    const layer = { ...LAYER, evaluationTokens: 15 }
    expect(judge('mxfp8', () => 0.045, 0, layer)).toMatchObject({
      verdict: 'undecided',
      sentence: expect.stringContaining('15'),
    })
    expect(judge('mxfp8', () => 0.045, 0, { ...LAYER, evaluationTokens: 16 }).verdict).toBe('holds')
  })

  it('judges fitted methods on held-out rows only', () => {
    const layer = { ...LAYER, sameRows: true }
    expect(judge('affine', byMethod({ flatquant: 0.1 }), 0, layer).verdict).toBe('undecided')
    expect(judge('pre-scale', ({ preScaled }) => (preScaled ? 0.18 : 0.2), 0, layer).verdict).toBe('holds')
  })
})

describe('what is measured', () => {
  it('measures nothing twice', () => {
    const keys = allNeeds().map(needKey)
    expect(new Set(keys).size).toBe(keys.length)
    const asked = Object.values(FINDING_NEEDS).flat()
    expect(keys.length).toBeLessThan(asked.length)
    expect(new Set(asked.map(needKey)).size).toBe(keys.length)
  })
})
